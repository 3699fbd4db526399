"""The paper ticket: a night sky over a row of museums, with a stub to tear off, and what pretix prints on it."""

import random
from io import BytesIO

import pikepdf
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT, STUB = 210, 99, 153

NIGHT, DUSK, GLOW = HexColor("#12123a"), HexColor("#4b2673"), HexColor("#f08a5d")
MOON, LIT, STONE, PAPER = HexColor("#fdf3d0"), HexColor("#ffd166"), HexColor("#0b0b22"), HexColor("#fbf7ec")


def background() -> bytes:
    """The printed sheet that the tickets are drawn on, as a PDF of one page."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH * mm, HEIGHT * mm))
    canvas.setTitle("Ticket")
    canvas.scale(mm, mm)
    _sky(canvas)
    _museums(canvas)
    _stub(canvas)
    canvas.save()
    return _without_fonts(buffer)


def _without_fonts(file: BytesIO) -> bytes:
    """There is no text on it. ReportLab names a font on each page all the same, which it does not embed."""
    output = BytesIO()
    with pikepdf.open(file) as pdf:
        [page] = pdf.pages
        texts = ("BT", "Tf", "TL", "ET")
        drawn = [each for each in pikepdf.parse_content_stream(page) if str(each.operator) not in texts]
        page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(drawn))
        del page.Resources.Font
        pdf.remove_unreferenced_resources()
        pdf.save(output)
    return output.getvalue()


def _sky(canvas: Canvas):
    canvas.saveState()
    canvas.clipPath(_box(canvas, 0, 0, STUB, HEIGHT), stroke=0, fill=0)
    canvas.linearGradient(0, HEIGHT, 0, 12, (NIGHT, DUSK, GLOW), (0, 0.55, 1))
    canvas.restoreState()
    dice = random.Random(7)
    for _ in range(90):
        canvas.setFillColor(MOON, alpha=dice.uniform(0.25, 0.9))
        x, y = dice.uniform(3, STUB - 3), dice.uniform(52, HEIGHT - 3)
        canvas.circle(x, y, dice.uniform(0.1, 0.32), stroke=0, fill=1)
    for radius, alpha in ((17, 0.06), (14, 0.1), (11.5, 0.16), (9.5, 1)):
        canvas.setFillColor(MOON, alpha=alpha)
        canvas.circle(132, 78, radius, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#efdfae"), alpha=1)
    for x, y, radius in ((129, 80, 1.9), (134.5, 75.5, 1.4), (133.5, 81.5, 0.8), (129.5, 74.5, 0.9)):
        canvas.circle(x, y, radius, stroke=0, fill=1)


def _museums(canvas: Canvas):
    canvas.setFillColor(STONE)
    canvas.rect(0, 0, STUB, 20, stroke=0, fill=1)
    # the observatory
    canvas.rect(6, 20, 22, 9, stroke=0, fill=1)
    canvas.wedge(8, 20, 26, 38, 0, 180, stroke=0, fill=1)
    canvas.saveState()
    canvas.translate(17, 34)
    canvas.rotate(35)
    canvas.rect(0, -1.1, 12, 2.2, stroke=0, fill=1)
    canvas.restoreState()
    # the temple of art
    canvas.rect(40, 20, 42, 2.4, stroke=0, fill=1)
    canvas.rect(40, 33, 42, 2.4, stroke=0, fill=1)
    _shape(canvas, (38.5, 35.3), (83.5, 35.3), (61, 44))
    # the old tower
    canvas.rect(92, 20, 9, 26, stroke=0, fill=1)
    _shape(canvas, (91, 46), (102, 46), (96.5, 57))
    canvas.rect(101, 20, 16, 11, stroke=0, fill=1)
    # the new wing
    _shape(canvas, (123, 20), (123, 30), (137, 39), (147, 33), (147, 20))
    canvas.setFillColor(LIT)
    for column in range(6):
        canvas.rect(43.4 + column * 6.5, 22.4, 3.6, 10.6, stroke=0, fill=1)
    for x, y in ((94.2, 40), (97.2, 40), (94.2, 35), (97.2, 25), (9, 22.5), (13, 22.5), (21, 22.5), (25, 22.5)):
        canvas.rect(x, y, 1.6, 2.6, stroke=0, fill=1)
    for x in (103.5, 107.5, 111.5):
        canvas.roundRect(x, 23, 2.4, 4.6, 1.1, stroke=0, fill=1)
    for x in range(126, 145, 3):
        canvas.rect(x, 23, 2, 6, stroke=0, fill=1)
    canvas.setFillColor(GLOW)
    canvas.rect(0, 19.2, STUB, 0.8, stroke=0, fill=1)


def _stub(canvas: Canvas):
    canvas.setFillColor(PAPER)
    canvas.rect(STUB, 0, WIDTH - STUB, HEIGHT, stroke=0, fill=1)
    canvas.setFillColor(NIGHT)
    canvas.rect(WIDTH - 3, 0, 3, HEIGHT, stroke=0, fill=1)
    canvas.setStrokeColor(HexColor("#b9b0c9"))
    canvas.setLineWidth(0.35)
    canvas.setDash(1.4, 1.4)
    canvas.line(STUB, 4, STUB, HEIGHT - 4)
    canvas.setFillColor(HexColor("#ffffff"))
    for y in (0, HEIGHT):
        canvas.circle(STUB, y, 3.2, stroke=0, fill=1)


def _box(canvas: Canvas, x: float, y: float, width: float, height: float):
    path = canvas.beginPath()
    path.rect(x, y, width, height)
    return path


def _shape(canvas: Canvas, *corners: tuple[float, float]):
    path = canvas.beginPath()
    path.moveTo(*corners[0])
    for corner in corners[1:]:
        path.lineTo(*corner)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def layout() -> list[dict]:
    """What pretix draws on the background, as its layout editor stores it."""
    white, yellow, ink, grey = (255, 255, 255), (255, 209, 102), (18, 18, 58), (110, 104, 130)
    return [
        _text("organizer", 10, 84, 100, 6, 9, yellow, bold=True, text="Museum Trust"),
        _text("event_name", 10, 66, 104, 18, 27, white, bold=True, text="Long Night of the Museums"),
        _text("{event_begin_weekday}, {event_date}", 10, 58, 104, 7, 13, yellow, bold=True),
        _text("{event_begin_time} · {event_location}", 10, 51.5, 104, 6, 10.5, white),
        _text("itemvar", 10, 5, 92, 9, 15, white, bold=True, text="Night pass"),
        _text("price", 106, 5, 40, 9, 17, yellow, bold=True, align="right", text="EUR 23.00"),
        _text("event_name", 157, 86, 46, 8, 9, ink, bold=True, align="center", text="Long Night of the Museums"),
        _text("{event_date}", 157, 81, 46, 5, 8, grey, align="center"),
        {
            "type": "barcodearea",
            "page": 1,
            "left": "157.00",
            "bottom": "34.00",
            "size": "46.00",
            "content": "secret",
            "text": "",
            "text_i18n": {},
            "nowhitespace": False,
            "color": [*ink, 1],
        },
        _text("order", 157, 24, 46, 9, 20, ink, bold=True, align="center", text="A1B2C"),
        _text("itemvar", 157, 16, 46, 7, 9, ink, align="center", text="Night pass"),
        _text("price", 157, 11, 46, 5, 9, ink, bold=True, align="center", text="EUR 23.00"),
        _text("secret", 157, 5, 46, 4, 5, grey, align="center", text="tdmruoekvkpbv1o2mv8xccvqcikvr58u"),
    ]


def _text(content, left, bottom, width, height, size, color, *, bold=False, align="left", text="") -> dict:
    """A text box, with the fields of the layout editor; ``content`` is a placeholder or a text with some in braces."""
    free = "{" in content
    return {
        "type": "textcontainer", "page": 1, "locale": "", "rotation": 0, "italic": False, "bold": bold,
        "left": f"{left:.2f}", "bottom": f"{bottom:.2f}", "width": f"{width:.2f}", "height": f"{height:.2f}",
        "fontfamily": "Open Sans", "fontsize": f"{size:.1f}", "lineheight": "1", "color": [*color, 1],
        "content": "other" if free else content, "text": content if free else text, "text_i18n": {},
        "align": align, "verticalalign": "middle", "autoresize": True, "splitlongwords": True,
    }  # fmt: skip
