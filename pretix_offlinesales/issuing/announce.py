"""
Tell the rest of pretix about a batch's orders, as if each had been sold alone: other plugins rely on it. Some of them,
and the host itself for gift cards, even change the ticket's secret here, so a batch is complete only afterwards.
"""

import logging
from contextlib import contextmanager

from django.contrib.contenttypes.models import ContentType
from django.db.models import Prefetch
from django.utils.timezone import now
from pretix.api.webhooks import notify_webhooks
from pretix.base.i18n import language
from pretix.base.models import LogEntry, Order, OrderPosition
from pretix.base.services.quotas import QuotaAvailability
from pretix.base.signals import order_paid, order_placed
from pretix.helpers.celery import get_task_priority

from ..models import Job, OfflineSalesBatch

logger = logging.getLogger(__name__)

#: How many orders are fetched at once, with everything that the host's own receivers ask for.
CHUNK = 500


def announce(job: Job) -> None:
    """
    Send ``order_placed`` and ``order_paid`` for each of the batch's orders, and webhooks for its log entries.

    No mail is sent to anyone. A receiver that raises is logged and holds nobody else up. ``job.data["announced"]`` says
    up to which ticket everybody knows: an interrupted job goes on there, so that each receiver hears of each order at
    least once.
    """
    batch = job.batch
    webhooks = batch.event.organizer.webhooks.filter(enabled=True).exists()
    _refresh_quotas(batch)
    while tickets := _next_tickets(batch, after=job.data.get("announced", 0)):
        orders = [ticket.order for ticket in tickets]
        with language(orders[0].locale, batch.event.settings.region):
            for order in orders:
                _send_signals(batch.event, order)
        if webhooks:
            _send_webhooks(batch.event, orders)
        _touch(orders)
        job.data["announced"] = tickets[-1].number
        job.save(update_fields=["data"])
        job.report(batch.amount + batch.numbers.index(tickets[-1].number) + 1, 2 * batch.amount)


def _next_tickets(batch: OfflineSalesBatch, after: int) -> list:
    tickets = batch.tickets.filter(number__gt=after).order_by("number").prefetch_related(
        "order",
        Prefetch("order__positions", OrderPosition.objects.prefetch_related("item", "variation", "subevent")),
    )[:CHUNK]
    for ticket in tickets:
        # All orders share what all have in common, so that settings and names are not fetched for each.
        ticket.order.event = batch.event
        ticket.order.sales_channel = batch.sales_channel
    return list(tickets)


def _send_signals(event, order: Order) -> None:
    responses = [
        *order_placed.send_robust(event, order=order, bulk=True),
        *order_paid.send_robust(event, order=order),
    ]
    for receiver, response in responses:
        if isinstance(response, Exception):
            logger.error("%r failed to hear of order %s", receiver, order.full_code, exc_info=response)


def _send_webhooks(event, orders: list[Order]) -> None:
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Order), object_id__in=[order.pk for order in orders]
    ).order_by("pk")
    with _holding_nobody_up("Webhooks could not be sent"):
        notify_webhooks.apply_async(
            args=([entry.pk for entry in entries if entry.webhook_type],),
            priority=get_task_priority("notifications", event.organizer_id),
        )


def _touch(orders: list[Order]) -> None:
    """Scanners ask for what was modified since they last asked, and must not miss rows stamped before their commit."""
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(last_modified=now())


def _refresh_quotas(batch: OfflineSalesBatch) -> None:
    """Drop the numbers that the host has cached, and look once more: a quota may close itself when it is sold out."""
    quotas = {quota for position in batch.tickets.first().order.positions.all() for quota in position.quotas}
    with _holding_nobody_up("Quotas could not be refreshed"):
        for quota in quotas:
            quota.rebuild_cache()
        availability = QuotaAvailability()
        availability.queue(*quotas)
        availability.compute()


@contextmanager
def _holding_nobody_up(message: str):
    """The tickets exist, whatever fails now is for the log."""
    try:
        yield
    except Exception:
        logger.exception(message)
