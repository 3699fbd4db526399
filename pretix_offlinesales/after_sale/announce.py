"""Tell the rest of pretix what became of tickets, as if it had been done with each order alone."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from pretix.base.i18n import language
from pretix.base.models import Event, GiftCard, Invoice, LogEntry, Order, OrderPayment, OrderPosition
from pretix.base.payment import PaymentException

from ..db.queries import among, planned_plainly, unscoped
from ..db.rows import look_up
from ..host.invoices import generate_invoice, invoice_qualified
from ..host.prefetching import forget_prefetched
from ..host.webhooks import send_webhooks
from ..jobs import announcing
from ..jobs.announcing import Audience, holding_nobody_up, touch
from ..models import Job, JobStep, OfflineSalesBatch
from ..tickets.codes import all_of
from .secrets import touch_blocked

if TYPE_CHECKING:
    from .kind import AfterSale

logger = logging.getLogger(__name__)

#: Payments that somebody has begun, and not finished.
OPEN = (OrderPayment.PAYMENT_STATE_CREATED, OrderPayment.PAYMENT_STATE_PENDING)


def announce(kind: "AfterSale", job: Job, done: dict[str, int]) -> None:
    """
    Send the host's signals for each order that the job has dealt with, and webhooks for what it has written in the
    history of its orders.

    :param done: the codes of these orders, each with the step in which it was dealt with
    """
    codes = list(done)

    def following(place: int, amount: int) -> list[tuple[int, str]]:
        return list(enumerate(codes[place : place + amount], start=place + 1))

    def notify(found: list[str]) -> None:
        _notify(kind, job, found, {done[code] for code in found})

    announcing.announce(job, following, notify)


def _notify(kind: "AfterSale", job: Job, codes: list[str], steps: set[int]) -> None:
    event = job.event
    orders = [order for order in _fetch(event, codes) if kind.is_still_so(order)]
    if not orders:
        return
    kind.before_signals(job, orders)
    if any(kind.signals(order) for order in orders):
        _prefetch(orders)
        _send_signals(kind, job, sorted(orders, key=lambda order: codes.index(order.code)))
    kind.after_signals(job, orders)
    with holding_nobody_up("Webhooks could not be sent"):
        send_webhooks(event, _written(steps, orders))
    changed = [order for order in orders if kind.changes(order)]
    touch(changed)
    touch_blocked(changed, since=job.created)


def _send_signals(kind: "AfterSale", job: Job, orders: Sequence[Order]) -> None:
    event = job.event
    audience = cache(lambda signal: Audience(signal, event))
    for locale, alike in groupby(orders, lambda order: order.locale):
        with language(locale, event.settings.region):
            for order in alike:
                job.check_lock()
                for signal in kind.signals(order):
                    audience(signal).hear(order)


def _fetch(event: Event, codes: list[str]) -> list[Order]:
    with planned_plainly():
        pks = look_up(codes, all_of(event.organizer, Order), "code", "pk").values()
        orders = list(unscoped(Order.objects).filter(among("pk", pks)).select_related("offline_sales_ticket"))
        keys = {order.offline_sales_ticket.batch_id for order in orders}
        batches = unscoped(OfflineSalesBatch.objects).in_bulk(keys)
    for order in orders:
        order.event, order.offline_sales_ticket.batch = event, batches[order.offline_sales_ticket.batch_id]
    return orders


def _prefetch(orders: Sequence[Order]) -> None:
    """What receivers are likely to ask for."""
    positions = unscoped(OrderPosition.all).prefetch_related("item", "variation", "subevent")
    with planned_plainly():
        prefetch_related_objects(orders, "sales_channel", Prefetch("all_positions", positions))
    for order in orders:
        if any(position.canceled for position in order.all_positions.all()):
            forget_prefetched(order, "all_positions")  # or ``order.positions`` would show these, too


def cancel_open_payments(job: Job, orders: Sequence[Order]) -> None:
    """Somebody may have begun to pay more, by another provider; the host gives that up, too."""
    by_pk = {order.pk: order for order in orders}
    for payment in unscoped(OrderPayment.objects).filter(order__in=by_pk, state__in=OPEN):
        order = payment.order = by_pk[payment.order_id]
        data = {"local_id": payment.local_id, "provider": payment.provider}
        try:
            with transaction.atomic():
                payment.payment_provider.cancel_payment(payment)
                order.log_action("pretix.event.order.payment.canceled", data, **job.requester)
        except PaymentException as error:
            data["error"] = str(error)
            order.log_action("pretix.event.order.payment.canceled.failed", data, **job.requester)
        except Exception:
            logger.exception("A payment of order %s could not be canceled", order.full_code)


def invoice_again(orders: Sequence[Order]) -> None:
    """Where somebody had made an invoice by hand, which the return has canceled. If done twice, it is made once."""
    invoices = defaultdict(list)
    for pk, is_cancellation in Invoice.objects.filter(order__in=orders).values_list("order", "is_cancellation"):
        invoices[pk].append(is_cancellation)
    for order in orders:
        made = invoices[order.pk]
        if False in made and made.count(True) >= made.count(False) and invoice_qualified(order):
            try:
                generate_invoice(order)
            except Exception as error:
                logger.exception("An invoice of order %s could not be made", order.full_code)
                order.log_action("pretix.event.order.invoice.failed", data={"exception": str(error)})


def _written(steps: set[int], orders: Sequence[Order]) -> QuerySet[LogEntry]:
    """What was written in these steps about these orders and their gift cards: whoever writes more tells about it."""
    written = JobStep.objects.filter(pk__in=steps).values_list("log_entries", flat=True)
    entries = [pk for keys in written for pk in keys]
    cards = GiftCard.objects.filter(issued_in__order__in=orders).values_list("pk", flat=True)
    of_orders = Q(content_type=_type(Order), object_id__in=[order.pk for order in orders])
    of_cards = Q(content_type=_type(GiftCard), object_id__in=list(cards))
    return LogEntry.objects.filter(of_orders | of_cards, pk__in=entries)


def _type(model):
    return ContentType.objects.get_for_model(model)
