"""Tickets on sheets, and what one cuts out of them."""

from io import BytesIO

import pikepdf
import pypdfium2
from PIL import Image
from reportlab.lib.units import mm

from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.plan import Plan
from pretix_offlinesales.printing.request import PrintRequest
from pretix_offlinesales.printing.sheets import Sheet

from .pdf import complaints, read_codes
from .printing import print_batch

#: Pixels a millimetre: a tenth of a millimetre is a pixel.
FINE = 10

#: Pixels a millimetre with which no ticket ends where a pixel does, and so none has a pixel more or less on a sheet.
UNEVEN = 8.1


def asked(batch, tickets="", **sheet) -> dict:
    return PrintRequest.of(batch, choose(batch, tickets), Sheet.parse({"paper": "A4", **sheet}))


def impositioned(batch, data: dict) -> bytes:
    """The file of the batch on such sheets."""
    output = BytesIO()
    print_batch(batch, output, data)
    assert complaints(output.getvalue()) == {}
    return output.getvalue()


def seen(pdf: bytes, pixels=FINE) -> list[Image.Image]:
    """What you see of each page, with so many pixels a millimetre."""
    return [page.render(scale=pixels / mm).to_pil().convert("RGB") for page in pypdfium2.PdfDocument(pdf)]


def cut(page: Image.Image, grid, place, pixels=FINE) -> Image.Image:
    """What lies in this place of a sheet, cut out along the edges of the ticket, upright."""
    left, top = place.left, grid.sheet.size[1] - place.bottom - grid.ticket[1]
    sides = (left, top, left + grid.ticket[0], top + grid.ticket[1])
    return page.crop([round(length * pixels) for length in sides]).rotate(-place.degrees, expand=True)


def scanned(picture: Image.Image) -> list[str]:
    return [found.text for found in read_codes(picture)]


def narrowed(pdf: bytes, grid, place) -> bytes:
    """The file, as if its first page was only this place, upright."""
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as file:
        page, size = file.pages[0], grid.ticket
        x, y = place.left + grid.ticket[0] / 2, place.bottom + grid.ticket[1] / 2
        width, height = size[0] / 2, size[1] / 2
        box = [x - width, y - height, x + width, y + height]
        page.MediaBox = page.CropBox = pikepdf.Array([length * mm for length in box])
        page.Rotate = place.degrees
        file.save(output)
    return output.getvalue()


def on_sheet(batch, **sheet) -> list[Image.Image]:
    """What lies in the first place: its front, and its back if it has one."""
    data = asked(batch, **{"paper": "A3", "columns": 2, "rows": 2, "running_text": False, **sheet})
    grid = Plan(batch, data).grid
    pages = seen(impositioned(batch, data), 8)
    return [cut(page, grid, side(0), 8) for page, side in zip(pages, (grid.front, grid.back), strict=False)]
