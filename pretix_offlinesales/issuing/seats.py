"""Are these seats free? For many at once, by the rules of the host's ``Seat.is_available``."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from django.utils.translation import gettext as _
from pretix.base.models import Event, SalesChannel, Seat, SubEvent

from ..models import JobFailed, OfflineSalesBatch


def refuse_taken(batch: OfflineSalesBatch, seats: Sequence[Seat]) -> None:
    """
    A constant number of queries, to be asked under the host's locks.

    :raises JobFailed: with the host's own message, for the first seat that is blocked, taken, or too close to one that
        is taken, be it by another ticket of this batch: they are sold to strangers
    """
    if not seats:
        return
    free = free_seats(batch.event, batch.subevent, batch.sales_channel, seats)
    for seat in seats:
        if seat.pk not in free:
            raise _taken(seat)
    for _seat, other in too_close(batch.event, seats):
        raise _taken(other)


def free_seats(event: Event, subevent: SubEvent | None, channel: SalesChannel, seats: Iterable[Seat]) -> set[int]:
    """Which of these seats (their primary keys) are neither blocked, nor taken, nor too close to one that is taken."""
    settings = event.settings
    distance = settings.seating_minimal_distance
    blocked_allowed = channel.identifier in settings.seating_allow_blocked_seats_for_channel
    annotated = Seat.annotated(
        (subevent or event).seats,
        event.pk,
        subevent,
        minimal_distance=distance,
        distance_only_within_row=settings.seating_distance_within_row,
    ).in_bulk([seat.pk for seat in seats])
    return {
        pk
        for pk, seat in annotated.items()
        if not (
            (seat.blocked and not blocked_allowed)
            or (seat.has_order or seat.has_cart or seat.has_voucher)
            or (distance > 0 and seat.has_closeby_taken)
        )
    }


def too_close(event: Event, seats: Iterable[Seat]) -> Iterator[tuple[Seat, Seat]]:
    """
    Those of these seats that strangers must not sit on together, in pairs. Looks at each seat's neighbours to the
    right, as far as the event's distance reaches.
    """
    distance, within_row = event.settings.seating_minimal_distance, event.settings.seating_distance_within_row
    if distance <= 0:
        return
    by_x = sorted((seat for seat in seats if seat.x is not None), key=lambda seat: seat.x)
    for index, seat in enumerate(by_x):
        for other in takewhile(lambda other: other.x - seat.x < distance, by_x[index + 1 :]):  # noqa: B023
            close = (other.x - seat.x) ** 2 + (other.y - seat.y) ** 2 < distance**2
            if close and (not within_row or other.row_name == seat.row_name):
                yield seat, other


def _taken(seat) -> JobFailed:
    return JobFailed(_('The selected seat "{seat}" is not available.').format(seat=seat.name))
