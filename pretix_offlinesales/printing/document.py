"""The document that the tickets of a batch are rendered in, each with the layout that is for it."""

import json
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING, BinaryIO

from django.core.files.storage import default_storage
from pretix.base.i18n import language
from pretix.base.models import Event, Order, OrderPosition
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from reportlab.pdfgen.canvas import Canvas

from ..host.rendering import TicketOutput, register_fonts
from ..models import JobFailed
from .background import Background
from .canvas import RenderedPage, TicketCanvas
from .faults import EMPTY_PAGE, GONE, blamed_on, of_background, the_background, the_layout
from .limits import Preview
from .renderer import EmptyPage, TicketRenderer

if TYPE_CHECKING:
    from .look import Look


class TicketDocument(TicketOutput):
    """
    The host's ticket output, except that all tickets are rendered in one file. With a layout, all of them have that
    one; without, each has what the host chooses for it, plugins asked. With a look, what that remembers is used.
    """

    def __init__(
        self,
        event: Event,
        layout: TicketLayout | None = None,
        look: "Look | None" = None,
        preview: Preview | None = None,
    ):
        """:param preview: if somebody waits for it"""
        super().__init__(event)
        self.layout, self.look, self._preview = layout, look, preview
        register_fonts(event)
        self._canvas = TicketCanvas()
        self._renderers: dict[tuple[str, str], TicketRenderer] = {}
        self._rendered: list[RenderedPage] = []

    def render(self, position: OrderPosition) -> list[RenderedPage]:
        """
        Each of the ticket's pages, to be added in whatever way, or laid on a sheet.

        :raises JobFailed: if the layout can't be used, or if this is too much for a preview
        """
        if layout := self.look.layout_for(position) if self.look else self.layout:
            with language(position.order.locale, self._region):
                self.draw_with(layout, position, position.order)
        else:
            self.generate(position)  # chooses the layout and calls ``draw_with``
        return self._rendered

    @cached_property
    def _region(self) -> str:
        """Settings take their time to say it."""
        return self.event.settings.region

    @cached_property
    def layout_map(self) -> dict[tuple[int, str], TicketLayout]:
        """The host's, by product and sales channel."""
        return super().layout_map | (self.look.for_items() if self.look else {})

    def record(self, draw: Callable[[Canvas], None]) -> str:
        """The code of what this draws beside the tickets, to be part of a page."""
        return self._canvas.cut(partial(draw, self._canvas))

    def keep(self, draw: Callable[[Canvas], None]) -> str:
        """Draw this once, for many pages, and return the code by which they refer to it."""
        return self._canvas.add_form(partial(draw, self._canvas))

    def add_page(self, page: RenderedPage, tickets: Iterable[int]) -> None:
        """:param tickets: numbers of those that are on it"""
        self._canvas.add_page(page, tickets)

    def save(self, output: BinaryIO) -> None:
        """Write the file of a part, to be merged with others."""
        self._canvas.write_part(output, [renderer.pdf_version for renderer in self._renderers.values()])

    def draw_with(self, layout: TicketLayout, op: OrderPosition, order: Order) -> None:
        renderer = self.renderer(layout)
        if self._preview:
            self._preview.add_objects(len(renderer.layout))
        self._rendered = renderer.render(order, op)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The font and the text of all that was set for a preview. Without one, nothing is remembered."""
        return [text for renderer in self._renderers.values() for text in renderer.texts]

    def renderer(self, layout: TicketLayout) -> TicketRenderer:
        """:raises JobFailed: if the layout can't be used, or if it is too large for a preview"""
        # Not by primary key: plugins may return layouts that are not in the database.
        key = (layout.layout, layout.background.name or "")
        if key not in self._renderers:
            self._renderers[key] = self._make_renderer(layout)
        return self._renderers[key]

    def _make_renderer(self, layout: TicketLayout) -> TicketRenderer:
        with blamed_on(lambda: the_layout(layout)):
            objects = self.objects(layout)
            if not all(isinstance(o, dict) for o in objects):
                raise TypeError("Objects of a layout are dictionaries")
            if self._preview:
                self._preview.check_objects(layout, objects)
        file, content = self._read_background(layout)
        background = Background(content)
        with blamed_on(lambda: the_background(layout, file, background)):
            if self._preview:
                self._preview.check_background(layout, file, background)
            try:
                renderer = TicketRenderer(self.event, layout, objects, background, self._canvas, self._preview)
            except EmptyPage as e:
                raise JobFailed(of_background(layout, file, EMPTY_PAGE, page=e.number)) from e
            if not renderer.pages:
                raise ValueError("There is nothing to draw on")
        return renderer

    def objects(self, layout: TicketLayout) -> list[dict]:
        """What the layout consists of, as the host stores it."""
        return json.loads(layout.layout) or self.legacy_objects()

    def _read_background(self, layout: TicketLayout) -> tuple[str, bytes]:
        """
        The name that people know it by, and its content.

        :raises JobFailed: if it has been deleted, or if it is too large for a preview
        """
        name = layout.background.name
        known = self.look.background_of(layout) if self.look else name
        try:
            with default_storage.open(name, "rb") if name else self.default_background() as file:
                if name and self._preview:
                    self._preview.check_file(layout, known, file.size)
                return known or file.name, file.read()
        except FileNotFoundError as e:
            raise JobFailed(of_background(layout, known, GONE)) from e
