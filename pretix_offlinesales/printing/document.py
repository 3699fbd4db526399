"""The file that the tickets of a batch are drawn in."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from pretix.base.i18n import language
from pretix.base.models import Event, Order, OrderPosition
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from pretix.plugins.ticketoutputpdf.ticketoutput import PdfTicketOutput
from reportlab.pdfgen.canvas import Canvas

from ..models import JobFailed
from .canvas import Drawing, TicketCanvas
from .renderer import LayoutPage, TicketRenderer

if TYPE_CHECKING:
    from .look import Look

logger = logging.getLogger(__name__)


class TicketDocument(PdfTicketOutput):
    """
    The host's ticket output, except that all tickets are drawn in one file. With a layout, that one is used for all of
    them; without, each gets what the host chooses for it, plugins asked. With a look, what it remembers of all that is
    used instead.
    """

    def __init__(self, event: Event, layout: TicketLayout | None = None, look: "Look | None" = None):
        super().__init__(event)
        self.layout, self.look = layout, look
        self._register_fonts()
        self._canvas = TicketCanvas()
        self._renderers: dict[tuple[str, str], TicketRenderer] = {}
        self._drawn: list[Drawing] = []

    def draw(self, position: OrderPosition) -> list[Drawing]:
        """Each of the ticket's pages, to be added in whatever way."""
        if layout := self.look.layout_for(position) if self.look else self.layout:
            with language(position.order.locale, self.event.settings.region):
                self._draw_page(layout, position, position.order)
        else:
            self.generate(position)  # chooses the layout and calls ``_draw_page``
        return self._drawn

    @cached_property
    def layout_map(self) -> dict[tuple[int, str], TicketLayout]:
        """The host's, by product and sales channel."""
        return super().layout_map | (self.look.for_items() if self.look else {})

    def pages(self, layout: TicketLayout) -> list[LayoutPage]:
        """:raises JobFailed: if the layout can't be used"""
        return self._renderer(layout).pages

    def record(self, draw: Callable[[Canvas], None]) -> str:
        """What this draws, beside the tickets."""
        return self._canvas.cut(partial(draw, self._canvas))

    def keep(self, draw: Callable[[Canvas], None]) -> str:
        """What refers to this, if it is drawn on many pages."""
        return self._canvas.add_form(partial(draw, self._canvas))

    def add_page(self, drawing: Drawing, tickets: Iterable[int]) -> None:
        """:param tickets: numbers of those that are on it"""
        self._canvas.add_page(drawing, tickets)

    def save(self, output: BinaryIO) -> None:
        """As a part, to be put together with others."""
        self._canvas.write_part(output, [renderer.pdf_version for renderer in self._renderers.values()])

    def _draw_page(self, layout: TicketLayout, op: OrderPosition, order: Order) -> BytesIO:
        renderer = self._renderer(layout)
        with unless_unusable(layout):
            self._drawn = renderer.draw_ticket(order, op)
        return BytesIO()  # the file of this one ticket, which the host would return

    def _renderer(self, layout: TicketLayout) -> TicketRenderer:
        # Not by primary key: plugins may return layouts that are not in the database.
        key = (layout.layout, layout.background.name or "")
        if key not in self._renderers:
            try:
                self._renderers[key] = self._make_renderer(layout)
            except Exception as e:
                # Broken PDF files make the libraries raise anything.
                raise _unusable(layout) from e
        return self._renderers[key]

    def _make_renderer(self, layout: TicketLayout) -> TicketRenderer:
        objects = self.objects(layout)
        if layout.background:
            background = default_storage.open(layout.background.name, "rb")
        else:
            background = self._get_default_background()
        with background:
            return TicketRenderer(self.event, objects, background, self._canvas)

    def objects(self, layout: TicketLayout) -> list[dict]:
        """What the layout consists of, as the host stores it."""
        return json.loads(layout.layout) or self._legacy_layout()


@contextmanager
def unless_unusable(layout: TicketLayout) -> Iterator[None]:
    """
    Where objects of the layout are looked at. The host does not check everything before it stores them (whether they
    have a size), and can't know the rest (more text than a QR code holds).

    :raises JobFailed: for people, instead of such errors
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
        raise _unusable(layout) from e


def _unusable(layout: TicketLayout) -> JobFailed:
    logger.exception("Could not draw a ticket with layout %s (%r)", layout.pk, layout.name)
    return JobFailed(
        _("The tickets could not be drawn with the layout “{layout}”. Please check it and its background.").format(
            layout=layout.name or _("Default")
        )
    )
