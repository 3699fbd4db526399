"""Batches to print, made of plain orders, and the pages that come out of it: ours, and the host's."""

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from io import BytesIO
from random import Random

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.timezone import now
from PIL import Image
from pretix.base.models import Order
from pretix.plugins.ticketoutputpdf.ticketoutput import PdfTicketOutput
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from pretix_offlinesales.models import OfflineSalesBatch
from pretix_offlinesales.printing.parts import merge_parts, print_part
from pretix_offlinesales.printing.plan import Plan

#: Pixels a point in the rasterized pages.
SCALE = 2

#: What order codes are made of.
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ379"


@pytest.fixture(autouse=True)
def media_files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def make_order(event, item, web):
    """
    An order as issuing makes it: paid, with one position for each of the items.

    Its code is the same on each run. The rasterizer draws letters in steps of a third of a pixel: where one lies at the
    end of a step, the same place in other numbers may look different. With random codes, this happened now and then.
    Secrets may be random, since where the modules of a QR code lie does not depend on them.
    """
    codes = Random("order codes")

    def make_order(items=(), event=event, **kwargs):
        with transaction.atomic():
            order = Order.objects.create(
                event=event,
                datetime=now(),
                expires=now(),
                total=Decimal("23.00"),
                **{
                    "code": "".join(codes.choices(CODE_LETTERS, k=5)),
                    "status": Order.STATUS_PAID,
                    "locale": "en",
                    "sales_channel": web,
                    **kwargs,
                },
            )
            for positionid, product in enumerate(items or [item], start=1):
                order.all_positions.create(
                    organizer=event.organizer, item=product, price=product.default_price, positionid=positionid
                )
            order.create_transactions(is_new=True)
        return order

    return make_order


@pytest.fixture
def make_batch(make_order):
    """A batch of these orders, or of so many new ones."""

    def make_batch(orders=1, layout=None):
        if isinstance(orders, int):
            orders = [make_order() for _ in range(orders)]
        batch = OfflineSalesBatch.objects.create(
            event=orders[0].event,
            item=orders[0].all_positions.first().item,
            sales_channel=orders[0].sales_channel,
            amount=len(orders),
            layout=layout,
            completed=now(),
        )
        for number, order in enumerate(orders, start=1):
            batch.tickets.create(order=order, number=number)
        return batch

    return make_batch


@pytest.fixture
def make_layout(event):
    """A layout with these objects and, if one is given, this background (a PDF's bytes)."""

    def make_layout(objects, background=None, **kwargs):
        layout = event.ticket_layouts.create(**{"name": "Paper", "layout": json.dumps(objects), **kwargs})
        if background:
            layout.background.save("background.pdf", ContentFile(background))
        return layout

    return make_layout


def text(content="other", **kwargs):
    """A text of a layout, as the editor stores it."""
    return {
        "type": "textcontainer",
        "page": 1,
        "left": "20",
        "bottom": "100",
        "width": "80",
        "height": "12",
        "fontsize": "14.0",
        "lineheight": "1",
        "color": [0, 0, 0, 1],
        "fontfamily": "Open Sans",
        "bold": False,
        "italic": False,
        "content": content,
        "text": "",
        "text_i18n": {},
        "rotation": 0,
        "align": "left",
        "verticalalign": "middle",
        "autoresize": True,
        "splitlongwords": True,
        **kwargs,
    }


def code(**kwargs):
    """A QR code of a layout, as the editor stores it."""
    return {"type": "barcodearea", "page": 1, "left": "10", "bottom": "10", "size": "40", "content": "secret", **kwargs}


def background_pdf(pages=1, size=(300, 400), rotate=0, cropbox=None, mediabox=None, boxes=None):
    """Backgrounds on which you see whether they lie at the right place: framed, with a word in each page's corner."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    for page in range(1, pages + 1):
        canvas.setFillColorRGB(1, 0.9, 0.6)
        canvas.rect(20, 20, size[0] - 40, size[1] - 40, fill=1)
        canvas.setFillColorRGB(0.1, 0.3, 0.7)
        canvas.setFont("Times-Italic", 30)
        canvas.drawString(30, size[1] - 45, f"Stock {page}")
        canvas.showPage()
    canvas.save()

    with pikepdf.open(buffer) as pdf:
        for page in pdf.pages:
            if rotate:
                page.Rotate = rotate
            if mediabox:
                page.mediabox = mediabox
            if cropbox:
                page.cropbox = cropbox
            for name, box in (boxes or {}).items():
                page.obj[name] = pikepdf.Array(box)
        result = BytesIO()
        pdf.save(result)
    return result.getvalue()


def make_blank(size) -> bytes:
    """A background of so many millimetres with nothing on it."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=[length * mm for length in size])
    canvas.showPage()
    canvas.save()
    with pikepdf.open(buffer) as pdf:
        pdf.pages[0].Resources = pikepdf.Dictionary()  # ReportLab's font, which is not embedded
        pdf.pages[0].Contents = pdf.make_stream(b"")
        result = BytesIO()
        pdf.save(result)
    return result.getvalue()


def print_batch(batch, output, data=None) -> list[int]:
    """What a job does with its parts, without the job. Returns the keys of the positions that are in the file."""
    plan, positions = Plan(batch, data), []
    with ExitStack() as files:
        parts = []
        for units in plan.parts():
            parts.append(files.enter_context(tempfile.TemporaryFile()))
            positions += (each.position for each in print_part(plan, units, parts[-1]))
        merge_parts(plan, parts, output)
    return positions


def printed(batch) -> bytes:
    output = BytesIO()
    print_batch(batch, output)
    return output.getvalue()


def printed_by_host(position, layout=None) -> bytes:
    """The host's own file of this position; of the same ticket as if it had this layout, if one is given."""
    output = PdfTicketOutput(position.order.event)
    if layout:
        output.layout_map = {(position.item_id, "web"): layout}
    _name, _type, data = output.generate(position)
    return data


#: How strict readers are asked about a file.
READERS = {
    "qpdf": "qpdf --check",
    "mutool": "mutool draw -q -r 20 -F png -o /dev/null",
    "gs": "gs -q -dNOPAUSE -dBATCH -dPDFSTOPONERROR -dPDFSTOPONWARNING -r20 -sDEVICE=png16m -o /dev/null",
}

#: What they say of themselves.
OF_THEMSELVES = "warning: ICC support is not available"


def complaints(pdf: bytes) -> dict[str, str]:
    """What readers say that forgive nothing, by their names. In CI, all are asked; elsewhere, those that there are."""
    found = {}
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        for name, command in READERS.items():
            if not shutil.which(name) and not os.environ.get("CI"):
                continue
            asked = subprocess.run([*command.split(), file.name], capture_output=True, text=True)
            said = asked.stderr + ("" if name == "qpdf" else asked.stdout)
            said = "\n".join(line for line in said.splitlines() if line != OF_THEMSELVES)
            if asked.returncode or said:
                found[name] = said
    return found


def rasterized(pdf: bytes) -> list[Image.Image]:
    """What you see on each page."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=SCALE).to_pil().convert("RGB") for page in document]


def tickets(batch):
    """The (only) position of each ticket of a batch, in order."""
    return [ticket.order.positions.get() for ticket in batch.tickets.order_by("number")]


def extracted_text(pdf: bytes) -> list[str]:
    """What a machine reads on each page, even where it is invisible."""
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def read_codes(page: Image.Image) -> list[zxingcpp.Barcode]:
    """The QR codes of a page, from top to bottom."""
    found = zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)
    return sorted(found, key=lambda barcode: barcode.position.top_left.y)


@pytest.fixture
def zbar():
    """A reader that has nothing to do with the library that our codes are made with."""
    try:
        from pyzbar import pyzbar
    except ImportError as e:  # also if the system has no libzbar
        if os.environ.get("CI"):
            pytest.fail(f"CI must read codes with an independent reader: {e}")
        pytest.skip(f"pyzbar needs the system's zbar library (Debian: libzbar0): {e}")
    return pyzbar


@contextmanager
def receiver_of_a_plugin(settings, signal, receiver):
    """Signals go to active plugins, and to the host's own modules, of which the receiver's now seems to be."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, receiver.__module__}
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)
