"""Makes pages of sheets: tickets in their places, marks where they are cut, and a text that says which sheet it is."""

from collections.abc import Callable, Sequence
from functools import partial

from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from .canvas import RenderedPage
from .document import TicketDocument
from .imposition import Place
from .laying import lay, transformation
from .marks import crop_marks, draw_marks, draw_text
from .plan import Plan


class SheetPages:
    """Adds the sheets of a plan to a document."""

    def __init__(self, plan: Plan, document: TicketDocument):
        self._plan, self._document, self._grid = plan, document, plan.grid
        draw = partial(draw_marks, lines=list(crop_marks(plan.grid, plan.bleed)))
        self._marks = document.keep(draw) if plan.sheet.crop_marks else ""

    def add(self, unit: int, places: Sequence[Sequence[RenderedPage]], tickets: Sequence[int]) -> None:
        """
        Add a sheet, and its back if it has one.

        :param places: the sides of what lies in each of them; none, where it stays empty
        :param tickets: numbers of those that lie there
        """
        fronts = [sides[0] if sides else None for sides in places]
        self._add_page(unit, fronts, self._grid.front, tickets, _("{batch}, sheet {number} of {total}"))
        if self._plan.sheet.duplex:
            backs = [sides[1] if len(sides) > 1 else None for sides in places]
            self._add_page(unit, backs, self._grid.back, tickets, _("{batch}, sheet {number} of {total}, back"))

    def _add_page(
        self,
        unit: int,
        pages: Sequence[RenderedPage | None],
        place: Callable[[int], Place],
        tickets: Sequence[int],
        text: str,
    ) -> None:
        code = [transformation(1, 0, 0, 1, *(length * mm for length in self._grid.sheet.offset)), self._marks]
        if self._plan.sheet.running_text:
            batch = f"{self._plan.batch.event.slug} {self._plan.batch}"
            text = text.format(batch=batch, number=unit, total=len(self._plan))
            code.append(self._document.record(partial(draw_text, grid=self._grid, bleed=self._plan.bleed, text=text)))
        code += (lay(page, place(index), self._grid) for index, page in enumerate(pages) if page)
        size = tuple(length * mm for length in self._grid.sheet.size)
        paper = (0, 0, *size)
        self._document.add_page(RenderedPage(size, paper, paper, "\n".join(code)), tickets)
