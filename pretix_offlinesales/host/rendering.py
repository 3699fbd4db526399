"""
The host's drawing of tickets: the renderer, which draws the objects of a layout, and the ticket output, which chooses a
layout for each ticket.

The two classes give names of their own to what the host calls privately. Rooms above override and call only these.
"""

from copy import copy
from io import BytesIO
from typing import Any, Self

from pretix.base.models import Event, Order, OrderPosition, SubEvent
from pretix.base.pdf import Renderer, get_variables
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from pretix.plugins.ticketoutputpdf.ticketoutput import PdfTicketOutput
from pypdf import PageObject
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

try:
    from pretix.base.pdf import get_sizebox
except ImportError:

    def get_sizebox(page: PageObject) -> Any:
        """Before pretix had this, it took the whole page for visible, whatever was cropped."""
        return page.mediabox


__all__ = ["ObjectRenderer", "TicketOutput", "get_sizebox", "get_variables", "register_fonts"]


def register_fonts(event: Event | None = None) -> None:
    """Make the fonts of layouts known to ReportLab, by the names that the host gives them; once in each process."""
    Renderer._register_fonts(event)  # type: ignore[arg-type]  # None is the host's own default


class ObjectRenderer(Renderer):
    """
    The host's renderer, an object of the layout at a time.

    ``layout`` are the objects, ``variables`` and ``images`` what they can say and show, by name, ``bg_pdf`` is the
    background.
    """

    def draw_object(self, canvas: Canvas, order: Order, op: OrderPosition, o: dict) -> None:
        """
        Draw this object, which need not be one of the layout, as the host does; but unlike ``draw_page``, do not find
        out the size of the page again for each.
        """
        match o["type"]:
            case "barcodearea":
                self._draw_barcodearea(canvas, op, order, o)
            case "imagearea":
                self._draw_imagearea(canvas, op, order, o)
            case "textcontainer":
                self._draw_textcontainer(canvas, op, order, o)
            case "textarea":
                self._draw_textarea(canvas, op, order, o)
            case "poweredby":
                self._draw_poweredby(canvas, op, o)
            case _:
                # What the host may have come to know since.
                self.only([o]).draw_page(canvas, order, op, show_page=False, only_page=o.get("page", 1))

    def only(self, objects: list[dict]) -> Self:
        """The same renderer, with these objects instead of those of the layout."""
        other = copy(self)
        other.layout = objects
        return other

    def text_of(self, op: OrderPosition, order: Order, o: dict) -> str:
        """What this object says of a ticket. (A secret is shortened, unless it is within other text.)"""
        return self._get_text_content(op, order, o)

    def date_of(self, op: OrderPosition, order: Order) -> Event | SubEvent:
        """The date of a series, or the event, that a ticket is for: what variables and images are told besides."""
        return self._get_ev(op, order)

    def forget_values(self) -> None:
        """Variables keep what they once evaluated, in the language of that time."""
        self.variables = get_variables(self.event)

    def on_paragraph(self, paragraph: Paragraph) -> None:
        """Called with each text that is set, before it is drawn; several times if it is made smaller to fit."""

    def _text_paragraph(self, *args, **kwargs):
        paragraph, *others = super()._text_paragraph(*args, **kwargs)
        self.on_paragraph(paragraph)
        return paragraph, *others


class TicketOutput(PdfTicketOutput):
    """
    The host's ticket output. ``generate`` chooses the layout of a ticket, plugins asked, and calls ``draw_with`` in the
    language of its order.
    """

    def draw_with(self, layout: TicketLayout, op: OrderPosition, order: Order) -> None:
        raise NotImplementedError

    def _draw_page(self, layout: TicketLayout, op: OrderPosition, order: Order) -> BytesIO:
        self.draw_with(layout, op, order)
        return BytesIO()  # the file of this one ticket, which the host would return

    def legacy_objects(self) -> list[dict]:
        """The objects of a layout that has none: what old settings of the event say."""
        return self._legacy_layout()

    def default_background(self) -> BytesIO:
        """The open file that the host draws on where a layout has no background. It has a ``name``."""
        return self._get_default_background()
