"""
The background of a layout, made ready for the host.

The host draws its pages, but without what is beside them in the file: which layers are off, and what a form looks like.
What it leaves to readers (annotations) they draw above the layout, on a page of its own; on a sheet, nobody would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from operator import attrgetter

import pikepdf
import pypdf
from pikepdf import Object

from .annotations import Painter, printed_annotations
from .geometry import Box, Matrix, around, common, is_empty, moved, same, upright
from .layers import mark_layers

try:
    from pretix.base.pdf import get_sizebox
except ImportError:
    # Before pretix had this, it took the whole page for visible, whatever was cropped.
    get_sizebox = attrgetter("mediabox")


class Background:
    """A PDF file."""

    def __init__(self, content: bytes):
        self._pdf, self._content = pikepdf.open(BytesIO(content)), content
        is_changed = mark_layers(self._pdf)
        self._painter = Painter(self._pdf)
        self._annotations = [printed_annotations(page) for page in self._pdf.pages]
        for page in self._pdf.pages:
            if "/Annots" in page.obj:
                del page.obj.Annots
                is_changed = True
        if is_changed:
            changed = BytesIO()
            self._pdf.save(changed)
            self._content = changed.getvalue()

    @property
    def content(self) -> BytesIO:
        """For the host: the pages without annotations."""
        return BytesIO(self._content)

    def above(self, number: int, page: "Place") -> Object | None:
        """
        A form of what readers draw above this page of a ticket, if there is any.

        :param number: of the page, from 1
        """
        return self._painter.draw(self._annotations[number - 1], page.matrix)


@dataclass(frozen=True)
class Place:
    """To where the host moves a page of the background, on the page of a ticket."""

    matrix: Matrix
    #: What is visible of it, where it is cut, and how far beyond that it is printed.
    visible: Box
    trim: Box
    bleed: Box

    @classmethod
    def of(cls, page: pypdf.PageObject) -> "Place":
        """What the page doesn't say is all that is visible. (Old versions of the host show what is cropped.)"""
        visible, turned = upright(get_sizebox(page)), pypdf.Transformation().rotate(-page.rotation)
        left, bottom, *_others = moved(visible, turned.ctm)
        matrix = tuple(map(float, turned.translate(-left, -bottom).ctm))
        trim, bleed = (_box(page.get(name)) or visible for name in ("/TrimBox", "/BleedBox"))
        return cls(matrix, *(moved(box, matrix) for box in (visible, trim, bleed)))

    def boxes(self, size: Sequence[float], has_objects: bool) -> tuple[Box, Box]:
        """
        Trim and bleed of a page of tickets: what the background says of them, as long as it is what is drawn. The host
        may draw pages in another size than that of their background; objects of the layout may lie anywhere on them.

        :param size: of the page, as the host draws it
        :param has_objects: whether anything but the background is on it
        """
        page = (0, 0, *size)
        drawn = page if has_objects else _unless_empty(common(self.visible, page), page)
        if not same(self.visible, drawn):
            return drawn, drawn
        trim = _unless_empty(common(self.trim, drawn), drawn)
        return trim, around(trim, _unless_empty(common(self.bleed, drawn), drawn))


def _box(sides: object) -> Box | None:
    """None, if it can't be read: the host never looks at it."""
    sides = sides.get_object() if isinstance(sides, pypdf.generic.PdfObject) else sides
    if not isinstance(sides, pypdf.generic.ArrayObject) or len(sides) != 4:
        return None
    sides = [side.get_object() for side in sides]
    return upright(sides) if all(isinstance(side, (int, float, Decimal)) for side in sides) else None


def _unless_empty(box: Box, otherwise: Box) -> Box:
    return otherwise if is_empty(box) else box
