"""
Papers of text, as the host's base class for invoices lays them out. It is documented for plugins that bring a renderer,
with its private methods; invoices that are made without us look as they always have.
"""

from io import BytesIO
from typing import BinaryIO

from pretix.base.invoicing.pdf import BaseReportlabInvoiceRenderer
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, NextPageTemplate


class TextPaper(BaseReportlabInvoiceRenderer):
    """
    A text that flows over a first page and others, in the font that the event has chosen for its invoices.

    What there is to write with, once it is being built: ``stylesheet``, ``font_regular`` and ``font_bold``, and the
    host's measures of a page in points: ``pagesize``, ``left_margin``, ``right_margin``, …
    """

    #: What is left free for others, in points: at the top of the first page, and at the bottom of each.
    head_height = foot_height = 0
    #: How many pages there are, once that is known.
    pages = 0

    def build(self, output: BinaryIO) -> None:
        """Write the PDF. It is laid out twice, since each page says how many there are."""
        self.pages = self._build_doc(BytesIO()).page
        self._build_doc(output)

    def text(self, width: float) -> list[Flowable]:
        """
        Called as often as it is laid out.

        :param width: of the lines, in points
        """
        raise NotImplementedError

    def draw_first_page(self, canvas: Canvas) -> None:
        """What is on it besides the text."""

    def draw_page(self, canvas: Canvas) -> None:
        """What is on each page besides the text; on the first page, it comes first."""

    def draw_page_number(self, canvas: Canvas) -> None:
        """The number of each page, and how many there are: the last thing that is read before the text."""

    def normalize(self, text: str) -> str:
        """What ReportLab must be told, that knows no combining characters and no right-to-left scripts."""
        return self._normalize(text)

    def label(self, text: str) -> str:
        """In capital letters, where the language allows that."""
        return self._upper(text)

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
        self._draw(canvas, self.draw_page, self.draw_first_page, self.draw_page_number)

    def _on_other_page(self, canvas, doc):
        self._draw(canvas, self.draw_page, self.draw_page_number)

    def _draw(self, canvas, *steps):
        for step in steps:
            canvas.saveState()
            step(canvas)
            canvas.restoreState()
