"""Lays a ticket in its place on a sheet, with what is printed beyond its edges as far as there is room."""

from collections.abc import Iterable, Iterator
from math import cos, radians, sin

from django.utils.translation import gettext as _
from reportlab.lib.rl_accel import fp_str
from reportlab.lib.units import mm

from ..models import JobFailed
from .canvas import PlacedCode, RenderedPage
from .geometry import Box, Matrix, common, contains, is_empty, moved
from .imposition import TOLERANCE, Grid, Place


def lay(page: RenderedPage, place: Place, grid: Grid) -> str:
    """
    The middle of the ticket in the middle of its place. What is beyond its edges is shown as far as no other ticket
    begins.

    :raises JobFailed: if it is larger than its place, or if one of its codes would not be whole there
    """
    matrix = _matrix(page, place, grid)
    clip = common(moved(page.bleed, matrix), _room(place, grid))
    for code in page.codes:
        if not _is_whole(code, page, matrix, clip, grid):
            raise JobFailed(_cut_off(code))
    left, bottom, right, top = clip
    box = " ".join(map(fp_str, (left, bottom, right - left, top - bottom)))
    return f"q {box} re W n {transformation(*matrix)}\n{page.code}\nQ"


def check(pages: Iterable[RenderedPage], grid: Grid) -> None:
    """
    Lay them wherever it makes a difference.

    :raises JobFailed: as ``lay``
    """
    places = list(_different_places(grid))
    for page in pages:
        for place in places:
            lay(page, place, grid)


def transformation(*numbers: float) -> str:
    return f"{' '.join(map(fp_str, numbers))} cm"


def _different_places(grid: Grid) -> Iterator[Place]:
    """In the middle of a sheet, one has as much room as another."""
    rows, columns = ({0, 1, count - 1} & set(range(count)) for count in (grid.rows, grid.columns))
    for index in (row * grid.columns + column for row in rows for column in columns):
        yield grid.front(index)
        if grid.sheet.duplex:
            yield grid.back(index)


def _matrix(page: RenderedPage, place: Place, grid: Grid) -> Matrix:
    turned = place.degrees % 180 != 0
    size = page.trim_size[::-1] if turned else page.trim_size
    if any(length / mm > there + TOLERANCE for length, there in zip(size, grid.ticket, strict=True)):
        raise JobFailed(_("The tickets do not have the same size, so they cannot be printed on sheets."))
    a, b = round(cos(radians(place.degrees))), round(sin(radians(place.degrees)))
    left, bottom, right, top = page.trim
    x, y = (left + right) / 2, (bottom + top) / 2
    return (
        *(a, b, -b, a),
        (place.left + grid.ticket[0] / 2) * mm - a * x + b * y,
        (place.bottom + grid.ticket[1] / 2) * mm - b * x - a * y,
    )


def _is_whole(code: PlacedCode, page: RenderedPage, matrix: Matrix, clip: Box, grid: Grid) -> bool:
    """Whether all that the page shows of the code is on the sheet."""
    offset = grid.sheet.offset
    if not any(offset) and contains(page.trim, code.box):
        return True
    shown = common(code.box, (0, 0, *page.size))
    if is_empty(shown):
        return True  # The page doesn't show it, either.
    x, y = (length * mm for length in offset)
    paper = (-x, -y, *(length * mm - by for length, by in zip(grid.sheet.size, (x, y), strict=True)))
    # As much as may be cut off of sizes that were rounded.
    return contains(common(clip, paper), moved(shown, matrix), TOLERANCE * mm)


def _cut_off(code: PlacedCode) -> str:
    message = _(
        "A code on page {page} of the tickets (“{content}”) would be cut off on the sheets: too much of it lies beyond "
        "where the ticket is cut, or it is moved off the paper. Please check the layout and its background."
    )
    return message.format(page=code.page, content=code.content)


def _room(place: Place, grid: Grid) -> Box:
    """Up to the middle between this ticket and the next one, or to the edge of the paper; in points."""
    sides = []
    for begin, begins, length, paper in zip(
        (place.left, place.bottom),
        # The grid lies in the middle of the paper, so that backs are in the same places.
        (grid.lefts, grid.bottoms),
        grid.ticket,
        grid.sheet.size,
        strict=True,
    ):
        before = [other + length for other in begins if other + length <= begin + TOLERANCE]
        after = [other for other in begins if other + TOLERANCE >= begin + length]
        low = (max(before) + begin) / 2 if before else 0
        high = (begin + length + min(after)) / 2 if after else paper
        sides.append((low * mm, high * mm))
    (left, right), (bottom, top) = sides
    return left, bottom, right, top
