"""
Papers of text, as the host's base class for invoices lays them out. It is documented for plugins that bring a renderer,
with its private methods; invoices that are made without us look as they always have.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

from pretix.base.invoicing.pdf import BaseReportlabInvoiceRenderer
from pretix.base.models import Event, Organizer
from pretix.presale.style import get_fonts
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, NextPageTemplate, Paragraph

from .fonts import LENDING, plain_paragraph, prepared, register_lending, runs

#: Of the ``stylesheet``, in points.
SMALL = 9


class NumberedCanvas(Canvas):
    """
    Pages that say how many there are, which is only known when the last one is done: each refers to a form, and all
    forms are drawn in the end.
    """

    def __init__(self, draw: Callable[[Canvas, int, int], None], font: str, *args: Any, **kwargs: Any):
        """
        :param draw: is given the number of the page, and how many there are
        :param font: that pages begin with; otherwise, it is one that is not in the file
        """
        super().__init__(*args, **kwargs | {"initialFontName": font})
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


class _OfOrganizer:
    """What the host asks of an event. Without a key, it has no fonts of its own."""

    pk = None

    def __init__(self, organizer):
        self.settings = organizer.settings


class TextPaper(BaseReportlabInvoiceRenderer):
    """
    A text that flows over a first page and others, in the font that has been chosen for invoices. All that is written
    with ``paragraph`` and ``write_line`` may be in any script: the host's other fonts, and ours, lend their letters.

    What else there is, once it is being built: ``stylesheet``, and the host's measures of a page in points:
    ``pagesize``, ``left_margin``, ``right_margin``, …
    """

    #: What is left free for others, in points: at the top of the first page, and at the bottom of each.
    head_height: float = 0
    foot_height: float = 0

    def __init__(self, looks: Event | Organizer):
        """:param looks: whose font and logo it has"""
        super().__init__(looks if isinstance(looks, Event) else _OfOrganizer(looks))  # type: ignore[arg-type]

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

    def paragraph(self, text: str, style: str) -> Paragraph:
        """:param style: of the ``stylesheet``"""
        return plain_paragraph(text, self.stylesheet[style], self.lending)

    def write_line(
        self, canvas: Canvas, left: float, bottom: float, text: str, size: float, bold: bool = False, shift: float = 0
    ) -> None:
        """:param shift: by how much of its own width it is moved to the left: all of it, if it is to end there"""
        fonts = (self.font_bold if bold else self.font_regular, *self.lending)
        parts = [(font, part, stringWidth(part, font, size)) for font, part in runs(prepared(text), fonts)]
        left -= shift * sum(width for _font, _part, width in parts)
        for font, part, width in parts:
            canvas.setFont(font, size)
            canvas.drawString(left, bottom, part)
            left += width

    def label(self, text: str) -> str:
        """In capital letters, where the language allows that."""
        return self._upper(text)

    def _get_stylesheet(self):
        """With ``Small`` and ``SmallBold``, each ``…Right``, too: for tables with many columns."""
        styles = super()._get_stylesheet()
        for name in ("Normal", "Bold"):
            for side in ("", "Right"):
                small = f"Small{name.removeprefix('Normal')}{side}"
                styles.add(ParagraphStyle(small, parent=styles[f"{name}{side}"], fontSize=SMALL, leading=SMALL + 2))
        return styles

    def _register_fonts(self):
        super()._register_fonts()
        register_lending()
        self.lending = ("OpenSans", *LENDING, *get_fonts(self.event, pdf_support_required=True))

    @property
    def canvas_class(self) -> Callable[..., Canvas]:
        return partial(NumberedCanvas, self.draw_page_number, self.font_regular)

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
