"""Are these seats free? For many at once, by the rules of the host's ``Seat.is_available``."""

from collections.abc import Sequence
from itertools import takewhile

from django.utils.translation import gettext as _
from pretix.base.models import Seat

from ..models import JobFailed, OfflineSalesBatch


def refuse_taken(batch: OfflineSalesBatch, seats: Sequence[Seat]) -> None:
    """
    A constant number of queries, to be asked under the host's locks.

    :raises JobFailed: with the host's own message, for the first seat that is blocked, taken, or too close to one that
        is taken, be it by another ticket of this batch: they are sold to strangers
    """
    if not seats:
        return
    settings = batch.event.settings
    distance = settings.seating_minimal_distance
    within_row = settings.seating_distance_within_row
    blocked_allowed = batch.sales_channel.identifier in settings.seating_allow_blocked_seats_for_channel
    annotated = Seat.annotated(
        (batch.subevent or batch.event).seats,
        batch.event_id,
        batch.subevent,
        minimal_distance=distance,
        distance_only_within_row=within_row,
    ).in_bulk([seat.pk for seat in seats])
    for seat in (annotated.get(seat.pk, seat) for seat in seats):
        if (
            seat.pk not in annotated
            or (seat.blocked and not blocked_allowed)
            or (seat.has_order or seat.has_cart or seat.has_voucher)
            or (distance > 0 and seat.has_closeby_taken)
        ):
            raise _taken(seat)
    if distance > 0:
        _refuse_crowd(seats, distance, within_row)


def _refuse_crowd(seats, distance, within_row):
    """Look at each seat's neighbours to the right, as far as the distance reaches."""
    by_x = sorted((seat for seat in seats if seat.x is not None), key=lambda seat: seat.x)
    for index, seat in enumerate(by_x):
        for other in takewhile(lambda other: other.x - seat.x < distance, by_x[index + 1 :]):  # noqa: B023
            close = (other.x - seat.x) ** 2 + (other.y - seat.y) ** 2 < distance**2
            if close and (not within_row or other.row_name == seat.row_name):
                raise _taken(other)


def _taken(seat) -> JobFailed:
    return JobFailed(_('The selected seat "{seat}" is not available.').format(seat=seat.name))
