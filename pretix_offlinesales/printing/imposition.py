"""
Imposes sheets: finds out how many tickets of one size fit on a sheet, and where each of them lies.

Lengths are in millimetres, places are counted from the lower left corner of the paper.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .sheets import MAX_COLUMNS, Duplex, Pair, Sheet, plain_length

#: A ticket may be larger by so much than the place that it has, since its size in the layout is mostly one that was
#: rounded to whole points, of 0.35 mm: what is called A6 must fit on A4 four times.
TOLERANCE = 0.2


@dataclass(frozen=True)
class Place:
    """Where one side of a ticket lies, and how it is turned there, counterclockwise."""

    left: float
    bottom: float
    degrees: int


@dataclass(frozen=True)
class Grid:
    """The places of tickets of one size on a sheet, in rows from the top and from left to right. Made by ``impose``."""

    sheet: Sheet
    columns: int
    rows: int
    #: Width and height of a place, as it lies.
    cell: Pair
    #: Of a ticket, as it lies; not larger than its place.
    ticket: Pair
    #: The tickets are turned by 90°.
    rotated: bool

    def __len__(self) -> int:
        return self.columns * self.rows

    @property
    def lefts(self) -> list[float]:
        """Where the tickets of each column begin, from the left, before the offset."""
        return self._begins(0, self.columns)

    @property
    def bottoms(self) -> list[float]:
        """Where the tickets of each row begin, from the top, before the offset."""
        return self._begins(1, self.rows)[::-1]

    def _begins(self, axis: int, count: int) -> list[float]:
        cell, gutter = self.cell[axis], self.sheet.gutter[axis]
        used = count * cell + (count - 1) * gutter
        first = (self.sheet.size[axis] - used + cell - self.ticket[axis]) / 2
        return [first + number * (cell + gutter) for number in range(count)]

    def front(self, index: int) -> Place:
        row, column = divmod(index, self.columns)
        return Place(self.lefts[column], self.bottoms[row], 90 if self.rotated else 0)

    def back(self, index: int) -> Place:
        """
        On the other side of the paper, as you see it after it was turned: where it meets the front, and so that the
        ticket is turned like a page of a book, whichever way the printer turns the sheet.
        """
        width, height = self.sheet.size
        front = self.front(index)
        if (self.sheet.duplex == Duplex.LONG) == (height >= width):
            return Place(width - front.left - self.ticket[0], front.bottom, -front.degrees % 360)
        return Place(front.left, height - front.bottom - self.ticket[1], 180 - front.degrees)


def impose(sheet: Sheet, ticket: Pair) -> Grid:
    """
    Lay tickets of this size on the sheet.

    :raises ValidationError: by key, with a message that says what would fit
    """
    ways = [False, True] if sheet.rotate is None else [sheet.rotate]
    if sheet.cell:
        ways = [rotated for rotated in ways if _holds(sheet.cell, _turned(ticket, rotated))]
        if not ways:
            raise ValidationError({"cell": _too_large(ticket, sheet.cell)})
    most = {rotated: _most(sheet, sheet.cell or _turned(ticket, rotated)) for rotated in ways}
    if sheet.columns:
        fitting = [way for way in ways if most[way][0] >= sheet.columns and most[way][1] >= sheet.rows]
        if not fitting:
            raise ValidationError(_does_not_fit(sheet, ticket, most))
        rotated, counts = fitting[0], (sheet.columns, sheet.rows)
    else:
        rotated = max(ways, key=lambda way: most[way][0] * most[way][1])  # the first of several
        counts = most[rotated]
        if not all(counts):
            raise ValidationError(_does_not_fit(sheet, ticket, most))
    cell = _squeezed(sheet, sheet.cell or _turned(ticket, rotated), counts)
    lies = tuple(min(lengths) for lengths in zip(_turned(ticket, rotated), cell, strict=True))
    return Grid(sheet, *counts, cell=cell, ticket=lies, rotated=rotated)


def _turned(size: Pair, rotated: bool) -> Pair:
    return size[::-1] if rotated else size


def _holds(outer: Pair, inner: Pair) -> bool:
    return all(there + TOLERANCE >= wanted for there, wanted in zip(outer, inner, strict=True))


def _most(sheet: Sheet, cell: Pair) -> tuple[int, int]:
    """How many columns and rows fit."""
    return tuple(
        min(MAX_COLUMNS, int((free + gutter + 1e-9) // max(size + gutter - TOLERANCE, TOLERANCE)))
        for free, gutter, size in zip(sheet.free, sheet.gutter, cell, strict=True)
    )


def _squeezed(sheet: Sheet, cell: Pair, counts: tuple[int, int]) -> Pair:
    """The places, if there are so many of them: smaller where they fitted with some tolerance only."""
    return tuple(
        min(size, (free + gutter) / count - gutter)
        for size, free, gutter, count in zip(cell, sheet.free, sheet.gutter, counts, strict=True)
    )


def _does_not_fit(sheet: Sheet, ticket: Pair, most: dict[bool, tuple[int, int]]) -> dict[str, str]:
    """What would fit instead, by the key that is to blame."""
    columns, rows = max(most.values(), key=lambda counts: counts[0] * counts[1])
    if not columns * rows:
        return {"paper": _too_large(sheet.cell or ticket, sheet.free)}
    message = _("At most {columns} × {rows} tickets of {width} × {height} mm fit on this sheet.")
    width, height = sheet.cell or ticket
    message = message.format(width=plain_length(width), height=plain_length(height), columns=columns, rows=rows)
    wanted = {"columns": (sheet.columns, columns), "rows": (sheet.rows, rows)}
    return {key: message for key, (count, fits) in wanted.items() if count > fits} or {"columns": message}


def _too_large(ticket: Pair, free: Pair) -> str:
    message = _("Tickets of {width} × {height} mm do not fit. At most {free_width} × {free_height} mm do.")
    return message.format(
        width=plain_length(ticket[0]),
        height=plain_length(ticket[1]),
        free_width=plain_length(free[0]),
        free_height=plain_length(free[1]),
    )
