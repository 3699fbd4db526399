"""
Paper that is lost or stolen. Its ticket is not canceled: the place stays taken, and whoever should have sold it owes
what it costs. But every position of the order is blocked, as the host blocks one (``OrderChangeManager``), many at
once. All in the caller's transaction, in a constant number of queries.
"""

from collections.abc import Sequence
from datetime import datetime

from pretix.base.models import Order, OrderPosition

from ..after_sale.orders import Orders
from ..after_sale.secrets import forget_files, list_as_blocked, list_as_free
from ..db.queries import unscoped
from ..db.rows import log, update_from
from ..models import OfflineSalesTicket
from ..tickets.reasons import ALREADY_CANCELED, ALREADY_LOST, NOT_LOST, UNKNOWN

#: The name of our block. Those that begin with ``admin`` or ``api:`` can be lifted by others.
BLOCK = "offlinesales:lost"


def refusal(orders: Orders, pk: int) -> str:
    """Why this order can't be reported lost; empty if it can."""
    return orders.refusal_of_paper(pk) or (ALREADY_LOST if pk in orders.lost else "")


def refusal_to_undo(orders: Orders, pk: int) -> str:
    """Why the loss of this order can't be undone; empty if it can."""
    order = orders.orders.get(pk)
    if not order:
        return UNKNOWN
    if order.status == Order.STATUS_CANCELED or not orders.positions[pk]:
        return ALREADY_CANCELED  # written off: what was done last is undone first; or canceled for a fee
    return "" if pk in orders.lost else NOT_LOST


def block(orders: Orders, pks: Sequence[int], requester: dict, moment: datetime) -> list[int]:
    """
    Returns the keys of the log entries that nobody has been told of yet.

    :param orders: locked, with none of ``pks`` refused
    :param requester: of ``Requested``
    """
    positions = [position for pk in pks for position in orders.positions[pk]]
    for position in positions:
        position.blocked = list(dict.fromkeys([*(position.blocked or []), BLOCK]))
    _store(positions)
    list_as_blocked(positions)
    _remember(pks, lost=moment, moment=moment)
    return _log(orders, pks, positions, "add_block", "lost", requester)


def unblock(orders: Orders, pks: Sequence[int], requester: dict, moment: datetime) -> list[int]:
    """The same the other way round. What others have blocked stays blocked."""
    positions = [position for pk in pks for position in orders.positions[pk] if BLOCK in (position.blocked or [])]
    for position in positions:
        position.blocked = _without(position.blocked)
    _store(positions)
    list_as_free([position for position in positions if not position.blocked])
    _remember(pks, lost=None, moment=moment)
    return _log(orders, pks, positions, "remove_block", "undone.lost", requester)


def unblock_split_off(order: Order) -> None:
    """
    The host has split these positions off from a ticket, and given them new codes: they are not on the paper that was
    lost. Nobody else could ever lift our block from them.
    """
    for position in order.positions.all():
        if BLOCK in (position.blocked or []):
            position.blocked = _without(position.blocked)
            position.save(update_fields=["blocked"])
            order.log_action("pretix.event.order.changed.remove_block", data=_named(position))


def _without(blocked: list[str] | None) -> list[str] | None:
    return [name for name in blocked or [] if name != BLOCK] or None


def _named(position: OrderPosition) -> dict:
    """As the host writes it down."""
    return {"position": position.pk, "positionid": position.positionid, "block_name": BLOCK}


def _store(positions):
    blocked = [position.blocked for position in positions]
    update_from(OrderPosition, [position.pk for position in positions], blocked=blocked)


def _remember(pks, lost, moment):
    unscoped(OfflineSalesTicket.objects).filter(order__in=pks).update(lost=lost)
    unscoped(Order.objects).filter(pk__in=pks).update(last_modified=moment)
    forget_files(pks)


def _log(orders, pks, positions, change, what, requester):
    first = orders.orders[pks[0]]
    of_positions = [position.order_id for position in positions]
    return [
        *log(first, f"pretix.event.order.changed.{change}", of_positions, [*map(_named, positions)], requester),
        *log(first, f"pretix_offlinesales.order.{what}", pks, [{}] * len(pks), requester),
    ]
