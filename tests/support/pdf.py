"""What one sees in a PDF, and what readers say of it."""

import shutil
import struct
import subprocess
import tempfile
from functools import cache
from io import BytesIO

import pikepdf
import pypdfium2
import zxingcpp
from PIL import Image, ImageChops

#: Pixels a point in the rasterized pages.
SCALE = 2


#: How strict readers are asked about a file.
READERS = {
    "qpdf": "qpdf --check",
    "mutool": "mutool draw -q -r 20 -F png -o /dev/null",
    "gs": "gs -q -dNOPAUSE -dBATCH -dPDFSTOPONERROR -dPDFSTOPONWARNING -r20 -sDEVICE=png16m -o /dev/null",
}


#: What they say of themselves.
OF_THEMSELVES = "warning: ICC support is not available"


def complaints(pdf: bytes) -> dict[str, str]:
    """What readers say that forgive nothing, of those that there are. (The marker ``readers`` sees that CI has all.)"""
    found = {}
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        for name, command in READERS.items():
            if not shutil.which(name):
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


def extracted_text(pdf: bytes) -> list[str]:
    """What a machine reads on each page, even where it is invisible."""
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def read_codes(page: Image.Image) -> list[zxingcpp.Barcode]:
    """The QR codes of a page, from top to bottom."""
    found = zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)
    return sorted(found, key=lambda barcode: barcode.position.top_left.y)


def difference(one: Image.Image, other: Image.Image) -> int:
    """The number of pixels that one would see to be different."""
    visible = ImageChops.difference(one, other).convert("L").point(lambda value: 255 if value > 16 else 0)
    return visible.histogram()[255]


def read_by_zbar(page: Image.Image) -> list[str]:
    """What a reader finds that has nothing to do with the library that our codes are made with."""
    from pyzbar import pyzbar  # does not load where the system has no libzbar

    return [code.data.decode() for code in pyzbar.decode(page)]


def fonts_not_in(pdf: bytes) -> set[str]:
    """The fonts that a file names and does not have."""
    with pikepdf.open(BytesIO(pdf)) as file:
        fonts = [
            thing for thing in file.objects if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font"
        ]
        return {str(font.BaseFont) for font in fonts if "/FontFile2" not in font.get("/FontDescriptor", {})}


def boxes(pdf: bytes) -> int:
    """How many letters are drawn that their font, of which ReportLab has stored a part, does not have."""
    with pikepdf.open(BytesIO(pdf)) as file:
        streams = [thing for thing in file.objects if isinstance(thing, pikepdf.Stream)]
        forms = [stream for stream in streams if stream.get("/Subtype") == "/Form"]
        return sum(_boxes(drawn, drawn.Resources) for drawn in (*file.pages, *forms))


def _boxes(drawn, resources):
    count, glyphs = 0, ()
    for operands, operator in pikepdf.parse_content_stream(drawn):
        if str(operator) == "Tf":
            glyphs = _glyphs(resources.Font[operands[0]].FontDescriptor.FontFile2.read_bytes())
        elif str(operator) == "Tj":
            count += sum(not glyphs[code] for code in bytes(operands[0]))
    return count


@cache
def _glyphs(font: bytes) -> tuple[int, ...]:
    """By code; 0 is a box."""
    [tables] = struct.unpack_from(">H", font, 4)
    entries = [struct.unpack_from(">4sLLL", font, 12 + 16 * index) for index in range(tables)]
    [cmap] = [offset for name, _checksum, offset, _length in entries if name == b"cmap"]
    start = cmap + struct.unpack_from(">L", font, cmap + 8)[0]
    kind, _length, _language, first, count = struct.unpack_from(">5H", font, start)
    assert (kind, first) == (6, 0)
    return struct.unpack_from(f">{count}H", font, start + 10)
