"""
Papers of text, as the host's base class for invoices lays them out. It is documented for plugins that bring a renderer,
with its private methods; invoices that are made without us look as they always have.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

from pretix.base.invoicing.pdf import BaseReportlabInvoiceRenderer
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, NextPageTemplate


class NumberedCanvas(Canvas):
    """
    Pages that say how many there are, which is only known when the last one is done: each refers to a form, and all
    forms are drawn in the end.
    """

    def __init__(self, draw: Callable[[Canvas, int, int], None], *args: Any, **kwargs: Any):
        """:param draw: is given the number of the page, and how many there are"""
        super().__init__(*args, **kwargs)
        self._draw = draw

    def showPage(self):
        self.doForm(_form(self.getPageNumber()))
        super().showPage()

    def save(self):
        pages = self.getPageNumber() - 1
        for page in range(1, pages + 1):
            self.beginForm(_form(page))
            self._draw(self, page, pages)
            self.endForm()
        super().save()


def _form(page: int) -> str:
    return f"PageNumber{page}"


class TextPaper(BaseReportlabInvoiceRenderer):
    """
    A text that flows over a first page and others, in the font that the event has chosen for its invoices.

    What there is to write with, once it is being built: ``stylesheet``, ``font_regular`` and ``font_bold``, and the
    host's measures of a page in points: ``pagesize``, ``left_margin``, ``right_margin``, …
    """

    #: What is left free for others, in points: at the top of the first page, and at the bottom of each.
    head_height: float = 0
    foot_height: float = 0

    def build(self, output: BinaryIO) -> None:
        """Write the PDF."""
        self._build_doc(output)

    def text(self, width: float) -> list[Flowable]:
        """:param width: of the lines, in points"""
        raise NotImplementedError

    def draw_first_page(self, canvas: Canvas) -> None:
        """What is on it besides the text."""

    def draw_page(self, canvas: Canvas) -> None:
        """What is on each page besides the text; on the first page, it comes first."""

    def draw_page_number(self, canvas: Canvas, page: int, pages: int) -> None:
        """On each page, how many there are: called when all are done."""

    def normalize(self, text: str) -> str:
        """What ReportLab must be told, that knows no combining characters and no right-to-left scripts."""
        return self._normalize(text)

    def label(self, text: str) -> str:
        """In capital letters, where the language allows that."""
        return self._upper(text)

    @property
    def canvas_class(self) -> Callable[..., Canvas]:
        return partial(NumberedCanvas, self.draw_page_number)

    def _get_story(self, doc):
        return [NextPageTemplate("OtherPages"), *self.text(doc.width)]

    def _get_first_page_frames(self, doc):
        return [self._frame(doc, doc.height - self.head_height)]

    def _get_other_page_frames(self, doc):
        return [self._frame(doc, doc.height)]

    def _frame(self, doc, height):
        padding = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": self.foot_height}
        return Frame(doc.leftMargin, doc.bottomMargin, doc.width, height, **padding)

    def _on_first_page(self, canvas, doc):
        self._draw(canvas, self.draw_page, self.draw_first_page)

    def _on_other_page(self, canvas, doc):
        self._draw(canvas, self.draw_page)

    def _draw(self, canvas, *steps):
        for step in steps:
            canvas.saveState()
            step(canvas)
            canvas.restoreState()
