"""What lies in the places of sheets: pieces of tickets, which are rendered when the first of their pieces is laid."""

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from ..models import JobFailed
from .canvas import RenderedPage
from .plan import Plan
from .request import pieces_of
from .tickets import Printed, ValidTickets


class RenderedTicket(NamedTuple):
    number: int
    #: The pages of each of its positions.
    positions: dict[Printed, list[RenderedPage]]


class Piece(NamedTuple):
    position: Printed
    #: The front, and the back if it has one.
    sides: list[RenderedPage]


class Pieces:
    """The pieces of tickets. A ticket is rendered when it is first asked for, and may be asked for again."""

    def __init__(self, plan: Plan, tickets: ValidTickets, rendering: Iterator[RenderedTicket]):
        """:param rendering: renders these tickets one by one, in the order in which they are first asked for"""
        self._plan, self._tickets, self._rendering = plan, tickets, rendering
        self._rendered: dict[int, list[Piece]] = {}

    def get(self, number: int, index: int) -> Piece | None:
        """
        Nothing, if it isn't there any more.

        :raises JobFailed: if there is more to print of this ticket than there is place for
        """
        while number in self._tickets and number not in self._rendered:
            self._keep(next(self._rendering))
        pieces = self._rendered.get(number, [])
        return pieces[index] if index < len(pieces) else None

    def _keep(self, ticket: RenderedTicket) -> None:
        pieces = [
            Piece(position, sides)
            for position, pages in ticket.positions.items()
            for sides in pieces_of(pages, self._plan.sheet)
        ]
        if len(pieces) > self._plan.count_of_pieces[ticket.number] or any(len(piece.sides) > 2 for piece in pieces):
            # Its layout is another one than that of the others, or something was changed since it was asked for.
            raise JobFailed(_("Some tickets have more pages than others, so they cannot be printed on sheets."))
        self._rendered[ticket.number] = pieces
