"""Where tickets are drawn: a canvas that keeps what it was drawn on together, and what they have in common apart."""

import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name
from reportlab.pdfgen.canvas import Canvas

#: What pages refer to are ReportLab's images, and things that are called this and a number.
FORM, BACKGROUND = "D", "B"

#: More than a PDF's page can be, so that nothing is cut off at a form's edge before it is at the page's.
EVERYWHERE = (-14_400, -14_400, 14_400, 14_400)


class TicketCanvas(Canvas):
    """
    ReportLab sees one page that never ends. Whatever is drawn on it is cut out at once, to become a page or a form (a
    drawing that pages refer to) of the file that ``make_pdf`` puts together; fonts and images are those of the one
    page. So ReportLab's work, and the memory it takes, is that for one page, however many there are.
    """

    def __init__(self):
        self._reportlab_file = BytesIO()
        super().__init__(self._reportlab_file)
        self._forms: list[str] = []
        self._backgrounds: list[pikepdf.Page] = []
        self._sheets: list[tuple[tuple[float, float], bytes]] = []

    def init_graphics_state(self):
        outer = getattr(self, "_extgstate", None)
        super().init_graphics_state()
        if outer:
            # The file has one list of named transparencies for all pages and forms. The host's canvas begins a new one.
            self._extgstate._c = outer._c

    def record(self, draw: Callable[[], None]) -> str:
        """Draw, and return what was drawn."""
        before = len(self._code)
        draw()
        return "\n".join(self._code[before:])

    def add_page(self, size: tuple[float, float], draw: Callable[[], None]) -> None:
        # Compressed here and now: thousands of pages wait for the end.
        self._sheets.append((size, zlib.compress(self._cut(draw).encode("latin-1"))))

    def add_form(self, draw: Callable[[], None]) -> str:
        """Keep what is drawn, and return how pages refer to it."""
        # The preamble sets a font, as a page's would. (On tickets, everybody who writes sets their own.)
        self._forms.append(f"{self._preamble}\n{self._cut(draw)}")
        return f"/{FORM}{len(self._forms) - 1} Do"

    def add_background(self, page: pikepdf.Page) -> str:
        """Keep the page of another file, that must stay open, and return how pages refer to it."""
        self._backgrounds.append(page)
        return f"/{BACKGROUND}{len(self._backgrounds) - 1} Do"

    def make_pdf(self) -> pikepdf.Pdf:
        """Put the file together. Nothing can be drawn any more then."""
        # Without anything on it, the page would not become one.
        self.addLiteral(" ")
        self.save()
        pdf = pikepdf.open(self._reportlab_file)
        endless_page = pdf.Root.Pages.Kids.pop(0)
        drawn = {key: dict(things) for key, things in endless_page.Resources.items() if key != "/ProcSet"}
        resources = make_resources(
            pdf,
            drawn,
            forms={f"/{FORM}{number}": form.encode("latin-1") for number, form in enumerate(self._forms)},
            backgrounds={
                f"/{BACKGROUND}{number}": pdf.copy_foreign(page.as_form_xobject())
                for number, page in enumerate(self._backgrounds)
            },
        )
        make_pages(pdf, resources, self._sheets)
        return pdf

    def _cut(self, draw: Callable[[], None]) -> str:
        """What is drawn, in the graphics state that a page begins with, and without a trace on the canvas."""
        outer, self._code = self._code, []
        self.push_state_stack()
        self.init_graphics_state()
        draw()
        self.pop_state_stack()
        cut, self._code = self._code, outer
        return "\n".join(cut)


def make_resources(
    pdf: pikepdf.Pdf, drawn: dict[str, dict], forms: dict[str, bytes], backgrounds: dict[str, pikepdf.Object]
) -> Dictionary:
    """
    What the pages of a file refer to, by category and name.

    :param drawn: what forms refer to as well: fonts, images, … They don't refer to each other, so there are no circles.
    :param forms: their contents
    """

    def dictionary(resources):
        return pdf.make_indirect(Dictionary({category: Dictionary(things) for category, things in resources.items()}))

    form = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": EVERYWHERE, "Resources": dictionary(drawn)}
    drawings = {name: pdf.make_stream(content, **form) for name, content in forms.items()}
    return dictionary({**drawn, "/XObject": {**drawn.get("/XObject", {}), **drawings, **backgrounds}})


def make_pages(pdf: pikepdf.Pdf, resources: Dictionary, sheets: Iterable[tuple[tuple[float, float], bytes]]) -> None:
    """Add pages of this size and compressed content. (To ``pdf.pages``, each would take longer than the one before.)"""
    boxes = {}
    tree = pdf.Root.Pages
    for size, content in sheets:
        if size not in boxes:
            boxes[size] = pdf.make_indirect(Array([0, 0, *size]))
        content = pdf.make_stream(content, Filter=Name.FlateDecode)
        page = Dictionary(Type=Name.Page, Parent=tree, MediaBox=boxes[size], Resources=resources, Contents=content)
        tree.Kids.append(pdf.make_indirect(page))
    tree.Count = len(tree.Kids)


def save(pdf: pikepdf.Pdf, output: BinaryIO, title: str, versions: Iterable[str]) -> None:
    """:param versions: of PDF, that viewers must understand"""
    pdf.trailer.Info = pdf.make_indirect(Dictionary(Title=title, Creator="pretix"))
    pdf.save(
        output,
        min_version=max(versions, default=""),
        # Pages are small: most of what they take would be the list of where they are.
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
