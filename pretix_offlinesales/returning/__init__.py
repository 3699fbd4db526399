"""Tickets come back: unsold, lost or damaged. Also, some of them shall be valid again, or need new paper."""

import logging
import time
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import Count
from django.utils.timezone import now
from pretix.base.models import Event

from ..issuing.announce import refresh_quotas
from ..models import Job, OfflineSalesBatch, OfflineSalesTicket, ReturnKind
from .announce import announce
from .cancel import cancel
from .door import refuse_returned
from .orders import fetch
from .replace import replace
from .selection import Choice, choose
from .undo import undo

__all__ = ["refuse_returned", "replace", "request_data", "return_tickets", "undo", "write_down"]

logger = logging.getLogger(__name__)

#: How many tickets are taken back in one transaction: as long as it takes, a scanner may have to wait for it.
CHUNK = 250

#: Seconds to wait before the next attempt, when somebody else is busy with one of the orders.
BACK_OFF = (0.1, 0.2, 0.5, 1, 2, 5)


def request_data(selection: dict, kind: str = ReturnKind.UNSOLD, dry_run: bool = False) -> dict:
    """
    What a job remembers of the request, and of what it has done.

    :param selection: of ``selection.choose``
    """
    return {
        "selection": selection,
        "kind": kind,
        "dry_run": dry_run,
        "done": [],  # the place of the last ticket that was looked at
        "returned": [],
        "skipped": [],
        "announced": 0,
        "tries": 0,
    }


def return_tickets(job: Job) -> None:
    """
    Take back the tickets that the job's request names: choose them, cancel those that can be, tell everybody.

    That is done chunk by chunk. Each is a transaction of its own, in which the job remembers how far it is and what
    has become of each ticket: whatever happens, a ticket is returned once, and an interrupted job goes on.
    """
    announce(job)
    choices = choose(job.event, job.batch, job.data["selection"])
    tickets = [choice for choice in choices if choice.ticket]
    todo = [choice for choice in tickets if choice.place > job.data["done"]]
    while todo:
        chunk, todo = todo[:CHUNK], todo[CHUNK:]
        if job.data["dry_run"]:
            _examine(job, chunk)
        else:
            _take_back(job, chunk)
            announce(job)
        job.report(len(tickets) - len(todo), len(tickets))
    _finish(job, unknown=[choice for choice in choices if not choice.ticket])


def _take_back(job: Job, chunk: list[Choice]) -> None:
    before = job.data
    for seconds in (*BACK_OFF, None):
        try:
            with transaction.atomic():
                orders = fetch(job.event, _order_ids(chunk), lock=True)
                accepted = _judge(job, orders, chunk)
                if accepted:
                    cancel(orders, accepted, job.data["kind"], job.requester, moment=now())
                job.check_lock()
            return
        except BaseException as error:
            job.data = before
            if seconds is None or not isinstance(error, OperationalError):
                raise
            logger.info("Somebody is busy with an order of job %s, which has to wait", job, exc_info=True)
        time.sleep(seconds)


def _examine(job: Job, chunk: list[Choice]) -> None:
    _judge(job, fetch(job.event, _order_ids(chunk)), chunk)


def _order_ids(chunk):
    return [choice.ticket.order_id for choice in chunk if not choice.reason]


def _judge(job: Job, orders, chunk: list[Choice]) -> list[int]:
    """Let the job remember what becomes of each ticket. Returns the keys of the orders that can be canceled."""
    accepted, returned, skipped = [], [], []
    for choice in chunk:
        ticket = choice.ticket
        if reason := choice.reason or orders.refusal(ticket.order_id):
            skipped.append(choice.skipped_for(reason))
        else:
            accepted.append(ticket.order_id)
            returned.append(ticket.code)
    data = job.data
    job.update(
        data=data
        | {
            "done": chunk[-1].place,
            "returned": data["returned"] + returned,
            "skipped": data["skipped"] + skipped,
        },
        heartbeat=now(),
    )
    return accepted


def _finish(job: Job, unknown: list[Choice]) -> None:
    data = job.data | {"skipped": job.data["skipped"] + [choice.skipped_for(choice.reason) for choice in unknown]}
    with transaction.atomic():
        write_down(job)
        job.update(data=data)
        job.succeed()


def write_down(job: Job) -> int:
    """
    Say in the history of each batch how many of its tickets the job has returned, at its end or when it is given up.
    Returns how many these are in all.
    """
    batches = [] if job.data["dry_run"] else _count_by_batch(job.event, job.data["returned"])
    for batch in batches:
        returned = {"amount": batch.returned_now, "kind": job.data["kind"]}
        batch.log_action("pretix_offlinesales.batch.returned", returned, **job.requester)
        transaction.on_commit(partial(refresh_quotas, batch))
    return sum(batch.returned_now for batch in batches)


def _count_by_batch(event: Event, codes: list[str]) -> list[OfflineSalesBatch]:
    returned = OfflineSalesTicket.objects.filter(batch__event=event, order__code__in=codes).order_by()
    counts = {row["batch"]: row["amount"] for row in returned.values("batch").annotate(amount=Count("pk"))}
    batches = list(OfflineSalesBatch.objects.filter(pk__in=counts))
    for batch in batches:
        batch.event, batch.returned_now = event, counts[batch.pk]
    return batches
