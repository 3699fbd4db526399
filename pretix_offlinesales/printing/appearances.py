"""
Makes the appearance of an annotation that has none. That is left to readers, which agree on most of it.

Nothing is drawn where readers draw nothing either: films, places for signatures, what shall be blackened later.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import atan2, cos, pi, sin

from pikepdf import Array, Object, Pdf, Stream

from .annotated import border_of, box_of, color_of, number, numbers
from .fields import draw_field, draw_free_text, draw_label
from .geometry import Box, is_empty
from .sketch import Allowance, Point, Sketch

BLACK, GREY, YELLOW = (0,), (0.8,), (1, 1, 0)

#: How many times as long as a line is thick its ends are, and how far the sides of arrows are from it.
END, ARROW = 6, pi / 6

#: Of the name of a stamp.
MOST_LETTERS = 100

#: The side of the icon that stands for a note or a file, in points.
ICON = 20


def make_appearance(pdf: Pdf, annotation: Object, allowance: Allowance) -> Stream | None:
    """
    A form of this file, as large as the annotation; nothing, if there is nothing to see.

    :raises TooMuch: if it would take too long to draw it
    """
    subtype, box = str(annotation.get("/Subtype")), box_of(annotation)
    if not box or subtype not in _DRAWN:
        return None
    sketch = Sketch(pdf, allowance)
    _DRAWN[subtype](sketch, annotation, box)
    blend = "/Multiply" if subtype == "/Highlight" else "/Normal"
    return sketch.form(box, min(1, max(0, number(annotation.get("/CA"), 1))), blend)


def _draw_shape(sketch: Sketch, annotation: Object, box: Box, outline: Callable[[Sketch, Box], None]) -> None:
    inner = _inside(annotation, box, border_of(annotation).width / 2)
    if not is_empty(inner):
        _paint(sketch, annotation, lambda: outline(sketch, inner), can_be_filled=True)


def _draw_square(sketch: Sketch, annotation: Object, box: Box) -> None:
    _draw_shape(sketch, annotation, box, Sketch.rectangle)


def _draw_circle(sketch: Sketch, annotation: Object, box: Box) -> None:
    _draw_shape(sketch, annotation, box, Sketch.ellipse)


def _draw_link(sketch: Sketch, annotation: Object, box: Box) -> None:
    _paint(sketch, annotation, lambda: sketch.rectangle(_inside(annotation, box, border_of(annotation).width / 2)))


def _draw_line(sketch: Sketch, annotation: Object, box: Box) -> None:
    _draw_open(sketch, annotation, _points(sketch, annotation.get("/L")))


def _draw_polyline(sketch: Sketch, annotation: Object, box: Box) -> None:
    _draw_open(sketch, annotation, _points(sketch, annotation.get("/Vertices")))


def _draw_polygon(sketch: Sketch, annotation: Object, box: Box) -> None:
    points = _points(sketch, annotation.get("/Vertices"))
    if len(points) > 1:
        _paint(sketch, annotation, lambda: sketch.lines(points, close=True), can_be_filled=True)


def _draw_ink(sketch: Sketch, annotation: Object, box: Box) -> None:
    strokes = annotation.get("/InkList")
    if not isinstance(strokes, Array):
        return
    sketch.spend(len(strokes))
    for stroke in strokes:
        points = _points(sketch, stroke)
        if len(points) > 1:
            _paint(sketch, annotation, lambda points=points: sketch.lines(points))


def _draw_open(sketch: Sketch, annotation: Object, points: list[Point]) -> None:
    if len(points) < 2:
        return
    _paint(sketch, annotation, lambda: sketch.lines(points))
    ends = annotation.get("/LE")
    names = [str(end) for end in ends] if isinstance(ends, Array) else []
    for name, (at, before) in zip(names, ((points[0], points[1]), (points[-1], points[-2])), strict=False):
        if end := _end(name, at, before, END * border_of(annotation).width):
            closed = name != "/OpenArrow"
            _paint(sketch, annotation, lambda end=end, c=closed: sketch.lines(end, close=c), can_be_filled=closed)


def _end(name: str, at: Point, before: Point, size: float) -> list[Point]:
    (x, y), direction = at, atan2(before[1] - at[1], before[0] - at[0])

    def beside(angle: float, length: float = size) -> Point:
        return x + length * cos(direction + angle), y + length * sin(direction + angle)

    match name:
        case "/OpenArrow" | "/ClosedArrow":
            return [beside(ARROW), at, beside(-ARROW)]
        case "/ROpenArrow" | "/RClosedArrow":
            return [beside(pi + ARROW), at, beside(pi - ARROW)]
        case "/Butt":
            return [beside(pi / 2, size / 2), beside(-pi / 2, size / 2)]
        case "/Slash":
            return [beside(pi / 3, size / 2), beside(pi / 3 + pi, size / 2)]
        case "/Square":
            return [beside(pi / 4 + turn * pi / 2, size / 2) for turn in range(4)]
        case "/Diamond":
            return [beside(turn * pi / 2, size / 2) for turn in range(4)]
        case "/Circle":
            return [beside(turn * pi / 12, size / 2) for turn in range(24)]
    return []


# Marked text


def _draw_highlight(sketch: Sketch, annotation: Object, box: Box) -> None:
    if not (color := color_of(annotation, "/C", YELLOW)):
        return
    sketch.fill_with(color)
    for top_left, top_right, bottom_left, bottom_right in _quads(sketch, annotation, box):
        sketch.lines([top_left, top_right, bottom_right, bottom_left], close=True)
        sketch.paint(fill=True, stroke=False)


def _draw_underline(sketch: Sketch, annotation: Object, box: Box) -> None:
    _mark_lines(sketch, annotation, box, lambda top, bottom: (bottom[0], bottom[1] + 1))


def _draw_strikeout(sketch: Sketch, annotation: Object, box: Box) -> None:
    _mark_lines(sketch, annotation, box, lambda top, bottom: ((top[0] + bottom[0]) / 2, (top[1] + bottom[1]) / 2))


def _mark_lines(sketch: Sketch, annotation: Object, box: Box, between: Callable[[Point, Point], Point]) -> None:
    if not (color := color_of(annotation, "/C", BLACK)):
        return
    sketch.stroke_with(color, width=1)
    for top_left, top_right, bottom_left, bottom_right in _quads(sketch, annotation, box):
        sketch.lines([between(top_left, bottom_left), between(top_right, bottom_right)])
        sketch.paint(fill=False, stroke=True)


def _draw_squiggly(sketch: Sketch, annotation: Object, box: Box) -> None:
    if not (color := color_of(annotation, "/C", BLACK)):
        return
    sketch.stroke_with(color, width=1)
    for _top_left, _top_right, (left, bottom), (right, _bottom) in _quads(sketch, annotation, box):
        # No more than is seen of it.
        left, right = max(left, box[0]), min(right, box[2])
        steps = max(1, int((right - left) / 2))
        sketch.spend(steps)
        sketch.lines([(left + 2 * step, bottom + 1 + 2 * (step % 2)) for step in range(steps + 1)])
        sketch.paint(fill=False, stroke=True)


def _quads(sketch: Sketch, annotation: Object, box: Box) -> Iterator[list[Point]]:
    """Upper left and right, lower left and right: not as the standard has it, but as all write and read it."""
    left, bottom, right, top = box
    whole = [(left, top), (right, top), (left, bottom), (right, bottom)]
    corners = _points(sketch, annotation.get("/QuadPoints")) or whole
    for start in range(0, len(corners) - 3, 4):
        yield corners[start : start + 4]


# Icons, which each reader draws in its own way


def _draw_icon(sketch: Sketch, annotation: Object, box: Box) -> None:
    """A sheet with some lines on it, at the upper left."""
    left, _bottom, right, top = box
    size = min(ICON, right - left, box[3] - box[1])
    color = color_of(annotation, "/C", GREY)
    if color:
        sketch.fill_with(color)
    sketch.stroke_with(BLACK, width=0.5)
    sketch.rectangle((left + 1, top - size + 1, left + size - 1, top - 1))
    sketch.paint(fill=bool(color), stroke=True)
    for line in (0.3, 0.5, 0.7):
        sketch.lines([(left + 0.2 * size, top - line * size), (left + 0.8 * size, top - line * size)])
        sketch.paint(fill=False, stroke=True)


def _draw_stamp(sketch: Sketch, annotation: Object, box: Box) -> None:
    """Its name in a frame."""
    if not (color := color_of(annotation, "/C", (0.8, 0, 0))):
        return
    sketch.stroke_with(color, width=2)
    sketch.rectangle(_inside(annotation, box, 2))
    sketch.paint(fill=False, stroke=True)
    draw_label(sketch, str(annotation.get("/Name", "Draft"))[:MOST_LETTERS].removeprefix("/").upper(), box, color)


def _draw_caret(sketch: Sketch, annotation: Object, box: Box) -> None:
    left, bottom, right, top = box
    if not (color := color_of(annotation, "/C", BLACK)):
        return
    sketch.fill_with(color)
    sketch.lines([(left, bottom), ((left + right) / 2, top), (right, bottom)], close=True)
    sketch.paint(fill=True, stroke=False)


def _paint(sketch: Sketch, annotation: Object, outline: Callable[[], None], can_be_filled: bool = False) -> None:
    border, inside = border_of(annotation), color_of(annotation, "/IC") if can_be_filled else None
    edge = color_of(annotation, "/C", BLACK) if border.width > 0 else None
    if inside:
        sketch.fill_with(inside)
    if edge:
        sketch.stroke_with(edge, border.width, border.dash)
    outline()
    sketch.paint(fill=bool(inside), stroke=bool(edge))


def _inside(annotation: Object, box: Box, distance: float) -> Box:
    left, bottom, right, top = _differences(annotation)
    return box[0] + left + distance, box[1] + bottom + distance, box[2] - right - distance, box[3] - top - distance


def _differences(annotation: Object) -> Box:
    found = numbers(annotation.get("/RD"))
    return found if len(found) == 4 else (0, 0, 0, 0)


def _points(sketch: Sketch, thing: object) -> list[Point]:
    """:raises TooMuch: if it would take too long to draw them"""
    if not isinstance(thing, Array):
        return []
    sketch.spend(len(thing) // 2)
    return list(pairwise(numbers(thing, most=len(thing))))[::2]


_DRAWN: dict[str, Callable[[Sketch, Object, Box], None]] = {
    "/Square": _draw_square,
    "/Circle": _draw_circle,
    "/Line": _draw_line,
    "/PolyLine": _draw_polyline,
    "/Polygon": _draw_polygon,
    "/Ink": _draw_ink,
    "/Link": _draw_link,
    "/Highlight": _draw_highlight,
    "/Underline": _draw_underline,
    "/StrikeOut": _draw_strikeout,
    "/Squiggly": _draw_squiggly,
    "/FreeText": draw_free_text,
    "/Widget": draw_field,
    "/Text": _draw_icon,
    "/FileAttachment": _draw_icon,
    "/Sound": _draw_icon,
    "/Stamp": _draw_stamp,
    "/Caret": _draw_caret,
}
