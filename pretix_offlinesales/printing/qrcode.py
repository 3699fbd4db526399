"""
QR codes as the host draws them: the same content, error correction, size in modules and quiet zone. Only the mask may
be another one, because finding the same takes the host's encoder 5 to 25 ms, and scanners do not care.
"""

import re

import zxingcpp
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas

#: A module as ``encode`` returns it.
DARK = 0

_RUN = re.compile(b"%c+" % DARK)


def error_correction(content: str) -> str:
    """The host's choice: codes that hold more are protected less, so that their modules do not get too small."""
    if len(content) <= 32:
        return "H"
    return "M" if len(content) <= 128 else "L"


def encode(content: str) -> list[bytes]:
    """The code's rows from top to bottom, a byte a module, without quiet zone."""
    level = error_correction(content)
    host_code = QRCode(None, getattr(QRErrorCorrectLevel, level))
    host_code.addData(content)

    if not content.isascii():
        # The host stores such text as plain UTF-8. The native encoder would declare the encoding, for which there may
        # be no room, or choose another one.
        host_code.make()
        return [bytes(DARK if dark else 1 for dark in row) for row in host_code.modules]

    # The native encoder packs tighter, and would sometimes make the code smaller than the host does.
    code = zxingcpp.create_barcode(
        content, zxingcpp.BarcodeFormat.QRCode, ec_level=level, version=host_code.calculate_version()
    )
    image = memoryview(code.to_image(scale=1, add_quiet_zones=False))
    width, modules = image.shape[1], image.tobytes()
    return [modules[start : start + width] for start in range(0, len(modules), width)]


def draw(canvas: Canvas, content: str, left: float, bottom: float, size: float, quiet_zone: int, color: Color):
    """Draw the code as one path, in a square of this size (in points) with a quiet zone (in modules) inside of it."""
    rows = encode(content)
    module = size / (len(rows) + 2 * quiet_zone)
    runs = [
        f"{run.start()} {y} {run.end() - run.start()} 1 re"
        for y, row in enumerate(reversed(rows))
        for run in _RUN.finditer(row)
    ]
    canvas.saveState()
    canvas.setFillColor(color)
    canvas.translate(left + quiet_zone * module, bottom + quiet_zone * module)
    canvas.scale(module, module)
    # Not a path object, which would format each of hundreds of rectangles on its own.
    canvas.addLiteral(" ".join(runs) + " f")
    canvas.restoreState()
