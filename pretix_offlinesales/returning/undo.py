"""Tickets that were returned by mistake become valid again."""

import logging

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from pretix.base.models import Event, Order, OrderPayment
from pretix.base.models.orders import RevokedTicketSecret
from pretix.base.services.locking import LockTimeoutException
from pretix.base.services.orders import OrderError, reactivate_order
from pretix.helpers.database import OF_SELF

from ..models import OfflineSalesTicket
from ..payment import OfflineSalesPayment
from .outcome import Outcome
from .reasons import BUSY, NOT_CANCELED, REVOKED, SOLD_OUT

logger = logging.getLogger(__name__)


class Refused(Exception):
    """With one of ``reasons``."""


def undo(event: Event, tickets: QuerySet[OfflineSalesTicket], requester: dict) -> Outcome:
    """
    Let the host reactivate the order of each of these tickets, each in a transaction of its own. Whoever asks twice
    gets ``not_canceled`` the second time.

    :param tickets: of this event
    :param requester: of ``Requested``
    """
    outcome = Outcome()
    for code, order_id in tickets.order_by("batch", "number").values_list("order__code", "order_id"):
        try:
            with transaction.atomic():
                _undo(event, order_id, requester)
        except Refused as refused:
            outcome.skipped[code] = str(refused)
        else:
            outcome.done.append(code)
    return outcome


def _undo(event, order_id, requester):
    order = Order.objects.select_for_update(of=OF_SELF).get(pk=order_id)
    order.event = event
    if order.status != Order.STATUS_CANCELED:
        raise Refused(NOT_CANCELED)
    if RevokedTicketSecret.objects.filter(position__order=order, created__gte=order.cancellation_date).exists():
        raise Refused(REVOKED)
    _pay_again(order, requester)
    try:
        reactivate_order(order, **requester)
    except OrderError:
        logger.info("Order %s can't become valid again", order.full_code, exc_info=True)
        raise Refused(SOLD_OUT)
    except LockTimeoutException:
        raise Refused(BUSY)
    OfflineSalesTicket.objects.filter(order=order).update(returned=None, return_kind="")


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
