"""The host's drawing of a ticket, with everything that is the same on many tickets drawn once for all of them."""

import copy
import json
from collections.abc import Callable, Hashable
from io import BytesIO

import pikepdf
from django.conf import settings
from django.db.models.fields.files import FieldFile
from pretix.base.models import Order, OrderPosition
from pretix.base.pdf import Renderer, get_variables
from reportlab.lib.colors import Color, black
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfdoc import xObjectName
from reportlab.pdfgen.canvas import Canvas

from . import qrcode

#: More than a PDF's page can be, so that nothing is cut off at a form's edge before it is at the page's.
EVERYWHERE = (-14_400, -14_400, 14_400, 14_400)

#: What the host leaves free around a QR code, in modules.
QUIET_ZONE = 4


class TicketRenderer(Renderer):
    """
    Draws tickets with one layout. What is drawn again and again becomes a form of the canvas's file, that pages refer
    to. So does the background, except that its form stays empty until ``place_backgrounds`` fills it.
    """

    def __init__(self, event, layout: list[dict], background_file, name: str):
        super().__init__(event, layout, background_file)
        self.name = name
        self.background = self._host_background()
        self._forms: dict[Hashable, str] = {}
        self._first_pages: dict[int, int] = {}
        self._locale = None

    def draw_ticket(self, canvas: Canvas, order: Order, op: OrderPosition):
        if order.locale != self._locale:
            # The host's placeholders keep what they once evaluated, in the language of that time.
            self._locale, self.variables = order.locale, get_variables(self.event)

        # What the host's canvas begins with, and what stays if no object of the layout is on the page.
        canvas.setPageSize(A4)
        for page in range(len(self.background.pages)):
            self._draw_background(canvas, page)
            self.draw_page(canvas, order, op, show_page=False, only_page=page + 1)
            canvas.showPage()

    def place_backgrounds(self, pdf: pikepdf.Pdf):
        """Put the pages of the background where the saved file refers to them."""
        for page, first_page in self._first_pages.items():
            form = pdf.pages[first_page].Resources.XObject[f"/{xObjectName(self._forms['background', page])}"]
            background = pdf.copy_foreign(self.background.pages[page].as_form_xobject())
            form.Resources.XObject = pikepdf.Dictionary(Background=background)

    def _host_background(self) -> pikepdf.Pdf:
        """
        The pages of a ticket on which nothing is drawn, as the host makes them: rotated and cropped backgrounds are
        turned and moved to where they belong.
        """
        nothing = copy.copy(self)
        nothing.layout = [{"type": "", "page": o.get("page", 1)} for o in self.layout]
        buffer = BytesIO()
        canvas = Canvas(buffer, pagesize=A4)
        nothing.draw_page(canvas, None, None)
        canvas.save()
        background = pikepdf.open(self.render_background(buffer))
        # A form has no annotations (filled in fields, stamps, …): draw them instead.
        background.flatten_annotations("print")
        return background

    def _draw_background(self, canvas: Canvas, page: int):
        self._first_pages.setdefault(page, canvas.getPageNumber() - 1)
        self._draw_once(canvas, ("background", page), lambda: canvas.addLiteral("/Background Do"))

    def _draw_once(self, canvas: Canvas, what: Hashable, draw: Callable[[], None]):
        """Keep what is drawn as a form of the file, and refer to that from the second time on."""
        if what not in self._forms:
            self._forms[what] = f"{self.name}.{len(self._forms)}"
            canvas.beginForm(self._forms[what], *EVERYWHERE)
            draw()
            canvas.endForm()
        canvas.doForm(self._forms[what])

    def _draw_poweredby(self, canvas: Canvas, op: OrderPosition, o: dict):
        draw = super()._draw_poweredby
        self._draw_once(canvas, ("poweredby", id(o)), lambda: draw(canvas, op, o))

    def _draw_imagearea(self, canvas: Canvas, op: OrderPosition, order: Order, o: dict):
        draw = super()._draw_imagearea
        if image := self._image_identity(op, order, o):
            self._draw_once(canvas, ("image", id(o), image), lambda: draw(canvas, op, order, o))
        else:
            draw(canvas, op, order, o)

    def _image_identity(self, op: OrderPosition, order: Order, o: dict) -> str | None:
        """Something that tells the image of this ticket from those of others; nothing, if we can't know."""
        variable = self.images.get(o["content"], {})
        try:
            if "etag" in variable:
                return variable["etag"](op, order, self._get_ev(op, order))
            if "evaluate" in variable:
                image = variable["evaluate"](op, order, self._get_ev(op, order))
                return image.name if isinstance(image, FieldFile) else None
        except Exception:
            # The host will meet the same error, log it, and draw a grey box instead.
            pass
        return None

    def _draw_barcodearea(self, canvas: Canvas, op: OrderPosition, order: Order, o: dict):
        source = o.get("content", "secret")
        # As text, the host shortens long secrets; a code always holds the whole.
        content = op.secret if source == "secret" else self._get_text_content(op, order, o).strip()
        if not content:
            return

        red, green, blue = (o.get("color") or (0, 0, 0))[:3]
        qrcode.draw(
            canvas,
            content,
            left=float(o["left"]) * mm,
            bottom=float(o["bottom"]) * mm,
            size=float(o["size"]) * mm,
            quiet_zone=0 if o.get("nowhitespace") else QUIET_ZONE,
            color=Color(red / 255, green / 255, blue / 255),
        )
        self._write_hidden(canvas, {"issuer": settings.SITE_URL, source: content})

    def _write_hidden(self, canvas: Canvas, data: dict):
        """Tell machines what the code says, e.g. those that check tickets for resale. The host does so too."""
        canvas.saveState()
        canvas.setFont("Open Sans", 0.01)
        canvas.setFillColor(black, alpha=0)
        canvas.drawString(0, 0, json.dumps(data, sort_keys=True))
        canvas.restoreState()
