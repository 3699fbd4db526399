"""A ticket that is scanned while it is being returned is either in or returned, never both."""

from django.utils.translation import gettext as _
from pretix.base.models import Checkin, Order
from pretix.base.services.checkin import CheckInError

from ..origin import Origin


def refuse_returned(checkin: Checkin) -> None:
    """
    To be called within the transaction that lets somebody in, when the position is locked.

    A check-in that had to wait for that lock may have read the order's state before the return was committed, and
    goes by it. So it is read again. Scans that were made offline are past, and the host records them in any case.

    :raises CheckInError: if the ticket has just been returned
    """
    order = checkin.position.order
    if checkin.type == Checkin.TYPE_EXIT or checkin.force_sent or not Origin.of(order):
        return
    if Order.objects.filter(pk=order.pk, status=Order.STATUS_CANCELED).exists():
        raise CheckInError(_("This order position has been canceled."), "canceled")
