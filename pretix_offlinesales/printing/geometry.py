"""Boxes (left, bottom, right, top, in points), and where a matrix moves them to."""

from collections.abc import Sequence

Box = tuple[float, float, float, float]

#: As in PDF: a b c d e f.
Matrix = tuple[float, float, float, float, float, float]

#: Points that are too few to be seen.
INVISIBLE = 0.05


def moved(box: Box, matrix: Matrix) -> Box:
    """What is around all of the box, if it is turned by anything but a right angle."""
    left, bottom, right, top = box
    a, b, c, d, e, f = matrix
    corners = [(left, bottom), (left, top), (right, bottom), (right, top)]
    xs = [a * x + c * y + e for x, y in corners]
    ys = [b * x + d * y + f for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def common(one: Box, other: Box) -> Box:
    """Empty, if its right is not greater than its left, or its top than its bottom."""
    return *map(max, one[:2], other[:2]), *map(min, one[2:], other[2:])


def around(one: Box, other: Box) -> Box:
    """Both, and what is between them."""
    return *map(min, one[:2], other[:2]), *map(max, one[2:], other[2:])


def is_empty(box: Box) -> bool:
    left, bottom, right, top = box
    return left >= right or bottom >= top


def contains(outer: Box, inner: Box, tolerance: float = INVISIBLE) -> bool:
    return all(
        low_outside <= low + tolerance and high <= high_outside + tolerance
        for low_outside, low, high_outside, high in zip(outer[:2], inner[:2], outer[2:], inner[2:], strict=True)
    )


def same(one: Box, other: Box) -> bool:
    return contains(one, other) and contains(other, one)


def upright(box: Sequence) -> Box:
    """The box of these two corners, whichever they are."""
    (left, right), (bottom, top) = (sorted(map(float, sides)) for sides in (box[0:3:2], box[1:4:2]))
    return left, bottom, right, top
