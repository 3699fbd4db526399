"""The one order that the host would make for a batch's product, unsaved: all its tickets are copies of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.timezone import now
from pretix.base.models import LogEntry, Order, OrderPayment, OrderPosition, Seat, Transaction
from rest_framework import serializers

from ..host.pricing import in_order_of_cart, price_in_cart
from ..host.simulation import simulate_order
from ..models import TICKET_POSITION, JobFailed, OfflineSalesBatch
from ..tickets.expiry import expiry
from ..tickets.payment import OfflineSalesPayment

#: What happens to an order that is sold, by its log entries. On consignment, it is only placed.
HISTORY = ("pretix.event.order.placed", "pretix.event.order.payment.confirmed", "pretix.event.order.paid")


@dataclass(frozen=True)
class Blueprint:
    """All rows of one ticket's order, unsaved."""

    order: Order
    positions: list[OrderPosition]
    #: None, as long as nobody has paid.
    payment: OrderPayment | None
    transactions: list[Transaction]
    log_entries: list[LogEntry]


def simulate(batch: OfflineSalesBatch, seats: Sequence[Seat] = ()) -> Blueprint:
    """
    Let the host make the order that ``POST …/orders/`` makes for the batch's product with ``status: p``, or, on
    consignment, with ``status: n`` and ``valid_if_pending: true``.

    All money in it is the host's: its API simulates the order, with the event's rounding mode stored as the shop stores
    it. Quotas and dates are not looked at, the insert looks under a lock.

    :raises JobFailed: with the host's own message, if the host would not make the order
    """
    request = {
        "status": Order.STATUS_PENDING if batch.consignment else Order.STATUS_PAID,
        "valid_if_pending": batch.consignment,
        "testmode": batch.testmode,
        "sales_channel": batch.sales_channel.identifier,
        "locale": batch.event.settings.locale,
        "tax_rounding_mode": batch.event.settings.tax_rounding,
        "positions": _lines(batch, seats),
    }
    try:
        order, positions = simulate_order(batch.event, request)
    except serializers.ValidationError as error:
        raise JobFailed(" ".join(_messages(error.detail))) from error

    order.datetime = now()  # secret generators may ask for it
    # Nobody can be reminded. The host would find that out for each order, and touch it.
    order.download_reminder_sent = order.expiry_reminder_sent = True
    if batch.consignment:
        order.expires = expiry(batch.event, [batch.subevent], order.datetime)
    payment = None if batch.consignment else _payment(order)
    return Blueprint(
        order=order,
        positions=positions,
        payment=payment,
        transactions=order.create_transactions(is_new=True, positions=positions, fees=[], save=False),
        log_entries=_log_entries(order, payment, batch.requester),
    )


def _lines(batch: OfflineSalesBatch, seats: Sequence[Seat]) -> list[dict]:
    """
    The positions of one ticket's order, as the order API takes them.

    The API prices a product alone. It knows no bundles: there, prices and order are what the shop's cart would make of
    them, by the same functions.
    """
    main: dict[str, object] = {
        "item": batch.item_id,
        "variation": batch.variation_id,
        "subevent": batch.subevent_id,
        "positionid": TICKET_POSITION,
        "requested_valid_from": batch.valid_from,
    }
    if seats:
        main["seat"] = seats[0].seat_guid
    bundles = in_order_of_cart(batch.item.bundles.select_related("bundled_item", "bundled_variation"))
    if not bundles:
        return [main]

    bundled_sum = sum(bundle.count * bundle.designated_price for bundle in bundles)
    price, discount = price_in_cart(
        batch.event, batch.sales_channel, batch.item, batch.variation, batch.subevent, bundled_sum
    )
    main |= {"price": price, "discount": discount.pk if discount else None}
    parts = [
        {
            "item": bundle.bundled_item_id,
            "variation": bundle.bundled_variation_id,
            "subevent": batch.subevent_id,
            "price": bundle.designated_price,
            "requested_valid_from": batch.valid_from,
            "is_bundled": True,
            "addon_to": main["positionid"],
        }
        for bundle in bundles
        for _number in range(bundle.count)
    ]
    return [main, *({**part, "positionid": number} for number, part in enumerate(parts, start=TICKET_POSITION + 1))]


def _messages(detail: str | list | dict) -> Iterator[str]:
    """The sentences in an error of REST framework, however deep."""
    if isinstance(detail, str):
        yield str(detail)
    else:
        for part in detail.values() if isinstance(detail, dict) else detail:
            yield from _messages(part)


def _payment(order: Order) -> OrderPayment:
    return OrderPayment(
        order=order,
        local_id=1,
        state=OrderPayment.PAYMENT_STATE_CONFIRMED,
        amount=order.total,
        provider=OfflineSalesPayment.identifier if order.total else "free",
        info="{}",
    )


def _log_entries(order: Order, payment: OrderPayment | None, requester: dict) -> list[LogEntry]:
    """What the host's order API writes into an order's history."""
    data: list[dict | None] = [None]
    if payment:
        data += [
            {"local_id": payment.local_id, "provider": payment.provider},
            {"provider": payment.provider, "info": {}, "date": order.datetime.isoformat(), "force": False},
        ]
    return [
        order.log_action(action, values, save=False, **requester)
        for action, values in zip(history(is_paid=payment is not None), data, strict=True)
    ]


def history(is_paid: bool) -> Sequence[str]:
    """Of an order that was just issued, as far as the host has words for it."""
    return HISTORY if is_paid else HISTORY[:1]
