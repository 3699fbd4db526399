"""Renders the pages of a ticket as the host does, but draws what is the same on many tickets once for all of them."""

import json
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import pikepdf
from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.utils.safestring import SafeString
from pretix.base.models import Order, OrderPosition
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from reportlab.lib.colors import Color, black
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from ..host.canvas import has_all_letters
from ..host.rendering import ObjectRenderer
from . import lines, qrcode
from .background import Background, PagePlace
from .canvas import PlacedCode, RenderedPage, TicketCanvas
from .faults import blamed_on, the_object
from .geometry import Box
from .limits import Preview
from .lines import LinePattern
from .patterns import Pattern, shown

#: What the host leaves free around a QR code, in modules.
QUIET_ZONE = 4

#: That of what machines read.
HIDDEN_FONT = "Open Sans"

#: So many texts are remembered, to see whether they come again.
REMEMBERED_TEXTS = 10_000


class EmptyPage(Exception):
    """A page of a background has no size: its box begins at its end, or lies beside what is visible."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


@dataclass(frozen=True)
class LayoutPage:
    """A page of each ticket. Sizes are in points."""

    size: tuple[float, float]
    trim: Box
    bleed: Box
    #: What is drawn below the objects of the layout, and above them.
    background: str
    above: str
    objects: list[dict]


class TicketRenderer(ObjectRenderer):
    """
    Renders tickets with one layout on one canvas. What is drawn again and again becomes a form of the canvas's file,
    that pages refer to; what is alike is drawn by a pattern.

    Nothing here guesses which placeholders differ from ticket to ticket. They are all evaluated for each ticket, by the
    host; it is what they say that is looked up among what has been drawn before.
    """

    def __init__(
        self,
        event,
        layout: TicketLayout,
        objects: list[dict],
        background: Background,
        canvas: TicketCanvas,
        preview: Preview | None = None,
    ):
        """
        :param objects: of the layout
        :param preview: if somebody waits for it
        :raises EmptyPage: if there is one
        """
        # Must stay open as long as what is in it.
        self._file = background
        super().__init__(event, objects, background.prepare())
        self._layout, self._preview = layout, preview
        self._canvas = canvas
        self._forms: dict[Hashable, str] = {}
        self._drawn_texts: set[Hashable] = set()
        self._line_patterns: dict[Hashable, LinePattern] = {}
        self._code_patterns: dict[Hashable, Pattern] = {}
        self._placed_codes: dict[Hashable, PlacedCode] = {}
        self._paragraph = None
        #: All that was set for a preview, with the names of fonts.
        self.texts: list[tuple[str, str]] = []
        self._codes: list[PlacedCode] = []
        self._locale = None
        places = [PagePlace.of(page) for page in self.bg_pdf.pages]
        self._background = self._host_background()
        self.pages = [
            self._page(number, page, place)
            for number, (page, place) in enumerate(zip(self._background.pages, places, strict=True), start=1)
        ]

    @property
    def pdf_version(self) -> str:
        """What viewers must understand to show the background."""
        return self._background.pdf_version

    def render(self, order: Order, op: OrderPosition) -> list[RenderedPage]:
        """
        Each of its pages.

        :raises JobFailed: if an object of the layout can't be drawn
        """
        if order.locale != self._locale:
            self._locale = order.locale
            self.forget_values()
        return [self._render_page(page, order, op) for page in self.pages]

    def _render_page(self, page: LayoutPage, order: Order, op: OrderPosition) -> RenderedPage:
        self._codes = []
        code = self._canvas.cut(partial(self._draw_layout, page, order, op))
        return RenderedPage(page.size, page.trim, page.bleed, code, self._codes)

    def _page(self, number: int, page: pikepdf.Page, place: PagePlace) -> LayoutPage:
        """
        :param page: of the background, as the host draws it
        :raises EmptyPage: if nothing can be seen on it
        """
        size = tuple(float(length) for length in page.mediabox[2:])
        if min(size) <= 0:
            raise EmptyPage(number)
        objects, above = [o for o in self.layout if o.get("page", 1) == number], self._file.above(number, place)
        trim, bleed = place.boxes(size, has_objects=bool(objects))
        return LayoutPage(
            size=size,
            trim=trim,
            bleed=bleed,
            background=self._canvas.add_background(page.as_form_xobject()),
            above="" if above is None else self._canvas.add_background(above),
            objects=objects,
        )

    def _host_background(self) -> pikepdf.Pdf:
        """
        The pages of a ticket on which nothing is drawn, as the host makes them: rotated and cropped backgrounds are
        turned and moved to where they belong.
        """
        buffer = BytesIO()
        # What the host's canvas begins with, and what stays if no object of the layout is on the page.
        canvas = Canvas(buffer, pagesize=A4)
        self.only([{"type": "", "page": o.get("page", 1)} for o in self.layout]).draw_page(canvas, None, None)
        canvas.save()
        return pikepdf.open(self.render_background(_emptied(buffer)))

    def _draw_layout(self, page: LayoutPage, order: Order, op: OrderPosition) -> None:
        canvas = self._canvas
        canvas.addLiteral(page.background)
        o = {}
        with blamed_on(lambda: the_object(self._layout, self, o)):
            for o in page.objects:
                self.draw_object(canvas, order, op, o)
        if page.above:
            canvas.addLiteral(page.above)

    def draw_object(self, canvas: Canvas, order: Order, op: OrderPosition, o: dict) -> None:
        draw = partial(super().draw_object, canvas, order, op, o)
        match o["type"]:
            case "barcodearea":
                self._draw_barcode(canvas, op, order, o)
            case "imagearea":
                self._draw_image(op, order, o, draw)
            case "textcontainer" | "textarea":
                self._draw_text(op, order, o, draw)
            case "poweredby":
                self._draw_once(id(o), draw)
            case _:
                draw()

    def _draw_once(self, what: Hashable, draw: Callable[[], None]) -> None:
        """Keep what is drawn as a form of the file, and refer to that from then on."""
        if what not in self._forms:
            self._forms[what] = self._canvas.add_form(draw)
        self._canvas.addLiteral(self._forms[what])

    # Texts

    def _draw_text(self, op: OrderPosition, order: Order, o: dict, draw: Callable[[], None]) -> None:
        """
        As a form, if this object of the layout has said the same before; by a pattern, if it is a plain line as the
        object has had one before; in any other case as the host does.
        """
        text = self.text_of(op, order, o)
        if not text:
            return
        # What is marked as safe is not escaped, so that it may look different from the same text that is not. All but
        # strings may change.
        what = (id(o), type(text), text) if type(text) in (str, SafeString) else None
        if what in self._forms or what in self._drawn_texts:
            self._draw_once(what, draw)
            return
        if what:
            self._remember(what)
        self._write(text)
        if type(text) is str:
            self._draw_line(o, text, draw)
        else:
            draw()

    def _write(self, text) -> None:
        if self._preview:
            self._preview.add_text(self._layout, str(text))

    def _remember(self, what: Hashable) -> None:
        if len(self._drawn_texts) == REMEMBERED_TEXTS:
            self._drawn_texts.clear()
        self._drawn_texts.add(what)

    def _draw_line(self, o: dict, text: str, draw: Callable[[], None]) -> None:
        alike = (id(o), lines.kind(text))
        if alike in self._line_patterns:
            with suppress(ValueError):
                self._canvas.addLiteral(self._line_patterns[alike].fill_in(text))
                return
        drawn = self._canvas.record(draw)
        # A text that had to be made smaller is no example for others.
        if alike not in self._line_patterns and self._paragraph.style.fontSize == float(o["fontsize"]):
            with suppress(ValueError):
                self._line_patterns[alike] = LinePattern(text, drawn, self._paragraph)

    def on_paragraph(self, paragraph: Paragraph) -> None:
        self._paragraph = paragraph
        if self._preview:
            self.texts += [(fragment.fontName, fragment.text) for fragment in paragraph.frags]

    # Pictures

    def _draw_image(self, op: OrderPosition, order: Order, o: dict, draw: Callable[[], None]) -> None:
        if image := self._image_identity(op, order, o):
            self._draw_once((id(o), image), draw)
        else:
            draw()

    def _image_identity(self, op: OrderPosition, order: Order, o: dict) -> str | None:
        """Something that tells the image of this ticket from those of others; nothing, if we can't know."""
        variable = self.images.get(o["content"], {})
        try:
            if "etag" in variable:
                return variable["etag"](op, order, self.date_of(op, order))
            if "evaluate" in variable:
                image = variable["evaluate"](op, order, self.date_of(op, order))
                return image.name if isinstance(image, FieldFile) else None
        except Exception:
            # The host will meet the same error, log it, and draw a grey box instead.
            pass
        return None

    # Codes

    def _draw_barcode(self, canvas: Canvas, op: OrderPosition, order: Order, o: dict) -> None:
        content = code_content(self, op, order, o)
        if not content:
            return

        if not content.isascii():
            self._write(content)  # The host's encoder takes as long for it as for a text.
        code = qrcode.encode(content)
        path = qrcode.path(code)
        hidden = json.dumps({"issuer": settings.SITE_URL, o.get("content", "secret"): content}, sort_keys=True)
        alike = (id(o), code.width)
        if alike not in self._placed_codes:
            self._placed_codes[alike] = _placed_code(o, code.width)
        self._codes.append(self._placed_codes[alike])
        if alike in self._code_patterns:
            canvas.addLiteral(self._code_patterns[alike].fill_in([path, shown(hidden)]))
            return
        drawn = self._canvas.record(partial(self._draw_code, o, code.width, path, hidden))
        if has_all_letters(HIDDEN_FONT):
            with suppress(ValueError):
                self._code_patterns[alike] = Pattern(drawn, [path, shown(hidden)])

    def _draw_code(self, o: dict, modules: int, path: str, hidden: str) -> None:
        canvas = self._canvas
        quiet_zone, module = modules_of(o, modules)
        red, green, blue = (o.get("color") or (0, 0, 0))[:3]
        canvas.saveState()
        canvas.setFillColor(Color(red / 255, green / 255, blue / 255))
        canvas.translate(float(o["left"]) * mm + quiet_zone * module, float(o["bottom"]) * mm + quiet_zone * module)
        canvas.scale(module, module)
        self._draw_once(("eyes", modules), partial(canvas.addLiteral, qrcode.eyes(modules)))
        canvas.addLiteral(path)
        canvas.restoreState()
        # Tells machines what the code says, e.g. those that check tickets for resale. The host does so too.
        canvas.saveState()
        canvas.setFont(HIDDEN_FONT, 0.01)
        canvas.setFillColor(black, alpha=0)
        canvas.drawString(0, 0, hidden)
        canvas.restoreState()


def modules_of(o: dict, modules: int) -> tuple[int, float]:
    """How many of them are left free on each side of this code, and how large they are in points."""
    quiet_zone = 0 if o.get("nowhitespace") else QUIET_ZONE
    return quiet_zone, float(o["size"]) * mm / (modules + 2 * quiet_zone)


def _placed_code(o: dict, modules: int) -> PlacedCode:
    quiet_zone, module = modules_of(o, modules)
    left, bottom = (float(o[side]) * mm + quiet_zone * module for side in ("left", "bottom"))
    box = (left, bottom, left + modules * module, bottom + modules * module)
    return PlacedCode(o.get("page", 1), o.get("content", "secret"), box)


def code_content(renderer: ObjectRenderer, op: OrderPosition, order: Order, o: dict) -> str:
    """What this code of a layout holds; nothing, if it is not drawn."""
    # As text, the host shortens long secrets; a code always holds the whole.
    if o.get("content", "secret") == "secret":
        return op.secret
    return renderer.text_of(op, order, o).strip()


def _emptied(buffer: BytesIO) -> BytesIO:
    """The pages of this file without what ReportLab writes on each: a font that is not embedded."""
    emptied = BytesIO()
    with pikepdf.open(buffer) as pdf:
        for page in pdf.pages:
            page.Contents, page.Resources = pdf.make_stream(b""), pikepdf.Dictionary()
        pdf.save(emptied)
    return emptied
