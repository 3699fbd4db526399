"""Layouts as the editor stores them, and what lies behind them."""

from io import BytesIO

import pikepdf
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas


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


#: Points.
SIZE = (300, 200)


def changed(background: bytes, change) -> bytes:
    """:param change: is called with the file and its first page"""
    with pikepdf.open(BytesIO(background)) as pdf:
        change(pdf, pdf.pages[0])
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()
