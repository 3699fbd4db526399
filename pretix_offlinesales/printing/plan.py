"""
Plans what is printed, and where: the tickets that were chosen, on pages of their own or on sheets.

That is decided when somebody asks for it. Workers read it from the job, so that all of them lay the same ticket in the
same place. The place of a ticket that was canceled meanwhile stays empty.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ..models import OfflineSalesBatch
from ..tickets.origin import Origin
from .choice import numbers_of
from .imposition import Grid, impose
from .request import EVERYTHING, PrintRequest
from .sheets import Sheet, SheetOrder

if TYPE_CHECKING:
    from .look import Look

#: So many tickets are rendered together at most: what it takes is memory for them, and fonts and forms once more.
PART_SIZE = 1_000


class Plan:
    """What a job prints. It is done in units: a ticket, or a sheet of them. They are counted from 1."""

    def __init__(
        self, batch: OfflineSalesBatch, request: PrintRequest = EVERYTHING, look: "Look | None" = None
    ):
        """:param look: without it, tickets look as they would now"""
        self.batch, self.look = batch, look
        self._request = request
        self.sheet: Sheet | None = Sheet.parse(request.sheet) if request.sheet else None
        self.grid: Grid | None = impose(self.sheet, tuple(request.ticket)) if self.sheet else None
        #: How far beyond their edges tickets are printed, in millimetres.
        self.bleed: float = request.bleed

    @property
    def is_chosen(self) -> bool:
        """Whether these may be some of the tickets only."""
        return bool(self._request.tickets)

    @cached_property
    def numbers(self) -> Sequence[int]:
        """Of the tickets."""
        return numbers_of(self.batch, self._request.tickets)

    def __len__(self) -> int:
        """How many units these are."""
        return -(-len(self._pieces) // len(self.grid)) if self.grid else len(self.numbers)

    def parts(self) -> list[range]:
        """The units in parts, to be printed one by one or at the same time, by different workers."""
        units, size = range(1, len(self) + 1), max(1, PART_SIZE // len(self.grid)) if self.grid else PART_SIZE
        return [units[start : start + size] for start in range(0, len(units), size)]

    def tickets(self, units: range) -> list[int]:
        """The numbers of the tickets in these units, in the order in which they come; each once."""
        if not self.grid:
            return [self.numbers[unit - 1] for unit in units]
        return list(dict.fromkeys(number for unit in units for number, _index in self.on_sheet(unit)))

    def on_sheet(self, unit: int) -> list[tuple[int, int]]:
        """What lies on a sheet, by place: numbers of tickets, and which piece of each. The last places may be free."""
        first, places = unit - 1, len(self.grid)
        if self.sheet.order == SheetOrder.STACK:
            return self._pieces[first :: len(self)]
        return self._pieces[first * places : (first + 1) * places]

    @cached_property
    def count_of_pieces(self) -> dict[int, int]:
        """By the number of the ticket."""
        counts = (count for same, count in self._request.pieces for _ticket in range(same))
        return dict(zip(self.numbers, counts, strict=True))

    @cached_property
    def _pieces(self) -> list[tuple[int, int]]:
        return [(number, piece) for number, count in self.count_of_pieces.items() for piece in range(count)]

    def label(self, number: int) -> str:
        """What the ticket with this number is called."""
        numbers = self.batch.numbers
        return Origin(self.batch.pk, number, self.batch.amount, first=numbers.start).padded_number
