"""What annotations say of themselves."""

from typing import NamedTuple

from pikepdf import Array, Dictionary, Object, String

from .geometry import Box, is_empty, upright

Color = tuple[float, ...]

#: What readers do with fields of forms where these inherit from each other more often.
DEEPEST = 32


class Border(NamedTuple):
    #: In points.
    width: float
    #: Lengths of dashes and gaps; none, if it is a line.
    dash: tuple[float, ...] = ()


def box_of(annotation: Object) -> Box | None:
    box = numbers(annotation.get("/Rect"))
    return upright(box) if len(box) == 4 and not is_empty(upright(box)) else None


def numbers(thing: object) -> tuple[float, ...]:
    """None, if it is anything but an array of numbers."""
    try:
        return tuple(map(float, thing)) if isinstance(thing, Array) else ()
    except (TypeError, ValueError):
        return ()


def color_of(thing: Object, key: str, default: Color | None = None) -> Color | None:
    """Its components: of grey, red, green and blue, or as it is printed."""
    color = numbers(thing.get(key))
    return color if len(color) in (1, 3, 4) else default


def border_of(annotation: Object, default: float = 1) -> Border:
    style, border = annotation.get("/BS"), annotation.get("/Border")
    if isinstance(style, Dictionary):
        dash = (numbers(style.get("/D")) or (3,)) if style.get("/S") == "/D" else ()
        return Border(float(style.get("/W", default)), dash)
    if isinstance(border, Array) and len(border) >= 3:
        return Border(float(border[2]), numbers(border[3]) if len(border) > 3 else ())
    return Border(default)


def inherited(field: Object, key: str) -> object | None:
    """What a field of a form says, or the one that it belongs to."""
    for _generation in range(DEEPEST):
        if key in field:
            return field[key]
        field = field.get("/Parent")
        if not isinstance(field, Dictionary):
            break
    return None


def text_of(thing: object) -> str:
    """Of a text, or of several."""
    if isinstance(thing, Array):
        return "\n".join(map(text_of, thing))
    return str(thing) if isinstance(thing, (String, str)) else ""
