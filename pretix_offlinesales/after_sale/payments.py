"""Payments of ours for many orders, in the caller's transaction and in a constant number of queries."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pretix.base.models import OrderPayment

from ..db.rows import insert_copies, log
from ..tickets.payment import OfflineSalesPayment
from .orders import CONFIRMED, Orders


def confirm(
    orders: Orders, amounts: Mapping[int, Decimal], infos: Mapping[int, str], requester: dict, moment: datetime
) -> list[int]:
    """
    Confirmed payments, and what the host writes in the history about them. Whether the orders are paid by that is left
    to the caller. Returns the keys of the log entries that nobody has been told of yet.

    :param orders: locked
    :param amounts: what is paid, by order; at least one
    :param infos: of the payments, by order, in JSON
    """
    pks = list(amounts)
    local_ids = [max((payment.local_id for payment in orders.payments[pk]), default=0) + 1 for pk in pks]
    provider = OfflineSalesPayment.identifier
    insert_copies(
        OrderPayment(state=CONFIRMED, payment_date=moment, provider=provider),
        order_id=pks,
        amount=[str(amount) for amount in amounts.values()],
        local_id=local_ids,
        info=[infos[pk] for pk in pks],
    )
    data = [{"local_id": local_id, "provider": provider} for local_id in local_ids]
    return log(orders.orders[pks[0]], "pretix.event.order.payment.confirmed", pks, data, requester)
