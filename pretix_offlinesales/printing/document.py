"""The file that the tickets of a batch are drawn in."""

import json
import logging
import zlib
from io import BytesIO
from typing import BinaryIO

import pikepdf
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from pretix.base.i18n import language
from pretix.base.models import Event, Order, OrderPosition
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from pretix.plugins.ticketoutputpdf.ticketoutput import PdfTicketOutput
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream
from reportlab.pdfgen.canvas import Canvas

from ..models import JobFailed
from .renderer import TicketRenderer

logger = logging.getLogger(__name__)


class TicketDocument(PdfTicketOutput):
    """
    The host's ticket output, except that all tickets are drawn in one file. With a layout, that one is used for all of
    them; without, each gets what the host chooses for it, plugins asked.
    """

    def __init__(self, event: Event, layout: TicketLayout | None = None):
        super().__init__(event)
        self.layout = layout
        self._buffer = BytesIO()
        self._register_fonts()
        self._canvas = TicketCanvas(self._buffer)
        self._renderers: dict[tuple[str, str], TicketRenderer] = {}

    def draw(self, position: OrderPosition):
        if self.layout:
            with language(position.order.locale, self.event.settings.region):
                self._draw_page(self.layout, position, position.order)
        else:
            self.generate(position)  # chooses the layout and calls ``_draw_page``

    def save(self, output: BinaryIO, title: str):
        self._canvas.save()
        with pikepdf.open(self._buffer) as pdf:
            for renderer in self._renderers.values():
                renderer.place_backgrounds(pdf)
            pdf.trailer.Info = pdf.make_indirect(pikepdf.Dictionary(Title=title, Creator="pretix"))
            pdf.save(
                output,
                min_version=max(renderer.background.pdf_version for renderer in self._renderers.values()),
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
            )

    def _draw_page(self, layout: TicketLayout, op: OrderPosition, order: Order) -> BytesIO:
        renderer = self._renderer(layout)
        try:
            renderer.draw_ticket(self._canvas, order, op)
        except (AttributeError, LookupError, TypeError, ValueError) as e:
            # The host does not check everything before it stores a layout (an object without a size), and can't know
            # the rest (more text than a QR code holds).
            raise _unusable(layout) from e
        return BytesIO()  # the file of this one ticket, which the host would return

    def _renderer(self, layout: TicketLayout) -> TicketRenderer:
        # Not by primary key: plugins may return layouts that are not in the database.
        key = (layout.layout, layout.background.name or "")
        if key not in self._renderers:
            try:
                self._renderers[key] = self._make_renderer(layout, name=f"layout{len(self._renderers)}")
            except Exception as e:
                # Broken PDF files make the libraries raise anything.
                raise _unusable(layout) from e
        return self._renderers[key]

    def _make_renderer(self, layout: TicketLayout, name: str) -> TicketRenderer:
        objects = json.loads(layout.layout) or self._legacy_layout()
        if layout.background:
            background = default_storage.open(layout.background.name, "rb")
        else:
            background = self._get_default_background()
        with background:
            return TicketRenderer(self.event, objects, background, name)


class TicketCanvas(Canvas):
    """ReportLab compresses all pages when the file is saved; in a file of thousands they better take little before."""

    def showPage(self):
        super().showPage()
        page = self._doc.Pages.pages[-1]
        page.Contents = PDFStream(
            dictionary=PDFDictionary({"Filter": PDFArray([PDFName("FlateDecode")])}),
            content=zlib.compress(page.stream.encode("latin-1")),
        )
        page.stream = None


def _unusable(layout: TicketLayout) -> JobFailed:
    logger.exception("Could not draw a ticket with layout %s (%r)", layout.pk, layout.name)
    return JobFailed(
        _("The tickets could not be drawn with the layout “{layout}”. Please check it and its background.").format(
            layout=layout.name or _("Default")
        )
    )
