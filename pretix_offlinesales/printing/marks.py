"""Draws what is around the tickets of a sheet: marks where it is cut, and at the edge which sheet it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from reportlab.lib.colors import black
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from .imposition import Grid

#: Crop marks begin so far from the tickets, are so long, and are left out where there is less room. In millimetres.
MARK_DISTANCE, MARK_LENGTH, MARK_MINIMUM = 1, 5, 0.8

#: How thick they are, in points.
MARK_WIDTH = 0.25

#: The text at the edge: points, and what it keeps free on each side, in millimetres.
FONT, FONT_SIZE, TEXT_SPACE = "Open Sans", 6, 1

#: From one point to another, in millimetres.
Line = tuple[float, float, float, float]


def crop_marks(grid: Grid, bleed: float) -> Iterator[Line]:
    """Lines in line with the edges of all tickets, outside of all of them and of what is printed beyond their edges."""
    distance = max(MARK_DISTANCE, bleed)
    width, height = grid.ticket
    columns = sorted((left, left + width) for left in grid.lefts)
    rows = sorted((bottom, bottom + height) for bottom in grid.bottoms)
    paper_width, paper_height = grid.sheet.size
    for low, high in _gaps(rows, paper_height, distance):
        for x in sorted({round(x, 4) for column in columns for x in column}):
            yield x, low, x, high
    for low, high in _gaps(columns, paper_width, distance):
        for y in sorted({round(y, 4) for row in rows for y in row}):
            yield low, y, high, y


def _gaps(lengths: list[tuple[float, float]], paper: float, distance: float) -> Iterator[tuple[float, float]]:
    """Where marks begin and end that have room before, between or after these."""
    first, last = lengths[0][0] - distance, lengths[-1][1] + distance
    gaps = [(max(0, first - MARK_LENGTH), first)]
    gaps += [(end + distance, begin - distance) for (_begin, end), (begin, _end) in pairwise(lengths)]
    gaps += [(last, min(paper, last + MARK_LENGTH))]
    return ((low, high) for low, high in gaps if high - low >= MARK_MINIMUM)


def draw_marks(canvas: Canvas, lines: Iterable[Line]) -> None:
    canvas.setLineWidth(MARK_WIDTH)
    canvas.setStrokeColor(black)
    canvas.lines([tuple(length * mm for length in line) for line in lines])


@dataclass(frozen=True)
class Strip:
    """Room for a line of text: where it begins, and how long it can be, in millimetres; upwards, if it is turned."""

    left: float
    bottom: float
    length: float
    turned: bool = False


def text_strip(grid: Grid, bleed: float) -> Strip | None:
    """
    Beside the first ticket or the last one, where there is room at the edge of the paper: as near to the ticket as can
    be, since printers leave the edge blank, and between the crop marks.
    """
    distance, height = max(MARK_DISTANCE, bleed), FONT_SIZE / mm
    needed = distance + height + TEXT_SPACE
    left, bottom = grid.lefts[0], grid.bottoms[-1]
    width, length = (side - 2 * TEXT_SPACE for side in grid.ticket)
    if bottom >= needed:  # as much is free at the top
        return Strip(left + TEXT_SPACE, bottom - distance - height * 0.8, width)
    if left >= needed:
        return Strip(left - distance - height * 0.2, bottom + TEXT_SPACE, length, turned=True)
    return None


def draw_text(canvas: Canvas, grid: Grid, bleed: float, text: str) -> None:
    strip = text_strip(grid, bleed)
    if not strip:
        return
    canvas.saveState()
    canvas.translate(strip.left * mm, strip.bottom * mm)
    canvas.rotate(90 if strip.turned else 0)
    canvas.setFillColor(black)
    canvas.setFont(FONT, min(FONT_SIZE, FONT_SIZE * strip.length * mm / stringWidth(text, FONT, FONT_SIZE)))
    canvas.drawString(0, 0, text)
    canvas.restoreState()
