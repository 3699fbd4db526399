"""What is filled into the forms of a background, and other texts above its pages, where readers have to draw it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pikepdf import Array, Dictionary, Name, Object, Pdf
from reportlab.pdfbase.pdfmetrics import standardFonts, stringWidth

from .annotated import border_of, color_of, inherited, text_of
from .geometry import Box
from .sketch import Sketch, chosen

#: Bits of what fields of forms say of themselves: of texts, of buttons, of choices.
MULTILINE, PASSWORD, COMB = 1 << 12, 1 << 13, 1 << 24
RADIO, PUSH = 1 << 15, 1 << 16
COMBO = 1 << 17

#: What is left free at the edges, in points.
PADDING = 2

#: Sizes of text that fits by itself, in points, and how far from each other lines are, in sizes.
LARGEST, SMALLEST, LEADING = 12, 4, 1.15

#: Of a line, in sizes: how far below its middle letters stand.
HALF_HIGH = 0.35

_FONT = re.compile(rb"/(\S+)\s+(-?[\d.]+)\s+Tf")
_COLOR = re.compile(rb"(?:-?[\d.]+\s+){1,4}(?:g|rg|k)\b")


class Font(NamedTuple):
    font: Object
    #: Of what ReportLab knows, if it is one of the 14 that every reader has.
    standard: str
    #: In thousandths of its size, by code.
    widths: dict[int, float]

    def width(self, shown: bytes, size: float) -> float:
        if self.widths:
            return sum(self.widths.get(code, 500) for code in shown) * size / 1000
        return stringWidth(shown.decode("cp1252", "replace"), self.standard, size)


class Style(NamedTuple):
    """How a text is written."""

    font: Font
    #: In points; 0, if it shall fit.
    size: float
    color: bytes
    #: 0 for left, 1 for the middle, 2 for right.
    align: int


def draw_field(sketch: Sketch, annotation: Object, box: Box) -> None:
    looks = annotation.get("/MK", Dictionary())
    border = _draw_frame(sketch, annotation, box, color_of(looks, "/BG"), color_of(looks, "/BC"))
    flags = int(inherited(annotation, "/Ff") or 0)
    inner = _smaller(box, border)
    match str(inherited(annotation, "/FT")):
        case "/Tx":
            text = text_of(inherited(annotation, "/V"))
            text = "*" * len(text) if flags & PASSWORD else text
            cells = int(inherited(annotation, "/MaxLen") or 0) if flags & COMB else 0
            style = _style(sketch.pdf, annotation)
            if cells and not flags & MULTILINE:
                _draw_in_cells(sketch, text[:cells], cells, inner, style)
            else:
                _draw_text(sketch, text, inner, style, wraps=bool(flags & MULTILINE))
        case "/Ch":
            _draw_choice(sketch, annotation, inner, flags)
        case "/Btn" if flags & PUSH:
            _draw_text(sketch, text_of(looks.get("/CA")), inner, _style(sketch.pdf, annotation)._replace(align=1))
        case "/Btn":
            if str(annotation.get("/AS", inherited(annotation, "/V"))) not in ("/Off", "None"):
                _draw_check(sketch, inner, is_round=bool(flags & RADIO))


def draw_free_text(sketch: Sketch, annotation: Object, box: Box) -> None:
    style = _style(sketch.pdf, annotation)
    border = _draw_frame(sketch, annotation, box, color_of(annotation, "/C"), (0,))
    _draw_text(sketch, text_of(annotation.get("/Contents")), _smaller(box, border), style, wraps=True)


def draw_label(sketch: Sketch, text: str, box: Box, color: tuple[float, ...]) -> None:
    """As large as it fits, in the middle."""
    _draw_text(sketch, text, box, Style(_helvetica(), 0, chosen(color), 1))


def _draw_frame(
    sketch: Sketch, annotation: Object, box: Box, inside: tuple[float, ...] | None, edge: tuple[float, ...] | None
) -> float:
    """Returns how thick it is."""
    if inside:
        sketch.fill_with(inside)
        sketch.rectangle(box)
        sketch.paint(fill=True, stroke=False)
    border = border_of(annotation)
    if not edge or border.width <= 0:
        return 0
    sketch.stroke_with(edge, border.width, border.dash)
    sketch.rectangle(_smaller(box, border.width / 2))
    sketch.paint(fill=False, stroke=True)
    return border.width


def _draw_text(sketch: Sketch, text: str, box: Box, style: Style, wraps: bool = False) -> None:
    """In the middle of the height, or from the top if it goes on in the next line where it is too long."""
    left, bottom, right, top = _smaller(box, PADDING)
    if not text.strip() or left >= right or bottom >= top:
        return
    font = style.font
    for size in [style.size] if style.size else _sizes(top - bottom, wraps):
        lines = list(_wrapped(text, font, size, right - left)) if wraps else [_encoded(" ".join(text.splitlines()))]
        height = len(lines) * size * LEADING
        if height <= top - bottom and max(font.width(line, size) for line in lines) <= right - left:
            break
    first = top - size if wraps else (bottom + top) / 2 - HALF_HIGH * size
    placed = []
    for number, line in enumerate(lines):
        x = left + (right - left - font.width(line, size)) * style.align / 2
        placed.append(((x, first - number * size * LEADING), line))
    sketch.clip(box)
    sketch.text(font.font, size, style.color, placed)


def _sizes(height: float, wraps: bool) -> Iterator[float]:
    size = LARGEST if wraps else max(SMALLEST, height / LEADING)
    while size > SMALLEST:
        yield size
        size *= 0.95
    yield SMALLEST


def _wrapped(text: str, font: Font, size: float, width: float) -> Iterator[bytes]:
    for paragraph in text.splitlines() or [""]:
        line = b""
        for word in _encoded(paragraph).split(b" "):
            longer = line + b" " + word if line else word
            if line and font.width(longer, size) > width:
                yield line
                longer = word
            line = longer
        yield line


def _draw_in_cells(sketch: Sketch, text: str, cells: int, box: Box, style: Style) -> None:
    """One letter in each."""
    left, bottom, right, top = box
    width, size = (right - left) / cells, style.size or min(LARGEST, (top - bottom) / LEADING)
    placed = []
    for number, letter in enumerate(_encoded(text)):
        shown = bytes([letter])
        x = left + (number + 0.5) * width - style.font.width(shown, size) / 2
        placed.append(((x, (bottom + top) / 2 - HALF_HIGH * size), shown))
    if placed:
        sketch.text(style.font.font, size, style.color, placed)


def _draw_choice(sketch: Sketch, annotation: Object, box: Box, flags: int) -> None:
    """What was chosen; in a list, all that can be chosen as far as there is room, with what was chosen marked."""
    options = inherited(annotation, "/Opt")
    names = {}
    for option in options if isinstance(options, Array) else ():
        value, name = (option[0], option[1]) if isinstance(option, Array) and len(option) > 1 else (option, option)
        names[text_of(value)] = text_of(name)
    values = text_of(inherited(annotation, "/V")).splitlines()
    style = _style(sketch.pdf, annotation)
    if flags & COMBO:
        _draw_text(sketch, ", ".join(names.get(value, value) for value in values), box, style)
        return
    left, bottom, right, top = box
    size = style.size or LARGEST
    first = int(inherited(annotation, "/TI") or 0)
    shown = list(names.items())[first : first + max(1, int((top - bottom) / size / LEADING))]
    sketch.clip(box)
    for number, (value, _name) in enumerate(shown):
        if value in values:
            sketch.fill_with((0.6, 0.75, 0.85))
            line = top - number * size * LEADING
            sketch.rectangle((left, line - size * LEADING, right, line))
            sketch.paint(fill=True, stroke=False)
    if shown:
        lines = [
            ((left + PADDING, top - (number + 0.85) * size * LEADING), _encoded(name))
            for number, (_value, name) in enumerate(shown)
        ]
        sketch.text(style.font.font, size, style.color, lines)


def _draw_check(sketch: Sketch, box: Box, is_round: bool) -> None:
    left, bottom, right, top = box
    side, x, y = min(right - left, top - bottom), (left + right) / 2, (bottom + top) / 2
    if is_round:
        sketch.fill_with((0,))
        sketch.ellipse((x - side / 4, y - side / 4, x + side / 4, y + side / 4))
        sketch.paint(fill=True, stroke=False)
    else:
        sketch.stroke_with((0,), side / 8)
        sketch.lines([(x - side * 0.3, y), (x - side * 0.1, y - side * 0.25), (x + side * 0.3, y + side * 0.3)])
        sketch.paint(fill=False, stroke=True)


def _style(pdf: Pdf, annotation: Object) -> Style:
    form = pdf.Root.get("/AcroForm", Dictionary())
    appearance = inherited(annotation, "/DA")
    appearance = bytes(form.get("/DA", b"") if appearance is None else appearance)
    found, color = _FONT.search(appearance), _COLOR.search(appearance)
    fonts = form.get("/DR", Dictionary()).get("/Font", Dictionary())
    font = fonts.get(f"/{found[1].decode('latin-1')}") if found else None
    align = inherited(annotation, "/Q")
    return Style(
        _usable(font) or _helvetica(),
        max(0, float(found[2])) if found else LARGEST,
        color[0] if color else b"0 g",
        int(form.get("/Q", 0) if align is None else align),
    )


def _usable(font: object) -> Font | None:
    """A font with letters as in Western Europe, since we don't know any other."""
    if not isinstance(font, Dictionary) or font.get("/Subtype") not in (Name.Type1, Name.TrueType):
        return None
    encoding, standard = font.get("/Encoding"), str(font.get("/BaseFont"))[1:]
    if isinstance(encoding, Dictionary):
        encoding = None if "/Differences" in encoding else encoding.get("/BaseEncoding")
    if encoding != Name.WinAnsiEncoding:
        return None
    first, widths = int(font.get("/FirstChar", 0)), font.get("/Widths")
    known = {first + index: float(width) for index, width in enumerate(widths)} if isinstance(widths, Array) else {}
    return Font(font, standard, known) if known or standard in standardFonts else None


def _helvetica() -> Font:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    return Font(font, "Helvetica", {})


def _encoded(text: str) -> bytes:
    return text.encode("cp1252", "replace")


def _smaller(box: Box, by: float) -> Box:
    left, bottom, right, top = box
    return left + by, bottom + by, right - by, top - by
