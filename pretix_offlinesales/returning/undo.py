"""Tickets that were returned by mistake become valid again, as the host reactivates an order."""

import logging
from collections.abc import Sequence

from django.db import OperationalError, transaction
from django.utils.timezone import now
from pretix.base.models import Order, OrderPayment
from pretix.base.services.locking import LockTimeoutException
from pretix.base.services.orders import OrderError, reactivate_order

from ..payment import OfflineSalesPayment
from .orders import Orders
from .reasons import BUSY, CHANGED, FAILED, NOT_CANCELED, NOT_RETURNED, REVOKED, SOLD_OUT, UNKNOWN

logger = logging.getLogger(__name__)


def refusal(orders: Orders, pk: int) -> str:
    """Why the return of this order can't be undone; empty if it can, as far as that is known before it is tried."""
    order = orders.orders.get(pk)
    if not order:
        return UNKNOWN
    if order.status != Order.STATUS_CANCELED:
        return NOT_CANCELED if orders.positions[pk] else CHANGED  # it lives on without its ticket, for a fee perhaps
    if pk not in orders.returned:
        return NOT_RETURNED
    return REVOKED if pk in orders.revoked else ""


def reactivate(orders: Orders, pks: Sequence[int], requester: dict) -> tuple[list[int], dict[int, str]]:
    """
    Let the host reactivate these orders, one after the other. Returns the keys of the log entries that nobody has been
    told of yet, and those orders that it refuses, and why.

    :param orders: locked, with none of ``pks`` refused
    :raises OperationalError: if somebody else is busy with one of the orders
    """
    written, refused = [], {}
    for pk in pks:
        try:
            with transaction.atomic():
                entries = _reactivate(orders.orders[pk], requester)
        except OrderError:
            logger.info("Order %s can't become valid again", orders.orders[pk].full_code, exc_info=True)
            refused[pk] = SOLD_OUT
        except LockTimeoutException:
            refused[pk] = BUSY
        except OperationalError:
            raise
        except Exception:  # other plugins hear of it in the middle
            logger.exception("Order %s could not become valid again", orders.orders[pk].full_code)
            refused[pk] = FAILED
        else:
            written += entries
    return written, refused


def _reactivate(order: Order, requester: dict) -> list[int]:
    written = []
    order.log_action = _silently(order.log_action, written)
    _pay_again(order, requester)
    reactivate_order(order, **requester)
    return written


def _silently(log_action, written):
    """The host would send a notification for each order. Webhooks are sent later, by ``announce``."""

    def write_plainly(*args, save=True, **kwargs):
        entry = log_action(*args, save=False, **kwargs)
        if save:
            entry.save()
            written.append(entry.pk)
        return entry

    return write_plainly


def _pay_again(order, requester):
    """The refund stays in the books. The host goes by them, and would bring the order back unpaid."""
    missing = order.total - order.payment_refund_sum
    if missing > 0:
        payment = order.payments.create(
            state=OrderPayment.PAYMENT_STATE_CONFIRMED,
            amount=missing,
            payment_date=now(),
            provider=OfflineSalesPayment.identifier,
            info="{}",
        )
        data = {"local_id": payment.local_id, "provider": payment.provider}
        order.log_action("pretix.event.order.payment.confirmed", data, **requester)
