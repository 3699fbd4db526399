"""The jobs that make files of a batch: a print, which several workers share, and a data file."""

from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _, gettext_lazy, ngettext, ngettext_lazy
from pretix.base.models import CachedFile, Event

from ..jobs import files
from ..jobs.registry import KINDS, Kind, Stored
from ..models import Job, OfflineSalesBatch, PrintPart
from ..tickets.numbers import parse_numbers
from .choice import numbers_of
from .data import DataOptions
from .for_sellers import SellersPrintout, SellersRequest
from .look import Look
from .plan import Plan
from .request import EVERYTHING, PrintRequest
from .work import make_data_file, print_tickets

#: How many workers one job may keep busy, so that others' jobs get their turn.
MAX_WORKERS = 4


class MakeFile(Kind):
    """Something to be downloaded."""

    def amount(self, job: Job) -> int | None:
        return len(numbers_of(job.batch, job.request.get("tickets", ""))) if job.batch else None

    def describe(self, data: dict) -> str:
        text = super().describe(data)
        if changed := data.get("changed"):
            not_valid = _("Tickets that were changed meanwhile, so that what was made of them is not valid: {numbers}")
            text = f"{text} {not_valid.format(numbers=changed)}"
        return text

    def _create(self, batch: OfflineSalesBatch, request: Stored, requested_by: dict, suffix: str, mime_type: str, look):
        """
        The job's file exists from the start, without content, since its id is part of the download's address. It is
        that of the job, so that it is the same again should the host delete the row while the job waits.
        """
        pk = uuid4()
        file = files.reserve(pk, files.filename(batch, suffix), mime_type)
        return self.create(batch.event, request, requested_by, batch, pk, file=file, look=look.data)


class Print(MakeFile):
    identifier = "print"
    name = gettext_lazy("Print tickets")
    Request = PrintRequest
    is_shared = True
    canceled = gettext_lazy("The tickets will not be printed.")
    too_late = gettext_lazy("It is too late to cancel this, the tickets are being printed.")
    entry = "printed"
    history = ngettext_lazy("%(amount)s ticket has been printed.", "%(amount)s tickets have been printed.", "amount")
    webhook = gettext_lazy("Tickets of an offline sales batch printed")

    def ask(self, batch: OfflineSalesBatch, requested_by: dict, request: PrintRequest = EVERYTHING) -> Job:
        look = Look.of(batch)
        with transaction.atomic():
            job = self._create(batch, request, requested_by, "pdf", files.PDF, look)
            PrintPart.objects.bulk_create(
                PrintPart(job=job, first=units[0], last=units[-1]) for units in Plan(batch, request).parts()
            )
        return job

    def work(self, job: Job) -> None:
        print_tickets(job)

    def files(self, job: Job) -> list[CachedFile | None]:
        return [*super().files(job), *(part.file for part in job.parts.select_related("file"))]

    def workers_wanted(self, job: Job) -> int:
        return min(job.parts.count(), MAX_WORKERS)

    def describe(self, data: dict) -> str:
        text, blocked = super().describe(data), data.get("blocked")
        if not blocked:
            return text
        of_them = ngettext("%(blocked)s of them is blocked.", "%(blocked)s of them are blocked.", blocked)
        return f"{text} {of_them % data}"


class PrintForSellers(Print):
    """As a print, of tickets of several batches."""

    identifier = "print_for_sellers"
    name = gettext_lazy("Print tickets of sellers")
    Request = SellersRequest
    entry = "printed_for_seller"
    history = ngettext_lazy(
        "%(amount)s ticket has been printed for a seller.",
        "%(amount)s tickets have been printed for sellers.",
        "amount",
    )
    webhook = gettext_lazy("Tickets of an offline sales batch printed for a seller")

    def ask_for(self, event: Event, request: SellersRequest, requested_by: dict) -> Job:
        """:raises JobFailed: if somebody has deleted something of it"""
        printout = SellersPrintout(event, request, Job(event=event))
        pk, batches = uuid4(), {plan.batch.pk: plan.batch for plan in printout.plans}
        look = {str(key): Look.of(batch).data for key, batch in batches.items()}
        with transaction.atomic():
            file = files.reserve(pk, printout.filename, printout.mime_type)
            # With its only batch, the job goes, too.
            batch = printout.plans[0].batch if len(batches) == 1 else None
            job = self.create(event, request, requested_by, batch, pk, file=file, look=look)
            PrintPart.objects.bulk_create(
                PrintPart(job=job, first=units[0], last=units[-1]) for units in printout.parts()
            )
        return job

    def work(self, job: Job) -> None:
        print_tickets(job, SellersPrintout.of(job))

    def amount(self, job: Job) -> int | None:
        bundles = job.request.get("bundles")
        return bundles and sum(len(parse_numbers(numbers)) for _seller, _batch, numbers in bundles)


class MakeData(MakeFile):
    """As for a print, but nothing is made in parts: rows take less time than pages."""

    identifier = "data"
    name = gettext_lazy("Make a data file")
    Request = DataOptions
    canceled = gettext_lazy("The data file will not be made.")
    too_late = gettext_lazy("It is too late to cancel this, the data file is being made.")
    entry = "data"
    history = ngettext_lazy(
        "A data file of %(amount)s ticket has been made.",
        "A data file of %(amount)s tickets has been made.",
        "amount",
    )

    @transaction.atomic
    def ask(self, batch: OfflineSalesBatch, options: DataOptions, requested_by: dict) -> Job:
        look = Look.of(batch, with_backgrounds=False)
        return self._create(batch, options, requested_by, options.suffix, options.mime_type, look)

    def work(self, job: Job) -> None:
        make_data_file(job)


PRINT, PRINT_FOR_SELLERS, MAKE_DATA = Print(), PrintForSellers(), MakeData()
KINDS.register(PRINT, PRINT_FOR_SELLERS, MAKE_DATA)
