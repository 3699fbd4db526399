"""
Several batches that one job makes, one after the other: what was asked for, how far it is, and what has become of each.

The job's ``result`` says what was made and what could not be, its checkpoint which of them others are being told of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import ngettext
from pretix.base.i18n import language
from pretix.base.models import Item, ItemVariation, Organizer

from ..jobs.registry import Checkpoint, Stored, checkpoint_of, request_of
from ..models import Job, OfflineSalesBatch, Seller, join_names
from .making import Making
from .request import IssueRequest

#: What jobs that make several are called.
KIND = "issue_several"

#: How many batches one job may make.
MAX_SEVERAL = 500

#: Of how many batches the job's message says why they were not made.
MAX_NAMED = 10


@dataclass(frozen=True)
class SeveralRequest(Stored):
    #: Each as in ``IssueRequest``.
    batches: Sequence[dict] = ()


@dataclass(frozen=True)
class SeveralCheckpoint(Checkpoint):
    #: The key of the batch that others are being told of; ``announced`` and the like are about its tickets.
    batch: int | None = None


@dataclass(frozen=True)
class Outcome(Stored):
    """What has become of the batches so far. They are counted from 0, in the order in which they were asked for."""

    #: Each with its key.
    made: Sequence[tuple[int, int]] = ()
    #: Each with the reason, for people.
    refused: Sequence[tuple[int, str]] = ()

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls.read(job.result)

    @property
    def next(self) -> int:
        """The one that is to be made next."""
        return len(self.made) + len(self.refused)


class OneOfSeveral(Making):
    """One of the batches that a job makes, and how the job remembers it."""

    def __init__(self, job: Job, requests: Sequence[IssueRequest], index: int, batch: OfflineSalesBatch | None = None):
        super().__init__(job)
        self._requests, self._index, self._batch = requests, index, batch
        self._before = {name: getattr(job, name) for name in ("result", "checkpoint", "pending_webhooks")}

    @property
    def request(self) -> IssueRequest:
        return self._requests[self._index]

    @property
    def batch(self) -> OfflineSalesBatch | None:
        return self._batch

    def remember(self, batch: OfflineSalesBatch) -> None:
        outcome = Outcome.of(self.job)
        made = Outcome([*outcome.made, (self._index, batch.pk)], outcome.refused)
        self.job.commit_progress(result=made.data, checkpoint=SeveralCheckpoint(batch=batch.pk).data)
        self._batch = batch

    def forget(self) -> None:
        self._batch = None
        for name, value in self._before.items():
            setattr(self.job, name, value)

    def refuse(self, reason: str) -> None:
        """It could not be made."""
        outcome = Outcome.of(self.job)
        refused = Outcome(outcome.made, [*outcome.refused, (self._index, reason)])
        self.job.commit_progress(result=refused.data, checkpoint={})

    def done(self) -> None:
        """Everybody knows it. Call this in the transaction that completes it."""
        self.job.commit_progress(checkpoint={})

    def report(self, done: int, total: int) -> None:
        amounts = [request.amount for request in self._requests]
        before = sum(amounts[: self._index])
        self.job.report(before * total + done * self.request.amount, sum(amounts) * total)


def requests_of(job: Job) -> list[IssueRequest]:
    return [IssueRequest.read(each) for each in request_of(job).batches]


def going_on(job: Job, requests: Sequence[IssueRequest]) -> OneOfSeveral | None:
    """The batch that others are to be told of, or else the next one that is to be made; none, if all are done."""
    outcome = Outcome.of(job)
    if told_of := checkpoint_of(job).batch:
        batch = OfflineSalesBatch.objects.filter(event=job.event, pk=told_of).first()
        if batch:  # else it was deleted meanwhile, and nobody needs to hear of it
            batch.event = job.event
            index = next(index for index, pk in outcome.made if pk == told_of)
            return OneOfSeveral(job, requests, index, batch)
    return OneOfSeveral(job, requests, outcome.next) if outcome.next < len(requests) else None


def refusals(job: Job, requests: Sequence[IssueRequest]) -> str:
    """Which could not be made, and why, for people; empty, if all were."""
    refused = Outcome.of(job).refused
    if not refused:
        return ""
    names = names_of(job, [requests[index] for index, _reason in refused[:MAX_NAMED]])
    lines = [f"{name}: {reason}" for name, (_index, reason) in zip(names, refused, strict=False)]
    more = ["…"] if refused[MAX_NAMED:] else []
    text = ngettext(
        "{amount} batch could not be issued: {reasons}", "{amount} batches could not be issued: {reasons}", len(refused)
    )
    return text.format(amount=len(refused), reasons=" · ".join(lines + more))


def forget(organizer: Organizer, seller: int) -> None:
    """
    Where it was told that a batch for this seller could not be made, say it without the name: call this when she was
    erased or deleted.

    :param seller: her key
    """
    over = Job.objects.filter(event__organizer=organizer, kind=KIND, finished__isnull=False).exclude(message="")
    for job in over:
        if any(each.get("seller_id") == seller for each in job.request.get("batches", ())) and Outcome.of(job).refused:
            with language(job.locale):
                job.row.update(message=refusals(job, requests_of(job)))


def summed_up(job: Job) -> OfflineSalesBatch:
    """What is asked for, as if it was one batch, of what is known of every row."""
    asked = job.request.get("batches") or [{}]
    values = {name: asked[0][name] for name in ("testmode", "consignment", "comment") if name in asked[0]}
    return OfflineSalesBatch(event=job.event, amount=sum(each.get("amount", 0) for each in asked), **values)


def names_of(job: Job, requests: Sequence[IssueRequest]) -> list[str]:
    """``50 × Ticket – Reduced, Kiosk``, each, in a constant number of queries. What is gone has no name any more."""
    items = Item.objects.in_bulk({request.item_id for request in requests})
    variations = ItemVariation.objects.in_bulk({request.variation_id for request in requests} - {None})
    sellers = Seller.objects.in_bulk({request.seller_id for request in requests} - {None})

    def name(request: IssueRequest) -> str:
        product = join_names(items.get(request.item_id), _found(variations, request.variation_id))
        parts = [f"{request.amount} × {product}", _found(sellers, request.seller_id)]
        return ", ".join(str(part) for part in parts if part)

    return [name(request) for request in requests]


def _found(rows: Mapping[int, object], key: int | None) -> object | None:
    return rows.get(key) if key else None
