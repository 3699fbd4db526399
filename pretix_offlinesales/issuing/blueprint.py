"""The one order that the host would make for a batch's product, unsaved: what every ticket of the batch is a copy of."""

from collections import Counter
from dataclasses import dataclass

from pretix.api.serializers.order import OrderCreateSerializer
from pretix.base.models import LogEntry, Order, OrderPayment, OrderPosition, Transaction

from ..models import OfflineSalesBatch
from ..payment import OfflineSalesPayment

#: What the host's rounding puts on its simulation's wrapper objects, and not on the wrapped positions.
ROUNDED = ("price", "price_includes_rounding_correction", "tax_value", "tax_value_includes_rounding_correction")


@dataclass(frozen=True)
class Blueprint:
    """All rows of one ticket's order, unsaved, and how many of each quota one ticket takes."""

    order: Order
    positions: list[OrderPosition]
    payment: OrderPayment
    transactions: list[Transaction]
    log_entries: list[LogEntry]
    quotas: Counter


def draw(batch: OfflineSalesBatch) -> Blueprint:
    """
    Let the host make the order that ``POST …/orders/`` makes for the batch's product with ``status: p``.

    All money in it is the host's: its API simulates the order, with the event's rounding mode stored as the shop stores
    it. The simulation's own look at quotas and dates is switched off (``force``), the insert looks at them under a lock.
    """
    serializer = OrderCreateSerializer(
        data={
            "status": Order.STATUS_PAID,
            "testmode": batch.testmode,
            "sales_channel": batch.sales_channel.identifier,
            "locale": batch.event.settings.locale,
            "tax_rounding_mode": batch.event.settings.tax_rounding,
            "positions": [{"item": batch.item_id, "variation": batch.variation_id, "subevent": batch.subevent_id}],
            "simulate": True,
            "force": True,
        },
        context={"event": batch.event},
    )
    serializer.is_valid(raise_exception=True)
    simulation = serializer.save()

    order = simulation._wrapped
    order.organizer = batch.event.organizer
    order.total = simulation.total
    positions = [_position(wrapper, order) for wrapper in simulation.positions]
    payment = _payment(order)
    return Blueprint(
        order=order,
        positions=positions,
        payment=payment,
        transactions=order.create_transactions(is_new=True, positions=positions, fees=[], save=False),
        log_entries=_log_entries(order, payment, batch.requester),
        quotas=Counter(quota for position in positions for quota in position.quotas),
    )


def _position(wrapper, order) -> OrderPosition:
    position = wrapper._wrapped
    position.organizer = order.organizer
    for name in ROUNDED:
        setattr(position, name, getattr(wrapper, name))
    return position


def _payment(order) -> OrderPayment:
    return OrderPayment(
        order=order,
        local_id=1,
        state=OrderPayment.PAYMENT_STATE_CONFIRMED,
        amount=order.total,
        provider=OfflineSalesPayment.identifier if order.total else "free",
        info="{}",
    )


def _log_entries(order, payment, requester) -> list[LogEntry]:
    """What the host's order API writes into an order's history. Copies go without the notifications of ``log_action``."""
    actions = {
        "pretix.event.order.placed": None,
        "pretix.event.order.payment.confirmed": {"local_id": payment.local_id, "provider": payment.provider},
        "pretix.event.order.paid": {"provider": payment.provider, "info": {}, "force": False},
    }
    return [order.log_action(action, data, save=False, **requester) for action, data in actions.items()]
