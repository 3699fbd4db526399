"""
Prints what sellers hold: a PDF for each of them, with the tickets of all batches, a cover sheet before those of each.
Each ticket looks as in a print of its batch, on pages of its own.
"""

import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import BinaryIO, NamedTuple, Self

import pikepdf
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from pretix.base.models import Event

from ..db.queries import planned_plainly, unscoped
from ..documents.cover_sheet import Cover, CoverSheet
from ..jobs import files
from ..jobs.registry import Stored, request_of
from ..models import Document, Job, JobFailed, OfflineSalesBatch, OfflineSalesTicket, PrintPart, Seller
from ..tickets.numbers import format_numbers
from ..tickets.state import with_state
from .choice import PRINTABLE, Only, nothing_to_print
from .layers import switch_off_layers
from .look import settled_by_batch
from .parts import write_pdf
from .plan import Plan
from .printout import Printout
from .request import PrintRequest
from .tickets import Printed

ZIP = "application/zip"


class Bundle(NamedTuple):
    """Tickets of one batch for one seller, both by key."""

    seller: int
    batch: int
    #: As people write them.
    numbers: str


@dataclass(frozen=True)
class SellersRequest(Stored):
    #: As ``Bundle``, by seller and batch.
    bundles: Sequence[Sequence]

    @classmethod
    def of(
        cls,
        event: Event,
        sellers: Collection[Seller],
        only: Only | None = None,
        document: Document | None = None,
    ) -> Self:
        """
        What these sellers hold of an event. Tickets that are canceled or lost are not printed.

        :param only: one of ``choice.Only``
        :param document: then only what they have been handed over by it
        :raises ValidationError: if there is nothing to print
        """
        tickets = OfflineSalesTicket.objects.filter(batch__event=event, seller__in=sellers, lost=None)
        if document:
            tickets = tickets.filter(document=document)
        found = defaultdict(list)
        with planned_plainly():
            left = with_state(tickets).filter(PRINTABLE[only])
            order = ("seller__name", "seller", "batch", "number")
            for seller, batch, number in left.order_by(*order).values_list("seller", "batch", "number"):
                found[seller, batch].append(number)
        if not found:
            raise ValidationError(nothing_to_print(chosen=True))
        return cls(tuple(Bundle(*key, format_numbers(numbers)) for key, numbers in found.items()))

    @property
    def sellers(self) -> list[int]:
        return list(dict.fromkeys(seller for seller, _batch, _numbers in self.bundles))


class SellersPrintout(Printout):
    def __init__(self, event: Event, request: SellersRequest, job: Job):
        """:raises JobFailed: if one of the batches or sellers is not there any more"""
        self.event = event
        self.bundles = [Bundle(*each) for each in request.bundles]
        rows = unscoped(OfflineSalesBatch.objects).select_related("item", "variation", "subevent", "layout")
        batches = rows.in_bulk({bundle.batch for bundle in self.bundles})
        self.sellers = unscoped(Seller.objects).in_bulk(request.sellers)
        if not all(bundle.batch in batches and bundle.seller in self.sellers for bundle in self.bundles):
            raise JobFailed(_("Some of these tickets or sellers have been deleted."))
        for batch in batches.values():
            batch.event = event
        super().__init__(job, [Plan(batches[each.batch], PrintRequest(each.numbers)) for each in self.bundles])

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(job.event, request_of(job), job)

    def settle(self) -> None:
        numbers: dict[OfflineSalesBatch, list[int]] = defaultdict(list)
        for plan in self.plans:
            numbers[plan.batch] += plan.numbers
        looks = settled_by_batch(self.job, numbers)
        for plan in self.plans:
            plan.look = looks[plan.batch.pk]

    @property
    def filename(self) -> str:
        name = next(iter(self.sellers.values())).name if len(self.sellers) == 1 else "sellers"
        suffix = "pdf" if len(self.sellers) == 1 else "zip"
        return f"{self.event.slug}-offlinesales-{slugify(name) or 'seller'}.{suffix}"

    @property
    def mime_type(self) -> str:  # type: ignore[override]
        return files.PDF if len(self.sellers) == 1 else ZIP

    def merge(self, contents: Mapping[PrintPart, BinaryIO], output: BinaryIO) -> None:
        of_plans: dict[int, list[tuple[PrintPart, BinaryIO]]] = {id(plan): [] for plan in self.plans}
        for part, content in contents.items():
            of_plans[id(self.units_of(part)[0])].append((part, content))
        by_seller = groupby(zip(self.bundles, self.plans, strict=True), key=lambda each: each[0].seller)
        found = False
        with ExitStack() as opened:
            archive = opened.enter_context(zipfile.ZipFile(output, "w")) if self.mime_type == ZIP else None
            for seller, bundles in by_seller:
                with tempfile.TemporaryFile() as pdf:
                    mine = [(plan, of_plans[id(plan)]) for _bundle, plan in bundles]
                    if not self._write(self.sellers[seller], mine, pdf if archive else output):
                        continue
                    found = True
                    if archive:
                        pdf.seek(0)
                        archive.writestr(self._name(self.sellers[seller]), pdf.read())
        if not found:
            raise JobFailed(nothing_to_print(chosen=True))

    def _name(self, seller: Seller) -> str:
        """In the archive. Names may be alike."""
        return f"{slugify(seller.name) or 'seller'}-{seller.pk}.pdf"

    def _write(self, seller: Seller, bundles: list, output: BinaryIO) -> bool:
        """One seller's PDF; returns whether there is any ticket on it."""
        with ExitStack() as opened, pikepdf.new() as pdf:
            first_pages, labels = [], []
            for plan, parts in bundles:
                file = opened.enter_context(tempfile.TemporaryFile())
                if not write_pdf(plan, [content for _part, content in parts], file):
                    continue
                numbers = sorted({Printed(*each).number for part, _content in parts for each in part.printed})
                cover = opened.enter_context(pikepdf.open(BytesIO(self._cover(seller, plan, numbers))))
                tickets = opened.enter_context(pikepdf.open(file))
                first_pages.append((str(plan.batch), len(pdf.pages)))
                labels += [len(pdf.pages), pikepdf.Dictionary(P=pikepdf.String(str(plan.batch)))]
                pdf.pages.extend(cover.pages)
                of_tickets = iter(tickets.Root.PageLabels.Nums)
                for index, label in zip(of_tickets, of_tickets, strict=True):
                    labels += [len(pdf.pages) + int(index), pikepdf.Dictionary(P=label.P)]
                pdf.pages.extend(tickets.pages)
            if not first_pages:
                return False
            with pdf.open_outline() as outline:
                outline.root.extend(pikepdf.OutlineItem(title, page, "Fit") for title, page in first_pages)
            pdf.Root.PageLabels = pikepdf.Dictionary(Nums=labels)
            with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
                metadata["dc:title"] = f"{self.event.name}: {seller.name}"
            switch_off_layers(pdf)
            pdf.save(output)
        return True

    def _cover(self, seller: Seller, plan: Plan, numbers: Sequence[int]) -> bytes:
        tickets = plan.batch.tickets.filter(number__in=numbers, seller=seller)
        documents = Document.objects.filter(pk__in=tickets.order_by().values("document")).order_by("pk")
        return CoverSheet(self.event, Cover(seller, plan.batch, numbers, list(documents))).drawn()
