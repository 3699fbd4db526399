"""Sheets are measured: what you see of them when they are rasterized, cut, and turned."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops
from pretix.base.models import Order
from reportlab.lib.units import mm

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing import Plan, plan as plan_module, print_batch, request_data
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.imposition import crop_marks
from pretix_offlinesales.printing.sheets import Sheet, impose

from .conftest import background_pdf, code, extracted_text, read_codes, text, tickets

#: Pixels a millimetre: a tenth of a millimetre is a pixel.
FINE = 10

TICKET = (85, 54)


@pytest.fixture
def card(make_layout):
    """A ticket in the format of a card, with a code from which one reads which it is."""
    return make_layout(
        [code(left="6", bottom="4", size="36"), text("order", left="45", bottom="10", width="38")],
        background_pdf(size=tuple(length * mm for length in TICKET)),
    )


def impositioned(batch, tickets="", **sheet) -> bytes:
    """The file of the batch on such sheets."""
    output = BytesIO()
    print_batch(batch, output, request(batch, tickets, **sheet))
    return output.getvalue()


def request(batch, tickets="", **sheet) -> dict:
    return request_data(batch, choose(batch, tickets), Sheet.parse({"paper": "A4", **sheet}))


def seen(pdf: bytes, scale=FINE / 2) -> list[Image.Image]:
    """What you see on each sheet; with ``scale`` pixels a millimetre."""
    return [page.render(scale=scale / mm).to_pil().convert("RGB") for page in pypdfium2.PdfDocument(pdf)]


def cut(sheet: Image.Image, grid, index=0, side="front") -> Image.Image:
    """The ticket in this place of a sheet, cut out along its edges, upright."""
    place = getattr(grid, side)(index)
    pixels = sheet.width / grid.sheet.size[0]
    left, top = place.left, grid.sheet.size[1] - place.bottom - grid.ticket[1]
    sides = (left, top, left + grid.ticket[0], top + grid.ticket[1])
    return sheet.crop([round(length * pixels) for length in sides]).rotate(-place.degrees, expand=True)


def test_look(make_batch, card):
    batch = make_batch(23, card)
    for n, sheet in enumerate([dict(crop_marks=True, margin=8, gutter=6), dict(crop_marks=True, margin=5, gutter=0, order="stack", landscape=True),
         dict(crop_marks=True,margin=[15, 13.5], gutter=[10, 0], rotate=True)]):
        open(f"/tmp/sheet{n}.pdf", "wb").write(impositioned(batch, **sheet))
