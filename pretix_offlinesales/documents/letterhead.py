"""The organizer's letterhead, as the host's invoices have it: who sends it, the logo, the event, and a footer."""

import logging

from django.utils.translation import gettext as _, pgettext
from pretix.base.models import Event, Organizer
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from ..host.helpers import ThumbnailingImageReader
from ..host.papers import TextPaper
from .heading import Letter

logger = logging.getLogger(__name__)

#: From the top of the page to what stands at its head, and from the left to its second column.
TOP, COLUMN = 17 * mm, 125 * mm

#: How wide the columns are.
SENDER_WIDTH, EVENT_WIDTH = 70 * mm, 65 * mm

#: Where whoever gets it is written, as in the window of an envelope: from the top of the page, and how wide.
ADDRESS_TOP, ADDRESS_WIDTH = 52 * mm, 85 * mm

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
    """A4, from the organizer. What it is about is written on it by others."""

    head_height = 75 * mm

    def __init__(self, looks: Event | Organizer, letter: Letter, testmode: bool = False):
        super().__init__(looks)
        self.letter, self.testmode = letter, testmode
        self._foot = letter.footer.split("\n")
        self.foot_height = len(self._foot) * FOOT_LEADING

    def draw_page(self, canvas: Canvas) -> None:
        for above, line in enumerate(reversed(self._foot)):
            height = FOOT + above * FOOT_LEADING
            self.write_line(canvas, self.pagesize[0] / 2, height, line.strip(), SMALL, shift=0.5)

    def draw_page_number(self, canvas: Canvas, page: int, pages: int) -> None:
        number = pgettext("invoice", "Page %d of %d") % (page, pages)
        self.write_right(canvas, 10 * mm, number)

    def draw_first_page(self, canvas: Canvas) -> None:
        if self.testmode:
            self._draw_testmode(canvas)
        self._write(canvas, self.letter.sender, "InvoiceFrom", self.left_margin, TOP, SENDER_WIDTH)
        if self.event.settings.invoice_logo_image:
            self._draw_logo(canvas)
        if self.letter.event:
            self._draw_event(canvas)

    def write_right(self, canvas: Canvas, bottom: float, text: str) -> None:
        """A small line that ends at the right margin."""
        self.write_line(canvas, self.pagesize[0] - self.right_margin, bottom, text, SMALL, shift=1)

    def write_address(self, canvas: Canvas, text: str) -> None:
        self._write(canvas, text, "Normal", self.left_margin, ADDRESS_TOP, ADDRESS_WIDTH)

    def write_labeled(self, canvas: Canvas, top: float, label: str, value: str) -> None:
        """
        A line in the second column, below its label.

        :param top: of the label's baseline, from the top of the page
        """
        self._write_label(canvas, top, label)
        self.write_line(canvas, COLUMN, self.pagesize[1] - top - 5 * mm, value, NORMAL)

    def _write_label(self, canvas, top, label):
        self.write_line(canvas, COLUMN, self.pagesize[1] - top, self.label(label), SMALL, bold=True)

    def _write(self, canvas, text, style, left, top, width):
        paragraph = self.paragraph(text, style)
        _width, height = paragraph.wrapOn(canvas, width, self.head_height)
        paragraph.drawOn(canvas, left, self.pagesize[1] - top - height)

    def _draw_testmode(self, canvas):
        canvas.saveState()
        canvas.setFillColorRGB(1, 0, 0)
        right, height = self.pagesize[0] - self.right_margin, self.pagesize[1] - 100 * mm
        self.write_line(canvas, right, height, _("TEST MODE"), HUGE, bold=True, shift=1)
        canvas.restoreState()

    def _draw_logo(self, canvas):
        """On white, as on the host's invoices. A picture that can't be made smaller is drawn as it is."""
        logo = ThumbnailingImageReader(self.event.settings.get("invoice_logo_image", binary_file=True))
        try:
            logo.resize(LOGO_SIZE, LOGO_SIZE, LOGO_RESOLUTION)
            logo.remove_transparency()
        except Exception:
            logger.exception("The logo of %s could not be prepared", self.letter.event or self.letter.sender)
        bottom = self.pagesize[1] - LOGO_TOP - LOGO_SIZE
        canvas.drawImage(
            logo, LOGO_LEFT, bottom, LOGO_SIZE, LOGO_SIZE, preserveAspectRatio=True, anchor="n", mask="auto"
        )

    def _draw_event(self, canvas):
        lines = [self._shortened(self.letter.event), self.letter.event_dates]
        self._write(canvas, "\n".join(filter(None, lines)), "Normal", COLUMN, TOP, EVENT_WIDTH)
        self._write_label(canvas, 15 * mm, pgettext("invoice", "Event"))

    def _shortened(self, name: str) -> str:
        """Words are left out at the end until it fits."""
        words, shown = name.split(), name
        most = EVENT_LINES * self.stylesheet["Normal"].leading
        while words and self._height(shown) > most:
            words.pop()
            shown = " ".join(words) + "…"
        return shown

    def _height(self, text: str) -> float:
        _width, height = self.paragraph(text, "Normal").wrap(EVENT_WIDTH, self.head_height)
        return height
