"""Which seats are meant, and may they be taken?"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, ngettext
from pretix.base.models import Event, Seat

from ..models import JobFailed, OfflineSalesBatch
from ..tickets.seats import annotated, are_close, free, free_seats, seats_of, too_close


class SeatTaken(JobFailed):
    """Somebody else has one of the seats."""


def read_seats(batch: OfflineSalesBatch, text: str) -> list[Seat]:
    """
    The seats of the batch's date that a text names, one a line: as people call them, or by their GUID.

    :raises ValidationError: naming ``seats``, for the first that is unknown or could be two
    """
    lines = [line for line in map(_as_called, text.splitlines()) if line]
    called = defaultdict(set)
    for seat in seats_of(batch.event, batch.subevent) if lines else []:
        called[_as_called(seat.seat_guid)].add(seat)
        called[_as_called(seat.name)].add(seat)
    for line in lines:
        if len(called[line]) != 1:
            unknown, ambiguous = _("The seat “{seat}” does not exist."), _("“{seat}” could be two different seats.")
            raise ValidationError({"seats": [(ambiguous if called[line] else unknown).format(seat=line)]})
    return [seat for line in lines for seat in called[line]]


def _as_called(text: str) -> str:
    return " ".join(text.split())


def next_free(batch: OfflineSalesBatch) -> list[Seat]:
    """
    As many seats of the product as the batch has tickets: the first free ones, in the order of the seating plan.

    :raises ValidationError: naming ``amount``, if there are too few
    """
    of_product = annotated(batch.event, batch.subevent).filter(product=batch.item)
    found = free(batch.event, batch.sales_channel, of_product)
    seats = list(islice(_apart(batch.event, found), batch.amount))
    if len(seats) < batch.amount:
        message = ngettext(
            "There is only {left} free seat left for this product.",
            "There are only {left} free seats left for this product.",
            len(seats),
        )
        raise ValidationError({"amount": [message.format(left=len(seats))]})
    return seats


def refuse_taken(batch: OfflineSalesBatch, seats: Sequence[Seat]) -> None:
    """
    A constant number of queries, to be asked under the host's locks.

    :raises SeatTaken: with the host's own message, for the first seat that is blocked, taken, or too close to one that
        is taken, be it by another ticket of this batch: they are sold to strangers
    """
    if not seats:
        return
    left = free_seats(batch.event, batch.subevent, batch.sales_channel, seats)
    for seat in seats:
        if seat.pk not in left:
            raise _taken(seat)
    for _seat, other in too_close(batch.event, seats):
        raise _taken(other)


def _apart(event: Event, seats: Iterable[Seat]) -> Iterator[Seat]:
    """Of these seats, one after the other, those that strangers may sit on together with the ones before."""
    distance, within_row = event.settings.seating_minimal_distance, event.settings.seating_distance_within_row
    if distance <= 0:
        yield from seats
        return
    #: By the square of the plan that they are in, each as wide as the distance.
    before: dict[tuple[float, float], list[Seat]] = defaultdict(list)
    for seat in seats:
        if seat.x is not None:
            x, y = seat.x // distance, seat.y // distance
            around = [other for dx in (-1, 0, 1) for dy in (-1, 0, 1) for other in before[x + dx, y + dy]]
            if any(are_close(seat, other, distance, within_row) for other in around):
                continue
            before[x, y].append(seat)
        yield seat


def _taken(seat: Seat) -> SeatTaken:
    return SeatTaken(_('The selected seat "{seat}" is not available.').format(seat=seat.name))
