"""
Makes the background of a layout ready for the host, and keeps what it says of its pages beside their content.

The host draws the pages, but not what the file says elsewhere: which layers are off, and what a form looks like.
Readers draw annotations above the layout where a ticket has a page of its own; on a sheet, nobody would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO

import pikepdf
import pypdf
from pikepdf import Array, Object

from ..host.rendering import get_sizebox
from .annotations import Painter, printed_annotations
from .geometry import Box, Matrix, around, common, is_empty, moved, same, upright
from .layers import mark_layers
from .wrapping import joined_size, wrap_pages


class Background:
    """A PDF file. One that only the host can read is left as it is."""

    def __init__(self, content: bytes):
        self._content = content
        self._annotations: list[list[Object]] = []
        #: Why we can't read it.
        self.error: Exception | None = None
        #: How much there is in it.
        self.pages = self.annotations = 0
        try:
            self._pdf = pikepdf.open(BytesIO(content))
            found = [page.obj.get("/Annots") for page in self._pdf.pages]
        except (pikepdf.PdfError, pikepdf.PasswordError) as e:
            self._pdf, self.error = None, e
        else:
            self.pages, self.annotations = len(found), sum(len(one) for one in found if isinstance(one, Array))

    def joins_more_than(self, size: int) -> bool:
        """Whether more bytes than that must be unpacked to make it ready, because pages draw several streams."""
        return self._pdf is not None and joined_size(self._pdf, size) > size

    def prepare(self) -> BytesIO:
        """The file that the host gets: pages without annotations, each as one thing. To be called before ``above``."""
        if self._pdf is None:
            return BytesIO(self._content)
        mark_layers(self._pdf)
        self._painter = Painter(self._pdf)
        self._annotations = [printed_annotations(page) for page in self._pdf.pages]
        for page in self._pdf.pages:
            if "/Annots" in page.obj:
                del page.obj.Annots
        wrap_pages(self._pdf)
        prepared = BytesIO()
        try:
            self._pdf.save(prepared)
        except pikepdf.PdfError:
            return BytesIO(self._content)
        prepared.seek(0)
        return prepared

    def above(self, number: int, page: "PagePlace") -> Object | None:
        """
        A form of what readers draw above this page of a ticket, if there is any.

        :param number: of the page, from 1
        """
        if number > len(self._annotations):
            return None
        return self._painter.draw(self._annotations[number - 1], page.matrix)


@dataclass(frozen=True)
class PagePlace:
    """Where the host moves a page of the background to, on the page of a ticket."""

    matrix: Matrix
    #: What is visible of it, where it is cut, and how far beyond that it is printed.
    visible: Box
    trim: Box
    bleed: Box

    @classmethod
    def of(cls, page: pypdf.PageObject) -> "PagePlace":
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
    """``None``, if it can't be read: the host never looks at it."""
    sides = sides.get_object() if isinstance(sides, pypdf.generic.PdfObject) else sides
    if not isinstance(sides, pypdf.generic.ArrayObject) or len(sides) != 4:
        return None
    sides = [side.get_object() for side in sides]
    return upright(sides) if all(isinstance(side, (int, float, Decimal)) for side in sides) else None


def _unless_empty(box: Box, otherwise: Box) -> Box:
    return otherwise if is_empty(box) else box
