"""Reads what an annotation says of itself: box, color, border, texts. What can't be read counts as not said."""

from decimal import Decimal
from typing import NamedTuple

from pikepdf import Array, Dictionary, Object, String

from .geometry import Box, is_empty, upright

Color = tuple[float, ...]

#: What readers do with fields of forms where these inherit from each other more often.
DEEPEST = 32

#: Numbers in an array that isn't a list of points: of a box, a color, a matrix, a dash.
MOST = 16

#: In points: no reader knows larger pages, and what is drawn is written with so many digits.
FARTHEST = 1_000_000

#: Bytes of a text: more than fit onto a page that can be read.
LONGEST = 20_000

#: What is shorter is written as 0, which readers refuse as a dash.
SHORTEST = 0.01


class Border(NamedTuple):
    #: In points.
    width: float
    #: Lengths of dashes and gaps; none, if it is a line.
    dash: tuple[float, ...] = ()


def box_of(annotation: Object) -> Box | None:
    box = numbers(annotation.get("/Rect"))
    return upright(box) if len(box) == 4 and not is_empty(upright(box)) else None


def number(thing: object, default: float = 0) -> float:
    if not isinstance(thing, (int, float, Decimal)) or isinstance(thing, bool):
        return default
    return float(min(max(thing, -FARTHEST), FARTHEST))


def integer(thing: object, default: int = 0) -> int:
    return thing if isinstance(thing, int) else int(number(thing, default))


def numbers(thing: object, most: int = MOST) -> tuple[float, ...]:
    """Of an array; empty, if it is anything but an array of at most so many numbers."""
    if not isinstance(thing, Array) or len(thing) > most:
        return ()
    found = tuple(number(one, None) for one in thing)
    return () if None in found else found


def dictionary(thing: object) -> Object:
    """Empty, if it is anything else."""
    return thing if isinstance(thing, Dictionary) else Dictionary()


def color_of(thing: Object, key: str, default: Color | None = None) -> Color | None:
    """Its components: of grey, red, green and blue, or as it is printed. ``None``, if it says that it has no color."""
    found = thing.get(key)
    if isinstance(found, Array) and not len(found):
        return None
    color = numbers(found)
    return color if len(color) in (1, 3, 4) else default


def border_of(annotation: Object, default: float = 1) -> Border:
    style, border = annotation.get("/BS"), annotation.get("/Border")
    if isinstance(style, Dictionary):
        dash = (_dash(style.get("/D")) or (3,)) if style.get("/S") == "/D" else ()
        return Border(number(style.get("/W"), default), dash)
    if isinstance(border, Array) and len(border) >= 3:
        return Border(number(border[2], default), _dash(border[3]) if len(border) > 3 else ())
    return Border(default)


def _dash(thing: object) -> tuple[float, ...]:
    """Lengths of dashes and gaps; empty, if no reader could draw them."""
    dash = numbers(thing)
    return dash if dash and min(dash) >= 0 and max(dash) >= SHORTEST else ()


def inherited(field: Object, key: str) -> object | None:
    """What a field of a form says, or the one that it belongs to."""
    for _generation in range(DEEPEST):
        if key in field:
            return field[key]
        field = field.get("/Parent")
        if not isinstance(field, Dictionary):
            break
    return None


def bytes_of(thing: object) -> bytes:
    return bytes(thing)[:LONGEST] if isinstance(thing, String) else b""


def text_of(thing: object) -> str:
    """Of a text, or of several in an array, each in its line."""
    if not isinstance(thing, Array):
        return str(String(bytes_of(thing)))
    lines, left = [], LONGEST
    for index in range(min(len(thing), LONGEST)):
        line = "" if isinstance(thing[index], Array) else text_of(thing[index])
        lines.append(line[:left])
        left -= len(line) + 1
        if left <= 0:
            break
    return "\n".join(lines)
