"""
Tell the rest of pretix about a batch's orders, as if each had been sold alone: other plugins rely on it. Some of them,
and the host itself for gift cards, even change the ticket's secret here, so a batch is complete only afterwards.
"""

import logging
from contextlib import contextmanager

from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Prefetch, QuerySet, prefetch_related_objects
from django.utils.timezone import now
from pretix.base.i18n import language
from pretix.base.models import LogEntry, Order, OrderPosition
from pretix.base.signals import order_paid, order_placed

from ..db.queries import unscoped
from ..host.quotas import count
from ..models import Job, OfflineSalesBatch
from ..webhooks import send_webhooks
from .blueprint import HISTORY

logger = logging.getLogger(__name__)

#: How many orders are fetched at once, with everything that the host's own receivers ask for.
CHUNK = 500

#: How often the same orders are tried, before they are tried one by one, and the one that is at fault is skipped.
MAX_TRIES = 3


def announce(job: Job) -> None:
    """
    Send ``order_placed`` and ``order_paid`` for each of the batch's orders, and webhooks for its log entries.

    No mail is sent to anyone. A receiver that raises is logged and holds nobody else up. An interrupted job goes on
    where it was, so that each receiver hears of each order at least once; see ``_remember`` for what it needs to know.

    There may be an order that no worker survives. So orders that were tried too often are tried one by one, and one
    that was tried alone too often is logged and skipped.
    """
    batch = job.batch
    refresh_quotas(batch)
    while True:
        after, tries = job.data.get("announced", 0), job.data.get("tries", 0)
        alone = after < job.data.get("one_by_one_until", 0)
        orders = _next_orders(batch, after, 1 if alone else CHUNK)
        if not orders:
            return
        last = orders[-1].ticket_number
        if tries < MAX_TRIES:
            _remember(job, tries=tries + 1)
            _tell(job, orders)
        elif alone:
            logger.error("Order %s could not be announced and is skipped: no worker survived it", orders[0].full_code)
        else:
            _remember(job, tries=0, one_by_one_until=last)
            continue
        touch(orders)
        _remember(job, tries=0, announced=last)
        job.report(batch.amount + batch.numbers.index(last) + 1, 2 * batch.amount)


def _remember(job: Job, **values: int) -> None:
    """
    Up to which ticket everybody knows (``announced``), how often it was tried to go on from there (``tries``), and up
    to where this is done one by one. It is written before anything is sent.
    """
    job.data |= values
    job.update(data=job.data)


def _next_orders(batch: OfflineSalesBatch, after: int, amount: int) -> list[Order]:
    """Each with its ``ticket_number``."""
    orders = list(
        unscoped(Order.objects).filter(offline_sales_ticket__batch=batch, offline_sales_ticket__number__gt=after)
        .annotate(ticket_number=F("offline_sales_ticket__number"))
        .order_by("ticket_number")[:amount]
    )
    for order in orders:
        # All orders share what all have in common, so that settings and names are not fetched for each.
        order.event = batch.event
        order.sales_channel = batch.sales_channel
    if orders:
        _fetch_positions(orders)
    return orders


def _fetch_positions(orders: list[Order]) -> None:
    ids = [order.pk for order in orders]
    # A batch's ids are close to each other. Told so, PostgreSQL does not think of reading the whole table instead.
    positions = unscoped(OrderPosition.objects).filter(order__pk__range=(min(ids), max(ids)))
    # ``order.positions`` looks here, too; asking for it by that name would build a class for each order.
    prefetch_related_objects(
        orders, Prefetch("all_positions", positions.prefetch_related("item", "variation", "subevent"))
    )


def _tell(job: Job, orders: list[Order]) -> None:
    event = job.batch.event
    with language(orders[0].locale, event.settings.region):
        for order in orders:
            job.check_lock()
            _send_signals(event, order)
    with holding_nobody_up("Webhooks could not be sent"):
        send_webhooks(event, _history(orders))


def _send_signals(event, order: Order) -> None:
    responses = [
        *order_placed.send_robust(event, order=order, bulk=True),
        *order_paid.send_robust(event, order=order),
    ]
    for receiver, response in responses:
        if isinstance(response, Exception):
            logger.error("%r failed to hear of order %s", receiver, order.full_code, exc_info=response)


def _history(orders: list[Order]) -> QuerySet[LogEntry]:
    """Only what we wrote: whoever writes more tells about it."""
    return LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Order),
        object_id__in=[order.pk for order in orders],
        action_type__in=[*HISTORY, "pretix_offlinesales.order.issued"],
    )


def touch(orders: list[Order]) -> None:
    """Scanners ask for what was modified since they last asked, and must not miss rows stamped before their commit."""
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(last_modified=now())


def refresh_quotas(batch: OfflineSalesBatch) -> None:
    """Drop the numbers that the host has cached, and look once more: a quota may close itself when it is sold out."""
    quotas = {quota for position in batch.tickets.first().order.positions.all() for quota in position.quotas}
    with holding_nobody_up("Quotas could not be refreshed"):
        for quota in quotas:
            quota.rebuild_cache()
        count(quotas)


@contextmanager
def holding_nobody_up(message: str):
    """The tickets exist, whatever fails now is for the log."""
    try:
        yield
    except Exception:
        logger.exception(message)
