"""The organizer's letterhead, as the host's invoices have it: who sends it, the logo, the event, and a footer."""

import logging

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from ..host.helpers import PlainTextParagraph, ThumbnailingImageReader
from ..host.papers import TextPaper
from .heading import Heading

logger = logging.getLogger(__name__)

#: From the top of the page to what stands at its head, and from the left to its second column.
TOP, COLUMN = 17 * mm, 125 * mm

#: How wide the columns are.
SENDER_WIDTH, EVENT_WIDTH = 70 * mm, 65 * mm

#: The logo fits into a square between the columns.
LOGO_LEFT, LOGO_TOP, LOGO_SIZE = 95 * mm, 13 * mm, 25 * mm

#: Dots of the logo's image, an inch.
LOGO_RESOLUTION = 300

#: Of the footer, in points: the baseline of the last line, and the distance between lines.
FOOT, FOOT_LEADING = 25, 3.5 * mm

#: The name of an event has so many lines.
EVENT_LINES = 2

SMALL, NORMAL, HUGE = 8, 10, 30


class Letterhead(TextPaper):
    """A4, from the event's organizer. What it is about is written on it by others."""

    head_height = 75 * mm

    def __init__(self, event: Event, heading: Heading):
        """:param event: for the looks: logo and font"""
        super().__init__(event)
        self.heading = heading
        self._foot = heading.letter.footer.split("\n")
        self.foot_height = len(self._foot) * FOOT_LEADING

    def draw_page(self, canvas: Canvas) -> None:
        canvas.setFont(self.font_regular, SMALL)
        for above, line in enumerate(reversed(self._foot)):
            height = FOOT + above * FOOT_LEADING
            canvas.drawCentredString(self.pagesize[0] / 2, height, self.normalize(line.strip()))

    def draw_page_number(self, canvas: Canvas, page: int, pages: int) -> None:
        canvas.setFont(self.font_regular, SMALL)
        number = pgettext("invoice", "Page %d of %d") % (page, pages)
        canvas.drawRightString(self.pagesize[0] - self.right_margin, 10 * mm, self.normalize(number))

    def draw_first_page(self, canvas: Canvas) -> None:
        if self.heading.testmode:
            self._draw_testmode(canvas)
        self._write(canvas, self.heading.letter.sender, "InvoiceFrom", self.left_margin, SENDER_WIDTH)
        if self.event.settings.invoice_logo_image:
            self._draw_logo(canvas)
        self._draw_event(canvas)

    def write_labeled(self, canvas: Canvas, top: float, label: str, value: str) -> None:
        """
        A line in the second column, below its label.

        :param top: of the label's baseline, from the top of the page
        """
        self._write_label(canvas, top, label)
        canvas.setFont(self.font_regular, NORMAL)
        canvas.drawString(COLUMN, self.pagesize[1] - top - 5 * mm, self.normalize(value))

    def _write_label(self, canvas, top, label):
        canvas.setFont(self.font_bold, SMALL)
        canvas.drawString(COLUMN, self.pagesize[1] - top, self.normalize(self.label(label)))

    def _write(self, canvas, text, style, left, width):
        paragraph = PlainTextParagraph(text, self.stylesheet[style])
        _width, height = paragraph.wrapOn(canvas, width, self.head_height)
        paragraph.drawOn(canvas, left, self.pagesize[1] - TOP - height)

    def _draw_testmode(self, canvas):
        canvas.saveState()
        canvas.setFont(self.font_bold, HUGE)
        canvas.setFillColorRGB(1, 0, 0)
        right, height = self.pagesize[0] - self.right_margin, self.pagesize[1] - 100 * mm
        canvas.drawRightString(right, height, self.normalize(_("TEST MODE")))
        canvas.restoreState()

    def _draw_logo(self, canvas):
        """On white, as on the host's invoices. A picture that can't be made smaller is drawn as it is."""
        logo = ThumbnailingImageReader(self.event.settings.get("invoice_logo_image", binary_file=True))
        try:
            logo.resize(LOGO_SIZE, LOGO_SIZE, LOGO_RESOLUTION)
            logo.remove_transparency()
        except Exception:
            logger.exception("The logo of event %s could not be prepared", self.event.pk)
        bottom = self.pagesize[1] - LOGO_TOP - LOGO_SIZE
        canvas.drawImage(
            logo, LOGO_LEFT, bottom, LOGO_SIZE, LOGO_SIZE, preserveAspectRatio=True, anchor="n", mask="auto"
        )

    def _draw_event(self, canvas):
        lines = [self._shortened(self.heading.letter.event), self.heading.letter.event_dates]
        self._write(canvas, "\n".join(filter(None, lines)), "Normal", COLUMN, EVENT_WIDTH)
        self._write_label(canvas, 15 * mm, pgettext("invoice", "Event"))

    def _shortened(self, name: str) -> str:
        """Words are left out at the end until it fits."""
        style, words, shown = self.stylesheet["Normal"], name.split(), name
        while words and self._height(shown, style) > EVENT_LINES * style.leading:
            words.pop()
            shown = " ".join(words) + "…"
        return shown

    def _height(self, text: str, style: ParagraphStyle) -> float:
        _width, height = PlainTextParagraph(text, style).wrap(EVENT_WIDTH, self.head_height)
        return height
