"""The host's order API simulates an order: it makes everything that belongs to it, and saves nothing."""

from typing import Any

from pretix.api.serializers.order import OrderCreateSerializer
from pretix.base.models import Event, Order, OrderPosition

#: What the host's rounding puts on the simulation's wrapper objects, and not on the wrapped positions.
ROUNDED = ("price", "price_includes_rounding_correction", "tax_value", "tax_value_includes_rounding_correction")


def simulate_order(event: Event, data: dict) -> tuple[Order, list[OrderPosition]]:
    """
    The order that ``POST …/orders/`` would make of this data, and its positions, all unsaved.

    The simulation's own look at quotas and dates is switched off (``force``).

    :raises rest_framework.serializers.ValidationError: with the host's own messages, if it would not make the order
    """
    serializer = OrderCreateSerializer(data={**data, "simulate": True, "force": True}, context={"event": event})
    serializer.is_valid(raise_exception=True)
    simulation = serializer.save()
    order = simulation._wrapped
    order.organizer = event.organizer
    order.total = simulation.total
    return order, [_position(wrapper, order) for wrapper in simulation.positions]


def _position(wrapper: Any, order: Order) -> OrderPosition:
    position = wrapper._wrapped
    position.organizer = order.organizer
    for name in ROUNDED:
        setattr(position, name, getattr(wrapper, name))
    return position
