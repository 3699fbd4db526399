"""What pages are rendered on: a canvas that keeps the code of each page apart from what pages have in common."""

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, NamedTuple

import pikepdf
from pikepdf import Dictionary, Name

from ..host.canvas import RecordingCanvas
from .geometry import Box
from .part_file import CompressedPage, write_part

#: What pages refer to are ReportLab's images, and things that are called this and a number.
FORM, BACKGROUND = "D", "B"

#: More than a PDF's page can be, so that nothing is cut off at a form's edge before it is at the page's.
EVERYWHERE = (-14_400, -14_400, 14_400, 14_400)

#: How code refers to the font that ReportLab begins with.
FIRST_FONT = re.compile(r"/F1\b")


class PlacedCode(NamedTuple):
    """A code that is drawn on a page."""

    #: Of the ticket, from 1.
    page: int
    #: What it says, as the layout calls it: ``secret``, …
    content: str
    #: Of its modules, without what is free around them.
    box: Box


@dataclass(frozen=True)
class RenderedPage:
    """A page of a ticket, or a sheet. Lengths are in points; boxes are left, bottom, right and top, as in PDF."""

    size: tuple[float, float]
    #: Where the paper is cut, and how far beyond that it may be printed.
    trim: Box
    bleed: Box
    #: In PDF's language.
    code: str
    #: To be scanned.
    codes: Sequence[PlacedCode] = ()

    @property
    def trim_size(self) -> tuple[float, float]:
        left, bottom, right, top = self.trim
        return right - left, top - bottom

    @property
    def bleed_size(self) -> float:
        """At the side where it is widest."""
        return max(abs(edge - cut) for edge, cut in zip(self.bleed, self.trim, strict=True))


class TicketCanvas(RecordingCanvas):
    """
    ReportLab sees one page that never ends. Whatever is drawn on it is cut out at once, to become a page or a form (a
    drawing that pages refer to) of the file; fonts and images are those of the one page. So ReportLab's work, and the
    memory it takes, is that for one page, however many there are.
    """

    def __init__(self):
        self._reportlab_file = BytesIO()
        super().__init__(self._reportlab_file)
        self._forms: list[str] = []
        self._backgrounds: list[pikepdf.Object] = []
        self._pages: list[CompressedPage] = []
        self._tickets: list[tuple[int, ...]] = []
        self._needs_first_font = False

    def cut(self, draw: Callable[[], None]) -> str:
        cut = super().cut(draw)
        self._needs_first_font = self._needs_first_font or bool(FIRST_FONT.search(cut))
        return cut

    def add_page(self, page: RenderedPage, tickets: Iterable[int]) -> None:
        """:param tickets: numbers of those that are on it"""
        # Compressed here and now: thousands of pages wait for the end.
        content = compress(page.code.encode("latin-1"))
        self._pages.append(CompressedPage(page.size, page.trim, page.bleed, content))
        self._tickets.append(tuple(tickets))

    def add_form(self, draw: Callable[[], None]) -> str:
        """Draw a form of the file, and return the code by which pages refer to it."""
        self._forms.append(self.cut(draw))
        return f"/{FORM}{len(self._forms) - 1} Do"

    def add_background(self, form: pikepdf.Object) -> str:
        """Keep a form of another file, that must stay open, and return the code by which pages refer to it."""
        self._backgrounds.append(form)
        return f"/{BACKGROUND}{len(self._backgrounds) - 1} Do"

    def write_part(self, output: BinaryIO, versions: Iterable[str]) -> None:
        """
        The file of a part. Nothing can be drawn any more then.

        :param versions: of PDF, that backgrounds need
        """
        with self._make_resources() as resources:
            write_part(output, resources, self._pages, self._tickets, versions)

    def _make_resources(self) -> pikepdf.Pdf:
        """With the one page of ReportLab's, that refers to what all pages do."""
        # Without anything on it, the page would not become one.
        self.addLiteral(" ")
        self.save()
        pdf = pikepdf.open(self._reportlab_file)
        [endless_page] = pdf.pages
        used = {key: dict(things) for key, things in endless_page.Resources.items() if key != "/ProcSet"}
        if not self._needs_first_font:
            # It is not embedded, and print shops refuse such files, even if nobody writes with it.
            del used["/Font"]["/F1"]
        endless_page.Resources = make_resources(
            pdf,
            used,
            forms={f"/{FORM}{number}": form.encode("latin-1") for number, form in enumerate(self._forms)},
            backgrounds={
                f"/{BACKGROUND}{number}": pdf.copy_foreign(form) for number, form in enumerate(self._backgrounds)
            },
        )
        return pdf


def compress(code: bytes) -> bytes:
    """
    For PDF. Drawings are numbers mostly, which get smaller by this than by zlib's default strategy, and faster. Of the
    time that its default level takes, this one takes three quarters, for half a percent more.
    """
    deflate = zlib.compressobj(level=5, strategy=zlib.Z_FILTERED)
    return deflate.compress(code) + deflate.flush()


def make_resources(
    pdf: pikepdf.Pdf, used: dict[str, dict], forms: dict[str, bytes], backgrounds: dict[str, pikepdf.Object]
) -> Dictionary:
    """
    What the pages of a file refer to, by category and name.

    :param used: what forms refer to as well: fonts, images, … They don't refer to each other, so there are no circles.
    :param forms: their contents
    """

    def dictionary(resources):
        return pdf.make_indirect(Dictionary({category: Dictionary(things) for category, things in resources.items()}))

    form = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": EVERYWHERE, "Resources": dictionary(used)}
    form["Filter"] = Name.FlateDecode
    drawings = {name: pdf.make_stream(compress(content), **form) for name, content in forms.items()}
    return dictionary({**used, "/XObject": {**used.get("/XObject", {}), **drawings, **backgrounds}})
