"""A ticket that is scanned while it is being returned or reported lost is either in or that, never both."""

from typing import cast

from django.utils.translation import gettext as _
from pretix.base.models import Checkin, Order, OrderPosition

from ..host.errors import CheckInError
from ..tickets.origin import Origin
from .lost import BLOCK


def refuse_at_the_door(checkin: Checkin) -> None:
    """
    To be called within the transaction that lets somebody in, when the position is locked.

    A check-in that had to wait for that lock may have read the state of order and position before the job committed
    what it did, and goes by it. So the order is read again; the position has been, but was not looked at. Scans that
    were made offline are past, and the host records them in any case.

    :raises CheckInError: if the ticket has just been returned or reported lost
    """
    position = cast(OrderPosition, checkin.position)
    order = position.order
    if checkin.type == Checkin.TYPE_EXIT or checkin.force_sent or not Origin.of(order):
        return
    if Order.objects.filter(pk=order.pk, status=Order.STATUS_CANCELED).exists():
        raise CheckInError(_("This order position has been canceled."), "canceled")
    if BLOCK in (position.blocked or []):
        raise CheckInError(_("This ticket has been blocked."), "blocked")
