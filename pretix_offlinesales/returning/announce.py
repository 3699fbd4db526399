"""Tell the rest of pretix what became of tickets, as if it had been done with each order alone."""

import logging
from collections import defaultdict

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from pretix.base.i18n import language
from pretix.base.models import Event, GiftCard, Invoice, LogEntry, Order, OrderPayment, OrderPosition
from pretix.base.payment import PaymentException
from pretix.base.signals import EventPluginSignal

from ..db.queries import unscoped
from ..host.invoices import generate_invoice, invoice_qualified
from ..host.prefetching import forget_prefetched
from ..issuing.announce import MAX_TRIES, holding_nobody_up, touch
from ..models import Job
from ..webhooks import send_webhooks
from .actions import RETURN, UNDO_RETURN, action_of
from .secrets import touch_blocked

logger = logging.getLogger(__name__)

#: How many orders are fetched at once, with everything that receivers are likely to ask for.
CHUNK = 500

#: Payments that somebody has begun, and not finished.
OPEN = (OrderPayment.PAYMENT_STATE_CREATED, OrderPayment.PAYMENT_STATE_PENDING)


def announce(job: Job) -> None:
    """
    Send the host's signals (see ``actions``) for each order that the job has dealt with, and webhooks for what it has
    written in the history of its orders.

    As with issuing, a receiver that raises is logged and holds nobody else up, and each hears of each order at least
    once: ``job.data["announced"]`` says of how many everybody knows. Orders that were tried too often (``tries``) are
    tried one by one, and one that no worker survives is skipped.
    """
    while untold := job.data[job.dealt_with][job.data["announced"] :]:
        tries = job.data["tries"]
        alone = tries >= MAX_TRIES
        codes = untold[: 1 if alone else CHUNK]
        if tries < 2 * MAX_TRIES:
            _remember(job, tries=tries + 1)
            _tell(job, codes)
        else:
            outcome = action_of(job).outcome
            logger.error("Nobody was told that order %s is %s: no worker survived it", codes[0], outcome)
        _remember(job, tries=MAX_TRIES if alone else 0, announced=job.data["announced"] + len(codes))


def _remember(job: Job, **values: int) -> None:
    job.update(data=job.data | values)


def _tell(job: Job, codes: list[str]) -> None:
    event, action = job.event, action_of(job)
    orders = [order for order in _fetch(event, codes) if action.is_still_so(order)]
    if not orders:
        return
    if action is RETURN:
        _cancel_open_payments(orders, job.requester)
    for order in sorted(orders, key=lambda order: codes.index(order.code)):
        job.check_lock()
        with language(order.locale, event.settings.region):
            for signal in action.signals(order):
                _send(signal, event, order)
    if action is UNDO_RETURN:
        _invoice_again(orders)
    with holding_nobody_up("Webhooks could not be sent"):
        send_webhooks(event, _written(job, orders))
    touch(orders)
    touch_blocked(orders, since=job.created)


def _fetch(event: Event, codes: list[str]) -> list[Order]:
    orders = list(
        Order.objects.filter(event=event, code__in=codes)
        .select_related("offline_sales_ticket")
        .prefetch_related(
            "sales_channel",
            Prefetch("all_positions", OrderPosition.all.prefetch_related("item", "variation", "subevent")),
        )
    )
    for order in orders:
        order.event = event
        if any(position.canceled for position in order.all_positions.all()):
            forget_prefetched(order, "all_positions")  # or ``order.positions`` would show these, too
    return orders


def _cancel_open_payments(orders: list[Order], requester: dict) -> None:
    """Somebody may have begun to pay more, by another provider; the host gives that up, too."""
    orders = {order.pk: order for order in orders}
    for payment in unscoped(OrderPayment.objects).filter(order__in=orders, state__in=OPEN):
        order = payment.order = orders[payment.order_id]
        data = {"local_id": payment.local_id, "provider": payment.provider}
        try:
            with transaction.atomic():
                payment.payment_provider.cancel_payment(payment)
                order.log_action("pretix.event.order.payment.canceled", data, **requester)
        except PaymentException as error:
            data["error"] = str(error)
            order.log_action("pretix.event.order.payment.canceled.failed", data, **requester)
        except Exception:
            logger.exception("A payment of order %s could not be canceled", order.full_code)


def _send(signal: EventPluginSignal, event: Event, order: Order) -> None:
    for receiver, response in signal.send_robust(event, order=order):
        if isinstance(response, Exception):
            logger.error("%r failed to hear of order %s", receiver, order.full_code, exc_info=response)


def _invoice_again(orders: list[Order]) -> None:
    """Where somebody had made an invoice by hand, which the return has canceled. If done twice, it is made once."""
    invoices = defaultdict(list)
    for order, is_cancellation in Invoice.objects.filter(order__in=orders).values_list("order", "is_cancellation"):
        invoices[order].append(is_cancellation)
    for order in orders:
        made = invoices[order.pk]
        if False in made and made.count(True) >= made.count(False) and invoice_qualified(order):
            try:
                generate_invoice(order)
            except Exception as error:
                logger.exception("An invoice of order %s could not be made", order.full_code)
                order.log_action("pretix.event.order.invoice.failed", data={"exception": str(error)})


def _written(job: Job, orders: list[Order]) -> QuerySet[LogEntry]:
    """What the job has written about these orders and their gift cards: whoever writes more tells about it."""
    cards = GiftCard.objects.filter(issued_in__order__in=orders).values_list("pk", flat=True)
    of_orders = Q(content_type=_type(Order), object_id__in=[order.pk for order in orders])
    of_cards = Q(content_type=_type(GiftCard), object_id__in=list(cards))
    return LogEntry.objects.filter(of_orders | of_cards, pk__in=job.data["written"])


def _type(model):
    return ContentType.objects.get_for_model(model)
