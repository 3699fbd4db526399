"""Tickets come back: unsold, lost or damaged. Also, some get lost, shall be valid again, or need new paper."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import Count
from django.utils.timezone import now
from pretix.base.models import Event

from ..db.rows import sent
from ..host.errors import LockTimeoutException
from ..issuing.announce import refresh_quotas
from ..jobs.interruptions import MAX_INTERRUPTIONS, is_interruption
from ..models import Job, JobLost, OfflineSalesBatch, OfflineSalesTicket, ReturnKind
from ..tickets.lines import as_lines, from_file, read_lines, too_many
from ..tickets.reasons import BUSY, FAILED, OF_OTHER_BATCH, TEXTS as REASONS, UNKNOWN
from ..tickets.selection import Choice, Ticket, choose, find_elsewhere, named_by, settled
from . import lost, replace, undo
from .actions import UNDOABLE, Action, action_of, find
from .announce import announce
from .cancel import cancel
from .door import refuse_at_the_door
from .lost import BLOCK as LOST_BLOCK, unblock_split_off
from .orders import Orders, fetch
from .pace import Pace

__all__ = [
    "LOST_BLOCK",
    "OF_OTHER_BATCH",
    "REASONS",
    "UNDOABLE",
    "UNKNOWN",
    "Ticket",
    "as_lines",
    "examine",
    "find_elsewhere",
    "from_file",
    "named_by",
    "read_lines",
    "refuse_at_the_door",
    "replace_tickets",
    "report_lost",
    "request_data",
    "return_tickets",
    "too_many",
    "unblock_split_off",
    "undo_tickets",
]

logger = logging.getLogger(__name__)

#: How many tickets are dealt with in one transaction: as long as it takes, a scanner may have to wait for it.
CHUNK = 250

#: The most whose returns are undone in one transaction: quotas are counted once for all of them, which customers of the
#: shop wait for. Nobody is to be let in with them yet.
UNDO_CHUNK = 2_000

#: The keys of the log entries that were written, and the orders that turned out to be impossible, and why.
Outcome = tuple[list[int], dict[int, str]]

#: If so many tickets have failed and none was dealt with, it is not they that something is wrong with.
MAX_FAILED = 20

#: Seconds to wait before the next attempt, when somebody else is busy with one of the orders.
BACK_OFF = (0.1, 0.2, 0.5, 1, 2, 5)


def request_data(
    selection: dict,
    kind: str = ReturnKind.UNSOLD,
    dry_run: bool = False,
    job_kind: Job.Kind = Job.Kind.RETURN,
    of: str = Job.Kind.RETURN,
) -> dict:
    """
    What a job remembers of the request, and of what it has done: values for its fields ``selection`` and ``data``.

    :param selection: of ``selection.choose``
    :param kind: of a return
    :param job_kind: one of those in ``Job.DEALT_WITH``
    :param of: what is undone, one of ``UNDOABLE``
    """
    data = {
        **({"kind": kind} if job_kind == Job.Kind.RETURN else {}),
        **({"of": of} if job_kind == Job.Kind.UNDO else {}),
        "dry_run": dry_run,
        "done": [],  # the place of the last ticket that was looked at
        Job.DEALT_WITH[job_kind]: [],
        "skipped": [],
        "written": [],  # the log entries of the tickets that were dealt with last
        "announced": 0,
        "tries": 0,
    }
    return {"selection": selection, "data": data}


def return_tickets(job: Job) -> None:
    """Take back the tickets that the job's request names."""

    def take_back(orders: Orders, pks: list[int]) -> Outcome:
        return cancel(orders, pks, job.data["kind"], job.requester, moment=now()), {}

    _work_through(job, take_back, Pace.steady(CHUNK))


def undo_tickets(job: Job) -> None:
    """What was done by mistake, or is not so any more."""
    undo_these = {Job.Kind.RETURN: _undo_returns, Job.Kind.LOST: _undo_losses}
    undo_these[action_of(job).of](job)


def _undo_returns(job: Job) -> None:
    """Tickets that were returned by mistake become valid again."""
    pace = Pace(CHUNK, most=UNDO_CHUNK)

    def undo_return(orders: Orders, pks: list[int]) -> Outcome:
        return undo.reactivate(orders, pks, job.requester, now(), pace)

    _work_through(job, undo_return, pace)


def replace_tickets(job: Job) -> None:
    """Tickets whose paper is spoiled get new codes: number, order and price stay, the old paper is refused."""

    def renew(orders: Orders, pks: list[int]) -> Outcome:
        return replace.renew(orders, pks, job.requester), {}

    _work_through(job, renew, Pace.steady(CHUNK))


def report_lost(job: Job) -> None:
    """Tickets whose paper is lost or stolen are blocked: nobody is let in with them, and all else stays."""

    def block(orders: Orders, pks: list[int]) -> Outcome:
        return lost.block(orders, pks, job.requester, now()), {}

    _work_through(job, block, Pace.steady(CHUNK))


def _undo_losses(job: Job) -> None:
    """Tickets that were found again are free of our block."""

    def unblock(orders: Orders, pks: list[int]) -> Outcome:
        return lost.unblock(orders, pks, job.requester, now()), {}

    _work_through(job, unblock, Pace.steady(CHUNK))


def _work_through(job: Job, deal_with: Callable[[Orders, list[int]], Outcome], pace: Pace) -> None:
    """
    Choose the tickets, deal with those that can be dealt with, tell everybody.

    That is done chunk by chunk. Each is a transaction of its own, in which the job remembers how far it is and what
    has become of each ticket: whatever happens, a ticket is dealt with once, and an interrupted job goes on. What is
    chosen is settled before: codes on paper that has been dealt with may mean nothing when they are looked up again.

    :param deal_with: gets locked orders, and the keys of those that are not refused
    """
    announce(job)
    action = action_of(job)
    choices = choose(job.event, job.batch, job.selection, action.candidates, action.dead)
    _settle(job, choices)
    tickets = [choice for choice in choices if choice.ticket]
    todo = [choice for choice in tickets if choice.place > job.data["done"]]
    suspicious = job.interruptions >= MAX_INTERRUPTIONS
    while todo:
        chunk, todo = todo[: pace.size], todo[pace.size :]
        while todo and todo[0].place == chunk[-1].place:  # named twice: by its code, and by one that it had before
            chunk.append(todo.pop(0))
        if job.data["dry_run"]:
            _remember(job, chunk, _refusals(fetch(job.event, _order_ids(chunk)), chunk, action))
        else:
            _deal_with_all(job, chunk, deal_with, suspicious)
            announce(job)
        job.report(len(tickets) - len(todo), len(tickets))
    _finish(job, unknown=[choice for choice in choices if not choice.ticket])


def _settle(job: Job, choices: list[Choice]) -> None:
    selection = settled(job.selection, choices)
    if selection != job.selection:
        with transaction.atomic():
            job.update(selection=sent(selection))
        job.selection = selection


def _deal_with_all(job: Job, chunk: list[Choice], deal_with, suspicious: bool) -> None:
    """
    If something is wrong with a ticket, that does not hold up the others: the chunk is halved until it is found, and
    skipped.

    :param suspicious: it has come to nothing so often that the tickets may be what is wrong, and not what went away
    """
    try:
        _deal_with(job, chunk, deal_with)
    except JobLost:
        raise
    except Exception as error:
        if is_interruption(error) and not suspicious:
            raise
        half = next((n for n in range(len(chunk) // 2, len(chunk)) if chunk[n].place != chunk[n - 1].place), 0)
        if half:
            _deal_with_all(job, chunk[:half], deal_with, suspicious)
            _deal_with_all(job, chunk[half:], deal_with, suspicious)
        elif _is_all_wrong(job, error):
            raise
        else:
            logger.exception("Ticket %s could not be dealt with by job %s", chunk[0].ticket.code, job)
            _try_to_deal_with(job, chunk, _fail)
            if is_interruption(error) and job.interruptions:
                raise  # nothing has worked since, so others may not, either: one ticket an attempt


def _is_all_wrong(job: Job, error: Exception) -> bool:
    """
    Is it not the ticket? If something may have gone away, the ticket is at fault only if others were dealt with since,
    or if that lasts very long. Else, it is not if many have failed, and none was dealt with.
    """
    if is_interruption(error):
        return 0 < job.interruptions < 2 * MAX_INTERRUPTIONS
    failed = sum(line["reason"] == FAILED for line in job.data["skipped"])
    return failed >= MAX_FAILED and not job.data[job.dealt_with]


def _deal_with(job: Job, chunk: list[Choice], deal_with) -> None:
    for seconds in BACK_OFF:
        try:
            return _try_to_deal_with(job, chunk, deal_with)
        except (OperationalError, LockTimeoutException):
            logger.info("Somebody is busy with what job %s needs, which has to wait", job, exc_info=True)
        time.sleep(seconds)
    try:
        _try_to_deal_with(job, chunk, deal_with)
    except LockTimeoutException:
        _try_to_deal_with(job, chunk, _leave_alone)


def _try_to_deal_with(job: Job, chunk: list[Choice], deal_with) -> None:
    before = job.data
    try:
        with transaction.atomic():
            orders = fetch(job.event, _order_ids(chunk), lock=True)
            refusals = _refusals(orders, chunk, action_of(job))
            accepted = [pk for pk in _order_ids(chunk) if pk not in refusals]
            written, impossible = deal_with(orders, accepted) if accepted else ([], {})
            _remember(job, chunk, refusals | impossible, written)
            job.check_lock()
    except BaseException:
        job.data = before
        raise


def _leave_alone(orders: Orders, pks: list[int]) -> Outcome:
    """Others hold the quotas, and go on to."""
    return [], dict.fromkeys(pks, BUSY)


def _fail(orders: Orders, pks: list[int]) -> Outcome:
    """Nobody knows why."""
    return [], dict.fromkeys(pks, FAILED)


def _order_ids(chunk):
    return [choice.ticket.order_id for choice in chunk if not choice.reason]


def _refusals(orders: Orders, chunk: list[Choice], action: Action) -> dict[int, str]:
    reasons = {pk: action.refusal(orders, pk) for pk in _order_ids(chunk)}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _remember(job: Job, chunk: list[Choice], refusals: dict[int, str], written: Sequence[int] = ()) -> None:
    """Let the job remember what has become of each ticket."""
    done, skipped = [], []
    for choice in chunk:
        if reason := choice.reason or refusals.get(choice.ticket.order_id):
            skipped.append(choice.skipped_for(reason))
        else:
            done.append(choice.ticket.code)
    data = job.data
    write = job.progress_is_committed if done else job.update
    write(
        data=data
        | {
            "done": chunk[-1].place,
            job.dealt_with: data[job.dealt_with] + done,
            "skipped": data["skipped"] + skipped,
            "written": written,
        },
    )


def _finish(job: Job, unknown: list[Choice]) -> None:
    data = job.data | {"skipped": job.data["skipped"] + [choice.skipped_for(choice.reason) for choice in unknown]}
    with transaction.atomic():
        job.update(data=data)
        _write_down(job)
        job.succeed()


def _write_down(job: Job) -> None:
    """Say in the history of each batch how many of its tickets the job has dealt with."""
    batches = [] if job.data["dry_run"] else _count_by_batch(job.event, job.data[job.dealt_with])
    for batch in batches:
        data = {"amount": batch.amount_now, "job": str(job.pk)}
        if job.kind == Job.Kind.RETURN:
            data["kind"] = job.data["kind"]
        job.write_down(batch, f"pretix_offlinesales.batch.{action_of(job).entry}", data)
        transaction.on_commit(partial(refresh_quotas, batch))


def _count_by_batch(event: Event, codes: list[str]) -> list[OfflineSalesBatch]:
    tickets = OfflineSalesTicket.objects.filter(batch__event=event, order__code__in=codes).order_by()
    counts = {row["batch"]: row["amount"] for row in tickets.values("batch").annotate(amount=Count("pk"))}
    batches = list(OfflineSalesBatch.objects.filter(pk__in=counts))
    for batch in batches:
        batch.event, batch.amount_now = event, counts[batch.pk]
    return batches


def examine(
    event: Event, batch: OfflineSalesBatch | None, selection: dict, kind: Job.Kind, of: str = Job.Kind.RETURN
) -> Iterator[tuple[Choice, str]]:
    """
    What would become of each of the chosen tickets: why it would be skipped, or nothing. Changes nothing.

    :param kind: of a job
    :param of: what it undoes, if it does
    """
    action = find(kind, of)
    choices = choose(event, batch, selection, action.candidates, action.dead)
    once = list({choice.ticket: choice for choice in choices if not choice.reason}.values())
    refusals = {}
    for start in range(0, len(once), CHUNK):
        chunk = once[start : start + CHUNK]
        refusals |= _refusals(fetch(event, _order_ids(chunk)), chunk, action)
    for choice in choices:
        yield choice, choice.reason or refusals.get(choice.ticket.order_id, "")
