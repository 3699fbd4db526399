"""
Where tickets are that somebody has split off from their orders. The host writes it into the history of the order. The
batch goes on with the orders that it issued, and prints and counts nothing of what was split from them.
"""

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from pretix.base.models import LogEntry, Order, OrderPosition

from ..db.queries import unscoped
from ..models import TICKET_POSITION, OfflineSalesTicket


def find_split_off(tickets: Iterable[OfflineSalesTicket]) -> None:
    """
    Let each ticket know, as ``split_to``, the code of the order that it was split off to. None if it was not, or if
    that has been forgotten. No query where no ticket was split off, or else two.

    :param tickets: with their state (see ``state``)
    """
    codes = _codes({ticket.order_id for ticket in tickets if ticket.split_off})
    for ticket in tickets:
        ticket.split_to = codes.get(ticket.order_id)


def _codes(orders: set[int]) -> dict[int, str]:
    """By primary key of the order that was issued. It may have been split off from the new order, too, since."""
    if not orders:
        return {}
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Order),
        object_id__in=orders,
        action_type="pretix.event.order.changed.split",
    )
    splits = [(order, data) for order, data in ((entry.object_id, entry.parsed_data) for entry in entries)]
    positions = {order: data["position"] for order, data in splits if data.get("positionid") == TICKET_POSITION}
    found = unscoped(OrderPosition.all).filter(pk__in=positions.values()).values_list("pk", "order__code")
    codes = dict(found)
    return {order: codes[position] for order, position in positions.items() if position in codes}
