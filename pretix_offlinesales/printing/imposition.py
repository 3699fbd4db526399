"""A sheet is drawn: tickets in their places, marks where it is cut, and at the edge which sheet it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from django.utils.translation import gettext as _
from reportlab.lib.colors import black
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from .canvas import Drawing
from .document import TicketDocument
from .laying import lay, transformation
from .plan import Plan
from .sheets import Grid, Place

#: Crop marks begin so far from the tickets, are so long, and are left out where there is less room. In millimetres.
MARK_DISTANCE, MARK_LENGTH, MARK_MINIMUM = 1, 5, 0.8

#: How thick they are, in points.
MARK_WIDTH = 0.25

#: The text at the edge: points, and what it keeps free on each side, in millimetres.
FONT, FONT_SIZE, TEXT_SPACE = "Open Sans", 6, 1

#: From one point to another, in millimetres.
Line = tuple[float, float, float, float]


class Imposition:
    """Draws the sheets of a plan in a document."""

    def __init__(self, plan: Plan, document: TicketDocument):
        self._plan, self._document, self._grid = plan, document, plan.grid
        draw = partial(_draw_marks, lines=list(crop_marks(plan.grid, plan.bleed)))
        self._marks = document.keep(draw) if plan.sheet.crop_marks else ""

    def draw(self, unit: int, places: Sequence[Sequence[Drawing]], tickets: Sequence[int]) -> None:
        """
        Add a sheet, and its back if it has one.

        :param places: the sides of what lies in each of them; none, where it stays empty
        :param tickets: numbers of those that lie there
        """
        fronts = [sides[0] if sides else None for sides in places]
        self._add(unit, fronts, self._grid.front, tickets, _("{batch}, sheet {number} of {total}"))
        if self._plan.sheet.duplex:
            backs = [sides[1] if len(sides) > 1 else None for sides in places]
            self._add(unit, backs, self._grid.back, tickets, _("{batch}, sheet {number} of {total}, back"))

    def _add(
        self,
        unit: int,
        drawings: Sequence[Drawing | None],
        place: Callable[[int], Place],
        tickets: Sequence[int],
        text: str,
    ) -> None:
        code = [transformation(1, 0, 0, 1, *(length * mm for length in self._grid.sheet.offset)), self._marks]
        if self._plan.sheet.running_text:
            batch = f"{self._plan.batch.event.slug} {self._plan.batch}"
            text = text.format(batch=batch, number=unit, total=len(self._plan))
            code.append(self._document.record(partial(_draw_text, grid=self._grid, bleed=self._plan.bleed, text=text)))
        code += (
            lay(drawing, place(index), self._grid) for index, drawing in enumerate(drawings) if drawing
        )
        size = tuple(length * mm for length in self._grid.sheet.size)
        paper = (0, 0, *size)
        self._document.add_page(Drawing(size, paper, paper, "\n".join(code)), tickets)


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


def _draw_marks(canvas: Canvas, lines: Iterable[Line]) -> None:
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


def _draw_text(canvas: Canvas, grid: Grid, bleed: float, text: str) -> None:
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
