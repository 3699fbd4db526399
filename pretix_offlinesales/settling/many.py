"""
Statements of many sellers that one job makes, one after the other, and all of them as a file.

Each is made for itself: what one seller is refused does not stop the others, and what is made stays made. The job's
``result`` says which sellers were dealt with, in their order, in the transaction that made the statement, so that
whoever goes on makes none twice. Nobody is called by name in it, nor in the job's message: sellers may be erased.
"""

import logging
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from pretix.base.models import Event, Organizer

from ..db.queries import unscoped
from ..documents import bundle
from ..host.prefetching import with_settings
from ..jobs import files
from ..jobs.interruptions import MAX_INTERRUPTIONS, is_interruption
from ..jobs.registry import KINDS, Kind, Stored, request_of
from ..jobs.runner import reason
from ..models import Document, Job, JobFailed, JobLost, OfflineSalesTicket, Seller
from ..models.activation import is_active
from ..sellers import statements
from ..sellers.statements import NothingToState
from .paying import state

logger = logging.getLogger(__name__)

ZIP = "application/zip"

#: What is more than a statement for each seller: making the file, as many statements.
OF_FILE = 1


@dataclass(frozen=True)
class ManyRequest(Stored):
    #: Their keys, in the order in which statements are made, and so numbered.
    sellers: Sequence[int]
    #: Their keys; of the first one is the job.
    events: Sequence[int]
    #: In ISO 8601.
    until: str
    #: A file for each statement, in a ZIP archive; or one for all.
    apart: bool = False

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.until)


@dataclass(frozen=True)
class Outcome(Stored):
    """What has become of the sellers so far, by their keys. They are dealt with in the order of the request."""

    #: Each with the key of the statement.
    made: Sequence[tuple[int, int]] = ()
    #: Who has nothing to be stated.
    nothing: Sequence[int] = ()
    #: Each with the reason, for people.
    refused: Sequence[tuple[int, str]] = ()
    #: Statements that could not be drawn.
    undrawn: Sequence[int] = ()
    #: The keys of jobs that pay what is settled by statements that give something back.
    settling: Sequence[str] = ()

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls.read(job.result)

    @property
    def next(self) -> int:
        """How many are dealt with."""
        return len(self.made) + len(self.nothing) + len(self.refused)


class StateAll(Kind):
    """
    Make a statement for each of some sellers, each in a transaction of its own, and then one file of all. If none can
    be made, the job fails.
    """

    identifier = "state_all"
    name = gettext_lazy("Make statements of many sellers")
    Request = ManyRequest
    canceled = gettext_lazy("The statements will not be made.")
    too_late = gettext_lazy("It is too late to cancel this, the statements are being made.")

    def ask_for(
        self,
        events: Sequence[Event],
        until: datetime,
        requested_by: dict,
        sellers: Collection[Seller] = (),
        apart: bool = False,
        pk: UUID | None = None,
    ) -> Job:
        """
        :param events: of one organizer, at least one, which use the plugin; the job is the first one's
        :param sellers: nobody is everybody who may have something to be stated
        """
        chosen = sorted(sellers or sellers_of(events), key=lambda seller: (seller.name, seller.pk))
        request = self.Request(
            sellers=[seller.pk for seller in chosen],
            events=[event.pk for event in events],
            until=until.isoformat(),
            apart=apart,
        )
        return self.create(events[0], request, requested_by, pk=pk)

    def work(self, job: Job) -> None:
        request = request_of(job)
        while (place := Outcome.of(job).next) < len(request.sellers):
            job.report(place, len(request.sellers) + OF_FILE)
            _state(job, request, request.sellers[place])
        if not self.is_committed(job):
            raise JobFailed(summed_up(job))
        _finish(job, request)

    def is_committed(self, job: Job) -> bool:
        return bool(job.result.get("made"))

    def amount(self, job: Job) -> int | None:
        return None

    def followers(self, job: Job) -> list[UUID]:
        return [UUID(pk) for pk in job.result.get("settling", ())]


STATE_ALL = StateAll()
KINDS.register(STATE_ALL)


def sellers_of(events: Collection[Event]) -> QuerySet[Seller]:
    """Who may have something to be stated: who holds tickets of these events, or was told that they owe some."""
    tickets = unscoped(OfflineSalesTicket.objects).filter(batch__event__in=events).order_by()
    holders, told = tickets.values("seller"), tickets.values("statement__seller")
    return unscoped(Seller.objects).filter(Q(pk__in=holders) | Q(pk__in=told))


def events_of(organizer: Organizer) -> QuerySet[Event]:
    """Of which somebody may have something to be stated; those that use the plugin."""
    tickets = unscoped(OfflineSalesTicket.objects).filter(batch__event__organizer=organizer).order_by()
    concerned = tickets.exclude(seller=None, statement=None).values("batch__event")
    return with_settings(organizer.events.filter(pk__in=concerned)).order_by("-date_from", "-pk")


def documents_of(job: Job) -> list[Document]:
    """The statements that it has made, in the order of their numbers."""
    keys = [pk for _seller, pk in Outcome.of(job).made]
    documents = unscoped(Document.objects).select_related("organizer", "source", "target", "statement")
    return list(documents.defer("snapshot", "terms").filter(pk__in=keys).order_by("number"))


def forget(seller: Seller) -> None:
    """Call this when a seller is erased: delete the files in which there is a statement of hers."""
    jobs = unscoped(Job.objects).filter(event__organizer=seller.organizer_id, kind=STATE_ALL.identifier)
    with_file = jobs.filter(file__isnull=False).select_related("file")
    hers = [job.file for job in with_file if any(key == seller.pk for key, _pk in job.result.get("made", ()))]
    transaction.on_commit(lambda: files.discard(hers))


def summed_up(job: Job) -> str:
    """What must be minded, for people; empty, if all were made that could be."""
    outcome, said = Outcome.of(job), []
    if refused := len(outcome.refused):
        text = ngettext("{amount} statement could not be made.", "{amount} statements could not be made.", refused)
        said.append(text.format(amount=refused))
    if undrawn := len(outcome.undrawn):
        text = ngettext("{amount} statement could not be drawn.", "{amount} statements could not be drawn.", undrawn)
        said.append(text.format(amount=undrawn))
    if not (outcome.made or outcome.refused):
        said.append(_("There is nothing to be stated: nothing has changed since the last statements."))
    return " ".join(said)


def _state(job: Job, request: ManyRequest, seller: int) -> None:
    """
    Make her statement, and remember what has become of her.

    :raises Exception: if it was interrupted, and the next attempt may succeed
    """
    before = job.result
    try:
        refusal = _refusal(job, request, seller)
    except NothingToState:
        job.result = before
        _remember(job, nothing=[*Outcome.of(job).nothing, seller])
        return
    except Exception as error:
        job.result = before
        if isinstance(error, JobLost) or is_interruption(error):
            raise
        logger.exception("Job %s could not make the statement of seller %s", job, seller)
        refusal = reason(error)
    if refusal:
        _remember(job, refused=[*Outcome.of(job).refused, (seller, refusal)])


def _refusal(job: Job, request: ManyRequest, seller: int) -> str:
    """
    Make it. Returns why it can't be made, empty if it is.

    :raises NothingToState: if it would be empty
    """
    if job.interruptions >= MAX_INTERRUPTIONS:
        return reason(None)
    found = unscoped(Seller.objects).filter(organizer=job.event.organizer_id, pk=seller).first()
    if not found:
        raise NothingToState  # deleted since, which is only possible if she never had anything
    # She has tickets in one currency only. Events that were deleted since have taken theirs along.
    events = list(with_settings(statements.events_of(found).filter(pk__in=request.events)))
    if not events:
        raise NothingToState
    if not all(map(is_active, events)):
        return _("The plugin has been switched off for an event in the meantime.")
    with transaction.atomic():
        statement, jobs = state(found, events, request.moment, job.requested_by)
        outcome = Outcome.of(job)
        settling = (*outcome.settling, *(str(each.pk) for each in jobs))
        _remember(job, made=[*outcome.made, (seller, statement.pk)], settling=settling)
    return ""


def _remember(job: Job, **values: object) -> None:
    job.commit_progress(result=Outcome(**(Outcome.of(job).data | values)).data)


def _finish(job: Job, request: ManyRequest) -> None:
    """
    What can't be drawn is told, and is not in the file. If that is interrupted again and again, there is none: each
    statement can be asked for by itself.
    """
    if job.interruptions >= MAX_INTERRUPTIONS:
        job.succeed(" ".join(filter(None, (summed_up(job), _("The file could not be made.")))))
        return
    drawn = [document for document in documents_of(job) if _is_drawn(job, document)]
    if not drawn:
        job.succeed(summed_up(job))
        return
    mime_type, suffix = (ZIP, "zip") if request.apart else (files.PDF, "pdf")
    name = f"{job.event.organizer.slug}-offlinesales-statements.{suffix}"
    with files.draft(name, mime_type, job.pk) as file, tempfile.TemporaryFile() as output:
        write = bundle.archive if request.apart else bundle.merge
        write(drawn, output)
        file.store(output)
        with transaction.atomic():
            job.succeed(summed_up(job), file=file.keep())


def _is_drawn(job: Job, document: Document) -> bool:
    """:raises Exception: if it was interrupted, and the next attempt may succeed"""
    if document.pk in Outcome.of(job).undrawn:
        return False
    try:
        bundle.content(document)
    except Exception as error:
        # What the storage has lost does not come back.
        if is_interruption(error) and not isinstance(error, FileNotFoundError):
            raise
        logger.exception("Job %s could not draw %s", job, document)
        _remember(job, undrawn=[*Outcome.of(job).undrawn, document.pk])
        return False
    return True
