"""
Tickets that their holder says are sold, thousands at once. For the host nothing changes: neither the order nor what
scanners know of it. All in the caller's transaction, in a constant number of queries.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils.timezone import now
from pretix.base.models import Order

from ..after_sale.orders import Orders
from ..db.queries import among, unscoped
from ..db.rows import log
from ..models import TICKET_POSITION, OfflineSalesTicket
from ..tickets.origin import Origin
from ..tickets.reasons import (
    ALREADY_CANCELED,
    CHANGED,
    CHECKED_IN,
    FIRM,
    LOST,
    NOT_SOLD,
    SETTLED,
    SOLD,
    STATED,
    UNKNOWN,
)
from ..tickets.state import Sale

#: In the history of an order.
DECLARED, UNDONE = "pretix_offlinesales.order.sold", "pretix_offlinesales.order.undone.sold"


def refusal(orders: Orders, pk: int) -> str:
    """Why this order can't be declared as sold; empty if it can."""
    if reason := _refusal_of_either(orders, pk):
        return reason
    return {Sale.SOLD: SOLD, Sale.SETTLED: SETTLED}.get(Sale(orders.sales[pk]), "")


def refusal_to_undo(orders: Orders, pk: int) -> str:
    """Why it can't be undone that this order was declared as sold; empty if it can."""
    if reason := _refusal_of_either(orders, pk):
        return reason
    if orders.sales[pk] == Sale.NONE:
        return CHECKED_IN if pk in orders.entered else NOT_SOLD  # who was let in was sold a ticket, whoever says so
    if pk in orders.stated:
        return STATED
    if orders.sales[pk] == Sale.SETTLED:
        return SETTLED
    return FIRM if pk in orders.firm else ""


def _refusal_of_either(orders: Orders, pk: int) -> str:
    order, positions = orders.orders.get(pk), orders.positions[pk]
    if not order:
        return UNKNOWN
    if order.status in (Order.STATUS_CANCELED, Order.STATUS_EXPIRED) or not positions:
        return ALREADY_CANCELED
    if all(position.positionid != TICKET_POSITION for position in positions):
        return CHANGED  # what is left of the order is not the ticket
    return LOST if pk in orders.lost else ""


def declare(orders: Orders, pks: Sequence[int], said: dict, requester: dict, moment: datetime) -> list[int]:
    """
    Returns the keys of the log entries that nobody has been told of yet.

    :param orders: locked, with none of ``pks`` refused
    :param said: what the histories say besides
    :param requester: of ``Requested``
    """
    _remember(pks, moment)
    return log(orders.orders[pks[0]], DECLARED, pks, [said] * len(pks), requester)


def undo(orders: Orders, pks: Sequence[int], requester: dict) -> list[int]:
    """The same the other way round."""
    _remember(pks, None)
    return log(orders.orders[pks[0]], UNDONE, pks, [{}] * len(pks), requester)


def _remember(pks: Sequence[int], sold: datetime | None) -> None:
    unscoped(OfflineSalesTicket.objects).filter(among("order", pks)).update(sold=sold)


def note_payment(order: Order) -> None:
    """
    Whoever has paid for a ticket on consignment has bought it. To be called for each order that is paid: of others, and
    where the ticket has been settled by a statement, nothing is asked.
    """
    if not order.valid_if_pending or not Origin.of(order):
        return
    ticket = getattr(order, "offline_sales_ticket", None)
    if not ticket or ticket.sold or ticket.lost or ticket.settled or not ticket.batch.consignment:
        return
    if OfflineSalesTicket.objects.filter(pk=ticket.pk, sold=None).update(sold=now()):
        order.log_action(DECLARED, {"paid": True})
