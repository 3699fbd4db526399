"""
Tell the rest of pretix about a batch's orders. Other plugins, and the host itself for gift cards, even change the
ticket's secret here, so a batch is complete only afterwards.
"""

from typing import cast

from django.contrib.contenttypes.models import ContentType
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from pretix.base.i18n import language
from pretix.base.models import LogEntry, Order, OrderPosition
from pretix.base.signals import order_paid, order_placed

from ..db.queries import seen_at_once, unindexed, unscoped
from ..host.webhooks import send_webhooks
from ..jobs import announcing
from ..jobs.announcing import Audience, holding_nobody_up, refresh_quotas, touch
from ..models import Job, OfflineSalesBatch
from .blueprint import history
from .making import Making


def announce(making: Making) -> None:
    """
    Send ``order_placed`` and ``order_paid`` for each of the batch's orders, and webhooks for its log entries. On
    consignment, nobody has paid yet. No mail is sent to anyone.
    """
    job, batch = making.job, cast(OfflineSalesBatch, making.batch)
    refresh_quotas(batch)

    def following(number: int, amount: int) -> list[tuple[int, Order]]:
        return _orders_after(batch, number, amount)

    def notify(orders: list[Order]) -> None:
        _notify(job, batch, orders)

    def done(number: int, orders: list[Order]) -> None:
        touch(orders)
        making.report(batch.amount + batch.numbers.index(number) + 1, 2 * batch.amount)

    announcing.announce(job, following, notify, done)


def _orders_after(batch: OfflineSalesBatch, number: int, amount: int) -> list[tuple[int, Order]]:
    """Each with the number of its ticket."""
    with seen_at_once():
        # By themselves: to sort them together with their orders, PostgreSQL would fetch all that follow.
        tickets = batch.tickets.filter(number__gt=number).order_by("number")
        numbers = dict(tickets.values_list("order", "number")[:amount])
        orders = unscoped(Order.objects).order_by().in_bulk(numbers)
        if orders:
            _fetch_positions(list(orders.values()))
    for order in orders.values():
        # All orders share what all have in common, so that settings and names are not fetched for each.
        order.event = batch.event
        order.sales_channel = batch.sales_channel
    return [(number, orders[pk]) for pk, number in numbers.items()]


def _fetch_positions(orders: list[Order]) -> None:
    positions = unscoped(OrderPosition.objects).filter(order__pk__range=_range(orders))
    # ``order.positions`` looks here, too; asking for it by that name would build a class for each order.
    prefetch_related_objects(
        orders, Prefetch("all_positions", positions.prefetch_related("item", "variation", "subevent"))
    )


def _notify(job: Job, batch: OfflineSalesBatch, orders: list[Order]) -> None:
    event, is_paid = batch.event, not batch.consignment
    placed, paid = Audience(order_placed, event), Audience(order_paid, event)
    with language(orders[0].locale, event.settings.region):
        for order in orders:
            job.check_lock()
            placed.hear(order, bulk=True)
            if is_paid:
                paid.hear(order)
    with holding_nobody_up("Webhooks could not be sent"):
        send_webhooks(event, _history(orders, is_paid))


def _history(orders: list[Order], is_paid: bool) -> QuerySet[LogEntry]:
    """Only what we wrote: whoever writes more tells about it."""
    return LogEntry.objects.alias(of=unindexed("content_type_id")).filter(
        of=ContentType.objects.get_for_model(Order).pk,
        object_id__range=_range(orders),
        object_id__in=[order.pk for order in orders],
        action_type__in=[*history(is_paid), "pretix_offlinesales.order.issued"],
    )


def _range(orders: list[Order]) -> tuple[int, int]:
    """A batch's keys are close to each other. Told so, PostgreSQL does not think of reading the whole table."""
    keys = [order.pk for order in orders]
    return min(keys), max(keys)
