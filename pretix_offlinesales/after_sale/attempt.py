"""
One attempt at a job about tickets that exist: choose the tickets, deal with those that can be dealt with, tell all.

That is done chunk by chunk. Each is a transaction of its own, in which the job remembers how far it is and what has
become of each ticket: whatever happens, a ticket is dealt with once, and an interrupted job goes on. What is chosen is
settled before: codes on paper that has been dealt with may mean nothing when they are looked up again.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from django.db import OperationalError, transaction
from django.db.models import Count
from pretix.base.models import Event

from ..db.queries import planned_plainly
from ..db.rows import sent
from ..host.errors import LockTimeoutException
from ..jobs.announcing import refresh_quotas
from ..jobs.interruptions import MAX_INTERRUPTIONS, is_interruption
from ..jobs.patience import with_patience
from ..jobs.registry import checkpoint, checkpoint_of, request_of
from ..models import Job, JobLost, JobStep, OfflineSalesBatch, OfflineSalesTicket
from ..tickets.reasons import BUSY, FAILED, HELD_ELSEWHERE
from ..tickets.selection import Choice, Selection, choose, settled
from .announce import announce
from .orders import Orders, fetch

if TYPE_CHECKING:
    from .kind import AfterSale, Outcome

logger = logging.getLogger(__name__)

#: If so many tickets have failed and none was dealt with, it is not they that something is wrong with.
MAX_FAILED = 20

#: Seconds to wait before the next attempt, when somebody else is busy with one of the orders.
BACK_OFF = (0.1, 0.2, 0.5, 1, 2, 5)

#: Gets locked orders, and the keys of those that are not refused.
DealWith = Callable[[Orders, list[int]], "Outcome"]


class Attempt:
    def __init__(self, kind: "AfterSale", job: Job):
        self._kind, self._job = kind, job
        self._request = request_of(job)
        self._pace = kind.pace()
        #: It has come to nothing so often that the tickets may be what is wrong, and not what went away.
        self._suspicious = job.interruptions >= MAX_INTERRUPTIONS
        #: The codes of the orders that were dealt with, one after the other, each with the step in which that was done.
        self._done = {code: step.pk for step in job.steps.all() for code in step.done}

    def work(self) -> None:
        self._announce()
        choices = self._choose()
        tickets = [choice for choice in choices if choice.ticket]
        last = list(checkpoint_of(self._job).place)
        todo = [choice for choice in tickets if choice.place > last]
        while todo:
            chunk, todo = todo[: self._pace.size], todo[self._pace.size :]
            while todo and todo[0].place == chunk[-1].place:  # named twice: by its code, and by one that it had before
                chunk.append(todo.pop(0))
            if self._request.dry_run:
                self._only_look(chunk)
            else:
                self._deal_with_all(chunk)
                self._announce()
            self._job.report(len(tickets) - len(todo), len(tickets))
        self._finish(unknown=[choice for choice in choices if not choice.ticket])

    def _announce(self) -> None:
        announce(self._kind, self._job, self._done)

    def _choose(self) -> list[Choice]:
        job, kind = self._job, self._kind
        asked = Selection.from_json(cast(dict, job.selection))
        choices = choose(job.event, job.batch, asked, kind.candidates, kind.dead)
        selection = settled(asked, choices)
        if selection != asked:
            with transaction.atomic():
                job.update(selection=sent(selection.data))
            job.selection = selection.data
        return choices

    @planned_plainly()
    def _only_look(self, chunk: list[Choice]) -> None:
        self._remember(chunk, self._refusals(fetch(self._job.event, order_ids(chunk)), chunk))

    def _refusals(self, orders: Orders, chunk: list[Choice]) -> dict[int, str]:
        return refusals(self._kind, orders, chunk, self._request.sellers)

    def _deal_with_all(self, chunk: list[Choice]) -> None:
        """
        If something is wrong with a ticket, that does not hold up the others: the chunk is halved until it is found,
        and skipped.
        """
        try:
            self._deal_with(chunk)
        except JobLost:
            raise
        except Exception as error:
            if is_interruption(error) and not self._suspicious:
                raise
            half = next((n for n in range(len(chunk) // 2, len(chunk)) if chunk[n].place != chunk[n - 1].place), 0)
            if half:
                self._deal_with_all(chunk[:half])
                self._deal_with_all(chunk[half:])
            elif self._is_all_wrong(error):
                raise
            else:
                logger.exception("Ticket %s could not be dealt with by job %s", chunk[0].code, self._job)
                self._try_to_deal_with(chunk, _fail)
                if is_interruption(error) and self._job.interruptions:
                    raise  # nothing has worked since, so others may not, either: one ticket an attempt

    def _is_all_wrong(self, error: Exception) -> bool:
        """
        Is it not the ticket? If something may have gone away, the ticket is at fault only if others were dealt with
        since, or if that lasts very long. Else, it is not if many have failed, and none was dealt with.
        """
        if is_interruption(error):
            return 0 < self._job.interruptions < 2 * MAX_INTERRUPTIONS
        failed = sum(line["reason"] == FAILED for step in self._job.steps.all() for line in step.skipped)
        return failed >= MAX_FAILED and not self._done

    def _deal_with(self, chunk: list[Choice]) -> None:
        def deal_with(orders: Orders, pks: list[int]) -> "Outcome":
            return self._kind.deal_with(self._job, orders, pks, self._pace)

        busy = (OperationalError, LockTimeoutException)
        try:
            with_patience(self._job, partial(self._try_to_deal_with, chunk, deal_with), busy, BACK_OFF)
        except LockTimeoutException:
            self._try_to_deal_with(chunk, _leave_alone)

    def _try_to_deal_with(self, chunk: list[Choice], deal_with: DealWith) -> None:
        before = self._job.checkpoint
        try:
            with planned_plainly():
                orders = fetch(self._job.event, order_ids(chunk), lock=True)
                refused = self._refusals(orders, chunk)
                accepted = [pk for pk in order_ids(chunk) if pk not in refused]
                written, impossible = deal_with(orders, accepted) if accepted else ([], {})
                done = self._remember(chunk, refused | impossible, written)
                self._job.check_lock()
        except BaseException:
            self._job.checkpoint = before
            raise
        self._done |= done

    def _remember(self, chunk: list[Choice], refused: dict[int, str], written: Sequence[int] = ()) -> dict[str, int]:
        """Let the job remember what has become of each ticket. Returns what is new of ``_done``."""
        job, done, skipped = self._job, [], []
        for choice in chunk:
            if reason := choice.refusal(refused):
                skipped.append(choice.skipped_for(reason))
            elif choice.ticket:
                done.append(choice.ticket.code)
        step = JobStep.objects.create(job=job, done=done, skipped=skipped, log_entries=list(written))
        amount = checkpoint_of(job).amount + len(done)
        write = job.commit_progress if done else job.update
        write(checkpoint=checkpoint(job, place=chunk[-1].place, amount=amount))
        return dict.fromkeys(done, step.pk)

    def _finish(self, unknown: list[Choice]) -> None:
        with planned_plainly():
            if unknown:
                skipped = [choice.skipped_for(choice.reason) for choice in unknown]
                JobStep.objects.create(job=self._job, skipped=skipped)
            if not self._request.dry_run:
                self._log()
            self._job.succeed()

    def _log(self) -> None:
        """Say in the history of each batch how many of its tickets the job has dealt with."""
        job = self._job
        for batch, amount in _count_by_batch(job.event, self._done):
            data = {"amount": amount, "job": str(job.pk), **self._kind.entry_data(job)}
            job.log(batch, self._kind.action, data)
            if self._kind.changes_orders:
                transaction.on_commit(partial(refresh_quotas, batch))


def _leave_alone(orders: Orders, pks: list[int]) -> "Outcome":
    """Others hold the quotas, and go on to."""
    return [], dict.fromkeys(pks, BUSY)


def _fail(orders: Orders, pks: list[int]) -> "Outcome":
    """Nobody knows why."""
    return [], dict.fromkeys(pks, FAILED)


def order_ids(chunk: Sequence[Choice]) -> list[int]:
    """Of the tickets that are not refused already."""
    return [choice.ticket.order_id for choice in chunk if choice.ticket and not choice.reason]


def refusals(
    kind: "AfterSale", orders: Orders, chunk: Sequence[Choice], sellers: Collection[int] = ()
) -> dict[int, str]:
    """
    By order, why it is left alone.

    :param sellers: as in ``AfterSaleRequest``
    """
    reasons = {pk: kind.refusal(orders, pk) for pk in order_ids(chunk)}
    if sellers:
        elsewhere = [pk for pk in orders.orders if orders.sellers.get(pk) not in sellers]
        reasons |= {pk: reasons[pk] or HELD_ELSEWHERE for pk in elsewhere}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _count_by_batch(event: Event, codes: Iterable[str]) -> list[tuple[OfflineSalesBatch, int]]:
    tickets = OfflineSalesTicket.objects.filter(batch__event=event, order__code__in=codes).order_by()
    counts = {row["batch"]: row["amount"] for row in tickets.values("batch").annotate(amount=Count("pk"))}
    batches = list(OfflineSalesBatch.objects.filter(pk__in=counts))
    for batch in batches:
        batch.event = event
    return [(batch, counts[batch.pk]) for batch in batches]
