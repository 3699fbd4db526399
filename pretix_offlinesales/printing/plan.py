"""
Plans what is printed, and where: the tickets that were chosen, on pages of their own or on sheets.

That is decided when somebody asks for it. Workers read it from the job, so that all of them lay the same ticket in the
same place. The place of a ticket that was canceled meanwhile stays empty.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain, groupby
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from ..models import JobFailed, OfflineSalesBatch
from ..tickets.numbers import format_numbers
from ..tickets.origin import Origin
from .canvas import RenderedPage
from .choice import nothing_to_print, numbers_of
from .document import TicketDocument
from .imposition import Grid, impose
from .laying import check
from .limits import Preview
from .sheets import Sheet, SheetOrder
from .tickets import PositionKind, examples, kinds_of_positions, positions_to_print

if TYPE_CHECKING:
    from .look import Look

#: So many tickets are rendered together at most: what it takes is memory for them, and fonts and forms once more.
PART_SIZE = 1_000


def request_data(batch: OfflineSalesBatch, numbers: Sequence[int] | None = None, sheet: Sheet | None = None) -> dict:
    """
    What a job remembers of the request: nothing, if all tickets are printed on pages of their own.

    :param numbers: of ``choose``, which is needed for sheets
    :raises ValidationError: by the key of the sheet, if the tickets don't fit on it
    :raises JobFailed: if the layout can't be used, or if it is too large to look at while somebody waits
    """
    if numbers is None:
        return {}
    data = {"tickets": format_numbers(numbers)}
    return data | _data_of_sheets(batch, numbers, sheet) if sheet else data


def _data_of_sheets(batch: OfflineSalesBatch, numbers: Sequence[int], sheet: Sheet) -> dict:
    kinds = kinds_of_positions(batch, numbers)
    event, known = examples(batch, kinds)
    if not known:
        raise JobFailed(nothing_to_print(chosen=True))
    document = TicketDocument(event, batch.layout, preview=Preview())
    rendered = {kind: document.render(position) for kind, (position, _is_ticket) in known.items()}
    pages = list(chain.from_iterable(rendered.values()))
    most_pages = max(map(len, rendered.values()))
    if sheet.duplex and most_pages > 2:
        message = _("The tickets have {pages} pages. Only two can be front and back.")
        raise ValidationError({"duplex": message.format(pages=most_pages)})
    ticket = [max(lengths) / mm for lengths in zip(*(page.trim_size for page in pages), strict=True)]
    check(pages, impose(sheet, ticket))

    counts: dict[tuple[PositionKind, ...], int] = {}
    for positions in set(map(tuple, kinds.values())):
        left = [kind for kind in positions if kind in known]  # as long as nobody has canceled them meanwhile
        printed = positions_to_print(left, lambda kind: known[kind][1])
        counts[positions] = sum(len(pieces_of(rendered[kind], sheet)) for kind in printed)
    pieces = (counts[tuple(positions)] for positions in kinds.values())
    return {
        "sheet": sheet.data,
        "ticket": ticket,
        "bleed": max(page.bleed_size for page in pages) / mm,
        # Mostly, all tickets have as many pieces. So they are counted: [[10000, 1]].
        "pieces": [[len(list(same)), count] for count, same in groupby(pieces)],
    }


def pieces_of(pages: list[RenderedPage], sheet: Sheet) -> list[list[RenderedPage]]:
    """The pages of a position as what lies in one place each: front and back, or one of them."""
    return [pages] if sheet.duplex else [[page] for page in pages]


class Plan:
    """What a job prints. It is done in units: a ticket, or a sheet of them. They are counted from 1."""

    def __init__(self, batch: OfflineSalesBatch, data: dict | None = None, look: "Look | None" = None):
        """
        :param data: of ``request_data``
        :param look: without it, tickets look as they would now
        """
        self.batch, self.look = batch, look
        self._data = data or {}
        self.sheet: Sheet | None = Sheet.parse(self._data["sheet"]) if "sheet" in self._data else None
        self.grid: Grid | None = impose(self.sheet, tuple(self._data["ticket"])) if self.sheet else None
        #: How far beyond their edges tickets are printed, in millimetres.
        self.bleed: float = self._data.get("bleed", 0)

    @property
    def is_chosen(self) -> bool:
        """Whether these may be some of the tickets only."""
        return "tickets" in self._data

    @cached_property
    def numbers(self) -> Sequence[int]:
        """Of the tickets."""
        return numbers_of(self.batch, self._data.get("tickets", ""))

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
        counts = (count for same, count in self._data["pieces"] for _ticket in range(same))
        return dict(zip(self.numbers, counts, strict=True))

    @cached_property
    def _pieces(self) -> list[tuple[int, int]]:
        return [(number, piece) for number, count in self.count_of_pieces.items() for piece in range(count)]

    def label(self, number: int) -> str:
        """What the ticket with this number is called."""
        numbers = self.batch.numbers
        return Origin(self.batch.pk, number, self.batch.amount, first=numbers.start).padded_number
