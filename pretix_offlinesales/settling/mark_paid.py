"""
Mark orders on consignment as paid, as the host's ``OrderPayment.confirm(ignore_date=True, generate_invoice=False)``
does with one: without a mail, and without asking quotas, since a pending order has its place. All in the caller's
transaction, in a constant number of queries. Others are told later.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pretix.base.models import Order

from ..after_sale.orders import Orders
from ..after_sale.payments import confirm
from ..db.queries import among, unscoped
from ..db.rows import log
from ..tickets.payment import OfflineSalesPayment
from ..tickets.worth import NOTHING


def mark_paid(orders: Orders, stated: Mapping[int, Decimal], info: str, requester: dict, moment: datetime) -> list[int]:
    """
    Returns the keys of the log entries that nobody has been told of yet.

    What was stated is paid, and no more than what is still open: somebody may have paid a part otherwise. An order that
    costs more by now stays pending, until the next statement is settled.

    :param orders: locked and pending
    :param stated: what a statement says of each order; at least one
    :param info: of the payments
    """
    amounts = {pk: max(min(price, _open(orders, pk)), NOTHING) for pk, price in stated.items()}
    written = confirm(orders, amounts, dict.fromkeys(amounts, info), requester, moment)
    left = {pk: _open(orders, pk) - amount for pk, amount in amounts.items()}
    if paid := [pk for pk in left if left[pk] <= 0]:
        data = {"provider": OfflineSalesPayment.identifier, "info": info, "date": moment, "force": False}
        written += _log(orders, "paid", paid, data, requester)
        unscoped(Order.objects).filter(among("pk", paid)).update(status=Order.STATUS_PAID, last_modified=moment)
    if overpaid := [pk for pk in left if left[pk] < 0]:
        written += _log(orders, "overpaid", overpaid, {}, requester)
    return written


def _open(orders: Orders, pk: int) -> Decimal:
    return orders.orders[pk].total - orders.paid(pk)


def _log(orders: Orders, what: str, pks: Sequence[int], data: dict, requester: dict) -> list[int]:
    return log(orders.orders[pks[0]], f"pretix.event.order.{what}", pks, [data] * len(pks), requester)
