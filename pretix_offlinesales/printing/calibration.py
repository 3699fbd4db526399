"""Draws a page that tells by how much a printer is off: rulers from the edges of the paper, and a cross."""

from typing import BinaryIO

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from ..host.rendering import register_fonts
from .sheets import Sheet

FONT = "Open Sans"

#: How long the rulers are and the cross, in millimetres.
RULER, CROSS = 30, 15


def print_calibration(sheet: Sheet, output: BinaryIO) -> None:
    """
    Write a PDF of one page in the size of the sheet. It is moved by the offset of the sheet, so that a second print
    shows whether that is right.
    """
    register_fonts()
    width, height = sheet.size
    canvas = Canvas(output, pagesize=(width * mm, height * mm))
    canvas.setTitle(_("Calibration page"))
    canvas.translate(sheet.offset[0] * mm, sheet.offset[1] * mm)
    canvas.setLineWidth(0.25)
    _draw_ruler(canvas, height / 2)
    canvas.saveState()
    canvas.translate(width * mm, 0)
    canvas.rotate(90)
    _draw_ruler(canvas, width / 2)
    canvas.restoreState()
    _draw_cross(canvas, width / 2, height / 2)
    _write(canvas, width, height)
    canvas.save()


def _draw_ruler(canvas: Canvas, y: float) -> None:
    """From the left edge of the paper, at this height: a line a millimetre. Its numbers are the way to that edge."""
    canvas.setFont(FONT, 6)
    canvas.line(0, y * mm, RULER * mm, y * mm)
    for millimetre in range(RULER + 1):
        length = 6 if millimetre % 10 == 0 else 4 if millimetre % 5 == 0 else 2
        canvas.line(millimetre * mm, y * mm, millimetre * mm, (y + length) * mm)
        if millimetre % 5 == 0:
            canvas.drawCentredString(millimetre * mm, (y - 3) * mm, str(millimetre))


def _draw_cross(canvas: Canvas, x: float, y: float) -> None:
    canvas.line((x - CROSS) * mm, y * mm, (x + CROSS) * mm, y * mm)
    canvas.line(x * mm, (y - CROSS) * mm, x * mm, (y + CROSS) * mm)
    canvas.circle(x * mm, y * mm, 5 * mm)


def _write(canvas: Canvas, width: float, height: float) -> None:
    lines = [
        _("Calibration page, {width} × {height} mm").format(width=f"{width:g}", height=f"{height:g}"),
        _("Print this in its actual size, without fitting it to the page."),
        _("1. Measure from the left edge of the paper to the 10 of the ruler at the left: X."),
        _("2. Measure from the lower edge of the paper to the 10 of the ruler at the bottom: Y."),
        _("3. Move to the right by 10 mm − X, and upwards by 10 mm − Y."),
    ]
    size = 8 if width >= 120 else 5
    canvas.setFont(FONT, size)
    for number, line in enumerate(lines):
        canvas.drawCentredString(width * mm / 2, height * mm * 0.75 - number * size * 1.5, line)
