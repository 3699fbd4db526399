"""Which seats are free? For many at once, by the rules of the host's ``Seat.is_available``."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from django.db.models import QuerySet
from pretix.base.models import Event, SalesChannel, Seat, SubEvent


def seats_of(event: Event, subevent: SubEvent | None) -> QuerySet[Seat]:
    return (subevent or event).seats.all()


def annotated(event: Event, subevent: SubEvent | None) -> QuerySet[Seat]:
    """Seats that know whether they, or others close by, are taken."""
    return Seat.annotated(
        seats_of(event, subevent),
        event.pk,
        subevent,
        minimal_distance=event.settings.seating_minimal_distance,
        distance_only_within_row=event.settings.seating_distance_within_row,
    )


def free(event: Event, channel: SalesChannel, seats: Iterable[Seat]) -> Iterator[Seat]:
    """Of these seats, which are ``annotated``."""
    blocked_allowed = channel.identifier in event.settings.seating_allow_blocked_seats_for_channel
    keep_distance = event.settings.seating_minimal_distance > 0
    for seat in seats:
        blocked = seat.blocked and not blocked_allowed
        taken = seat.has_order or seat.has_cart or seat.has_voucher
        if not (blocked or taken or (keep_distance and seat.has_closeby_taken)):
            yield seat


def free_seats(event: Event, subevent: SubEvent | None, channel: SalesChannel, seats: Iterable[Seat]) -> set[int]:
    """Which of these seats (their primary keys) are neither blocked, nor taken, nor too close to one that is taken."""
    asked = annotated(event, subevent).in_bulk([seat.pk for seat in seats])
    return {seat.pk for seat in free(event, channel, asked.values())}


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
            if are_close(seat, other, distance, within_row):
                yield seat, other


def are_close(seat: Seat, other: Seat, distance: float, within_row: bool) -> bool:
    close = (other.x - seat.x) ** 2 + (other.y - seat.y) ** 2 < distance**2
    return close and (not within_row or other.row_name == seat.row_name)
