"""Draws the texts above the pages of a background that have no appearance: fields of forms, and free texts."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pikepdf import Array, Dictionary, Name, Object, Pdf
from reportlab.pdfbase.pdfmetrics import standardFonts, stringWidth

from .annotated import LONGEST, border_of, bytes_of, color_of, dictionary, inherited, integer, number, text_of
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

#: So many take as long as a point of a line.
LETTERS = 10

#: Of the code that chooses font and color, in bytes.
_LONGEST_CODE = 1_000

_NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)"
_FONT = re.compile(rb"/(\S+)\s+(%b)\s+Tf" % _NUMBER)
_COLOR = re.compile(rb"(?<!\S)((?:%b\s+){1,4})(g|rg|k)\b" % _NUMBER)
_COMPONENTS = {b"g": 1, b"rg": 3, b"k": 4}

#: Codes of letters in fonts that are known here, and how wide one is that isn't said, in thousandths of its size.
_CODES, _UNKNOWN = 256, 500


class Font(NamedTuple):
    font: Object
    #: Of what ReportLab knows, if it is one of the 14 that every reader has.
    standard: str
    #: In thousandths of its size, by code.
    widths: dict[int, float]

    def width(self, shown: bytes, size: float) -> float:
        if self.widths:
            return sum(self.widths.get(code, _UNKNOWN) for code in shown) * size / 1000
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
    looks = dictionary(annotation.get("/MK"))
    border = _draw_frame(sketch, annotation, box, color_of(looks, "/BG"), color_of(looks, "/BC"))
    flags = integer(inherited(annotation, "/Ff"))
    inner = _smaller(box, border)
    match str(inherited(annotation, "/FT")):
        case "/Tx":
            text = _read(sketch, inherited(annotation, "/V"))
            text = "*" * len(text) if flags & PASSWORD else text
            cells = integer(inherited(annotation, "/MaxLen")) if flags & COMB else 0
            style = _style(sketch.pdf, annotation)
            if cells > 0 and not flags & MULTILINE:
                _draw_in_cells(sketch, text[:cells], cells, inner, style)
            else:
                _draw_text(sketch, text, inner, style, wraps=bool(flags & MULTILINE))
        case "/Ch":
            _draw_choice(sketch, annotation, inner, flags)
        case "/Btn" if flags & PUSH:
            style = _style(sketch.pdf, annotation)._replace(align=1)
            _draw_text(sketch, _read(sketch, looks.get("/CA")), inner, style)
        case "/Btn":
            if str(annotation.get("/AS", inherited(annotation, "/V"))) not in ("/Off", "None"):
                _draw_check(sketch, inner, is_round=bool(flags & RADIO))


def draw_free_text(sketch: Sketch, annotation: Object, box: Box) -> None:
    style = _style(sketch.pdf, annotation)
    border = _draw_frame(sketch, annotation, box, color_of(annotation, "/C"), (0,))
    _draw_text(sketch, _read(sketch, annotation.get("/Contents")), _smaller(box, border), style, wraps=True)


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
    measured = _measured(text if wraps else " ".join(text.splitlines()), font, wraps)
    for size in [style.size] if style.size else _sizes(top - bottom, wraps):
        lines = list(_wrapped(measured, font.width(b" ", 1), (right - left) / size))
        height = len(lines) * size * LEADING
        if height <= top - bottom and max(width for _line, width in lines) * size <= right - left:
            break
    first = top - size if wraps else (bottom + top) / 2 - HALF_HIGH * size
    placed = []
    for index, (line, width) in enumerate(lines[: int((top - bottom) / size / LEADING) + 2]):
        x = left + (right - left - width * size) * style.align / 2
        placed.append(((x, first - index * size * LEADING), line))
    sketch.clip(box)
    sketch.text(font.font, size, style.color, placed)


def _sizes(height: float, wraps: bool) -> Iterator[float]:
    size = LARGEST if wraps else max(SMALLEST, height / LEADING)
    while size > SMALLEST:
        yield size
        size *= 0.95
    yield SMALLEST


def _measured(text: str, font: Font, wraps: bool) -> list[list[tuple[bytes, float]]]:
    """The words of each paragraph, or all of it as if it were one, and how wide they are in sizes of the font."""
    paragraphs = [_encoded(paragraph) for paragraph in text.splitlines()] or [b""]
    words = [paragraph.split(b" ") if wraps else [paragraph] for paragraph in paragraphs]
    return [[(word, font.width(word, 1)) for word in paragraph] for paragraph in words]


def _wrapped(paragraphs: list[list[tuple[bytes, float]]], space: float, width: float) -> Iterator[tuple[bytes, float]]:
    """Lines and how wide they are; all widths are in sizes of the font."""
    for words in paragraphs:
        line, taken = [], 0
        for word, wide in words:
            if line and taken + space + wide > width:
                yield b" ".join(line), taken
                line = []
            taken = taken + space + wide if line else wide
            line.append(word)
        yield b" ".join(line), taken


def _read(sketch: Sketch, thing: object) -> str:
    """
    A text that is drawn.

    :raises TooMuch: if it would take too long
    """
    sketch.spend(min(len(thing), LONGEST) if isinstance(thing, Array) else 0)
    text = text_of(thing)
    sketch.spend(len(text) // LETTERS)
    return text


def _draw_in_cells(sketch: Sketch, text: str, cells: int, box: Box, style: Style) -> None:
    """One letter in each."""
    left, bottom, right, top = box
    width, size = (right - left) / cells, style.size or min(LARGEST, (top - bottom) / LEADING)
    placed = []
    for cell, letter in enumerate(_encoded(text)):
        shown = bytes([letter])
        x = left + (cell + 0.5) * width - style.font.width(shown, size) / 2
        placed.append(((x, (bottom + top) / 2 - HALF_HIGH * size), shown))
    if placed:
        sketch.text(style.font.font, size, style.color, placed)


def _draw_choice(sketch: Sketch, annotation: Object, box: Box, flags: int) -> None:
    """What was chosen; in a list, all that can be chosen as far as there is room, with what was chosen marked."""
    options = inherited(annotation, "/Opt")
    names = {}
    sketch.spend(len(options) if isinstance(options, Array) else 0)
    for option in options if isinstance(options, Array) else ():
        value, name = (option[0], option[1]) if isinstance(option, Array) and len(option) > 1 else (option, option)
        names[_read(sketch, value)] = _read(sketch, name)
    values = _read(sketch, inherited(annotation, "/V")).splitlines()
    style = _style(sketch.pdf, annotation)
    if flags & COMBO:
        _draw_text(sketch, ", ".join(names.get(value, value) for value in values), box, style)
        return
    left, bottom, right, top = box
    size = style.size or LARGEST
    first = max(0, integer(inherited(annotation, "/TI")))
    shown = list(names.items())[first : first + max(1, int((top - bottom) / size / LEADING))]
    sketch.clip(box)
    for index, (value, _name) in enumerate(shown):
        if value in values:
            sketch.fill_with((0.6, 0.75, 0.85))
            line = top - index * size * LEADING
            sketch.rectangle((left, line - size * LEADING, right, line))
            sketch.paint(fill=True, stroke=False)
    if shown:
        lines = [
            ((left + PADDING, top - (index + 0.85) * size * LEADING), _encoded(name))
            for index, (_value, name) in enumerate(shown)
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
    form = dictionary(pdf.Root.get("/AcroForm"))
    appearance, align = inherited(annotation, "/DA"), inherited(annotation, "/Q")
    code = bytes_of(form.get("/DA") if appearance is None else appearance)[:_LONGEST_CODE]
    found = _FONT.search(code)
    fonts = dictionary(dictionary(form.get("/DR")).get("/Font"))
    font = fonts.get(f"/{found[1].decode('latin-1')}") if found else None
    return Style(
        _usable(font) or _helvetica(),
        max(0, number(float(found[2]))) if found else LARGEST,
        _color(code),
        min(2, max(0, integer(form.get("/Q") if align is None else align))),
    )


def _color(code: bytes) -> bytes:
    """As it is chosen to fill with; black, if nothing or no color is."""
    for found in _COLOR.finditer(code):
        operands = found[1].split()
        if len(operands) == _COMPONENTS[found[2]]:
            return chosen([number(float(operand)) for operand in operands])
    return chosen((0,))


def _usable(font: object) -> Font | None:
    """A font with letters as in Western Europe, since we don't know any other."""
    if not isinstance(font, Dictionary) or font.get("/Subtype") not in (Name.Type1, Name.TrueType):
        return None
    encoding, standard = font.get("/Encoding"), str(font.get("/BaseFont"))[1:]
    if isinstance(encoding, Dictionary):
        encoding = None if "/Differences" in encoding else encoding.get("/BaseEncoding")
    if encoding != Name.WinAnsiEncoding:
        return None
    first, widths = integer(font.get("/FirstChar")), font.get("/Widths")
    count = min(len(widths), _CODES) if isinstance(widths, Array) else 0
    known = {first + index: number(widths[index], _UNKNOWN) for index in range(count)}
    return Font(font, standard, known) if known or standard in standardFonts else None


def _helvetica() -> Font:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    return Font(font, "Helvetica", {})


def _encoded(text: str) -> bytes:
    return text.encode("cp1252", "replace")


def _smaller(box: Box, by: float) -> Box:
    left, bottom, right, top = box
    return left + by, bottom + by, right - by, top - by
