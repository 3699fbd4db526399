"""What print shops look at in a file, besides its pages."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from pretix.base import pdf as host_pdf
from pypdf import PdfReader
from reportlab.lib.units import mm

from pretix_offlinesales.printing import merging, plan as plan_module, writing
from pretix_offlinesales.printing.canvas import RenderedPage, TicketCanvas
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.plan import Plan
from pretix_offlinesales.printing.request import EVERYTHING, PrintRequest
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.layouts import background_pdf, code, make_blank, text
from tests.support.pdf import complaints, extracted_text
from tests.support.printing import print_batch, printed


def on_sheets(batch, **sheet) -> bytes:
    output = BytesIO()
    print_batch(batch, output, PrintRequest.of(batch, choose(batch), Sheet.parse({"paper": "A4", **sheet})))
    return output.getvalue()


@pytest.fixture
def small(make_layout):
    objects = [text("order", left="5", bottom="5", width="60"), code(left="5", size="30")]
    return make_layout(objects, make_blank((80, 50)))


@pytest.fixture
def files(make_batch, small):
    batch = make_batch(5, small)
    return [printed(batch), on_sheets(batch, crop_marks=True, margin=8, order="stack", columns=2, rows=2)]


def test_readers_open_it_and_find_nothing(files):
    for pdf, pages in zip(files, (5, 2), strict=True):
        assert len(pypdfium2.PdfDocument(pdf)) == pages
        reader = PdfReader(BytesIO(pdf), strict=True)
        assert [len(page.extract_text()) > 0 for page in reader.pages] == [True] * pages
        with pikepdf.open(BytesIO(pdf)) as file:
            assert file.check_pdf_syntax() == []
        assert complaints(pdf) == {}


@pytest.mark.parametrize("together", [1, 3, 1_000])
def test_pages_are_the_same_however_many_objects_are_compressed_together(make_batch, small, monkeypatch, together):
    monkeypatch.setattr(writing, "TOGETHER", together)
    pdf = printed(make_batch(8, small))
    assert [text.count("issuer") for text in extracted_text(pdf)] == [1] * 8
    with pikepdf.open(BytesIO(pdf)) as file:
        assert file.check_pdf_syntax() == []
        packs = [obj.N for obj in file.objects if isinstance(obj, pikepdf.Stream) and obj.get("/Type") == "/ObjStm"]
    assert max(packs) <= together


def fonts(pdf: bytes) -> dict[str, bool]:
    """Whether each font of the file is embedded."""
    with pikepdf.open(BytesIO(pdf)) as file:
        found = [obj for obj in file.objects if isinstance(obj, pikepdf.Dictionary) and obj.get("/Type") == "/Font"]
        return {
            str(font.BaseFont): any(f"/FontFile{kind}" in font.get("/FontDescriptor", {}) for kind in ("", 2, 3))
            for font in found
        }


def test_all_fonts_are_embedded(files, make_batch, layout):
    for pdf in (*files, printed(make_batch(1, layout)), printed(make_batch(2))):
        assert set(fonts(pdf).values()) == {True}


def test_the_font_that_ReportLab_begins_with_is_there_if_somebody_writes_with_it():
    canvas = TicketCanvas()
    code = canvas.cut(lambda: (canvas.setFont("Helvetica", 12), canvas.drawString(0, 0, "Text")))
    box = (0, 0, 100, 100)
    canvas.add_page(RenderedPage((100, 100), box, box, code), [1])
    part, output = BytesIO(), BytesIO()
    canvas.write_part(part, versions=[])
    merging.merge([part], output, "Title", "Subject", label=str)
    assert fonts(output.getvalue()) == {"/Helvetica": False}


TRIM, BLEED = (3, 4, 83, 54), (1, 1, 85, 57)


@pytest.mark.parametrize(
    ("rotate", "trim", "bleed"),
    [
        (0, TRIM, BLEED),
        # Clockwise: what was at the left is at the top.
        (90, (4, 86 - 83, 54, 86 - 3), (1, 86 - 85, 57, 86 - 1)),
        (180, (86 - 83, 58 - 54, 86 - 3, 58 - 4), (86 - 85, 58 - 57, 86 - 1, 58 - 1)),
        (270, (58 - 54, 3, 58 - 4, 83), (58 - 57, 1, 58 - 1, 85)),
    ],
)
def test_boxes_are_where_the_host_turns_the_background_to(make_batch, make_layout, rotate, trim, bleed):
    """The background measures 86 × 58 mm, and so what is left over differs from side to side."""
    boxes = {"/TrimBox": scaled(TRIM), "/BleedBox": scaled(BLEED)}
    background = background_pdf(size=(86 * mm, 58 * mm), rotate=rotate, boxes=boxes)
    size = (58, 86) if rotate in (90, 270) else (86, 58)
    [page] = boxes_of(printed(make_batch(1, make_layout([code(size="20")], background))))
    wanted = {"/MediaBox": (0, 0, *size), "/TrimBox": trim, "/BleedBox": bleed}
    assert page == {name: pytest.approx(box, abs=0.01) for name, box in wanted.items()}


@pytest.mark.skipif(not hasattr(host_pdf, "get_sizebox"), reason="Before it had this, pretix did not crop")
def test_what_the_host_crops_is_not_there_any_more(make_batch, make_layout):
    boxes = {"/TrimBox": scaled(TRIM), "/BleedBox": scaled(BLEED)}
    background = background_pdf(size=(86 * mm, 58 * mm), cropbox=scaled(TRIM), boxes=boxes)
    [page] = boxes_of(printed(make_batch(1, make_layout([code(size="20")], background))))
    assert list(page.values()) == [pytest.approx([0, 0, 80, 50], abs=0.01)] * 3


def test_a_background_that_says_nothing_is_cut_at_its_edges(files):
    page, sheet = boxes_of(files[0])[0], boxes_of(files[1])[0]
    assert [page["/TrimBox"], page["/BleedBox"]] == [page["/MediaBox"]] * 2
    assert [sheet["/TrimBox"], sheet["/BleedBox"]] == [sheet["/MediaBox"]] * 2
    assert sheet["/MediaBox"] == pytest.approx([0, 0, 210, 297], abs=0.01)


def scaled(box):
    return [length * mm for length in box]


def boxes_of(pdf: bytes) -> list[dict[str, list[float]]]:
    """Of each page, in millimetres."""
    with pikepdf.open(BytesIO(pdf)) as file:
        names = ("/MediaBox", "/TrimBox", "/BleedBox")
        return [{name: [float(side) / mm for side in page.obj[name]] for name in names} for page in file.pages]


def labels(pdf: bytes) -> list[str]:
    return PdfReader(BytesIO(pdf)).page_labels


def test_pages_are_called_by_the_numbers_of_their_tickets(make_batch, make_layout, small, monkeypatch):
    monkeypatch.setattr(plan_module, "PART_SIZE", 4)
    batch = make_batch(6, small)
    assert labels(printed(batch)) == ["0001", "0002", "0003", "0004", "0005", "0006"]
    assert labels(on_sheets(batch, columns=2, rows=2)) == ["0001–0004", "0005–0006"]
    assert labels(on_sheets(batch, columns=2, rows=2, order="stack")) == ["0001 … 0005", "0002 … 0006"]
    assert labels(on_sheets(batch, columns=1, rows=1))[:2] == ["0001", "0002"]
    batch.layout = make_layout([code(size="20")], background_pdf(pages=2, size=(200, 200)))
    assert labels(printed(batch))[:4] == ["0001", "0001", "0002", "0002"]
    assert labels(on_sheets(batch, duplex="long", columns=2, rows=2)) == ["0001–0004"] * 2 + ["0005–0006"] * 2


def bookmarks(pdf: bytes) -> list[tuple[str, int]]:
    reader = PdfReader(BytesIO(pdf))
    return [(entry.title, reader.get_destination_page_number(entry)) for entry in reader.outline]


def test_bookmarks_lead_to_the_first_of_so_many_tickets(make_batch, small, monkeypatch):
    monkeypatch.setattr(merging, "BOOKMARKED", 4)
    batch = make_batch(10, small)
    names = ["0001–0004", "0005–0008", "0009–0010"]
    assert bookmarks(printed(batch)) == list(zip(names, (0, 4, 8), strict=True))
    assert bookmarks(on_sheets(batch, columns=2, rows=3)) == list(zip(names, (0, 0, 1), strict=True))
    stack = on_sheets(batch, columns=1, rows=3, order="stack")
    assert bookmarks(stack) == list(zip(names, (0, 0, 0), strict=True))


def test_it_says_what_it_is(event, make_batch, small):
    batch = make_batch(1, small)
    title, subject = f"Long Night: offline sales, batch #{batch.pk}", "Ticket"
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        assert dict(pdf.docinfo) == {"/Title": title, "/Subject": subject, "/Creator": "pretix"}
        with pdf.open_metadata() as metadata:
            assert (metadata["dc:title"], metadata["dc:description"]) == (title, subject)
            assert metadata["xmp:CreatorTool"] == "pretix"


def test_nothing_private_stays_in_the_file(files):
    for pdf in files:
        with pikepdf.open(BytesIO(pdf)) as file:
            assert {key for page in file.pages for key in dict(page.obj)} == {
                "/Type", "/Parent", "/MediaBox", "/TrimBox", "/BleedBox", "/Resources", "/Contents"
            }  # fmt: skip


def test_a_plan_without_wishes_is_all_tickets(make_batch, small):
    batch = make_batch(3, small)
    assert (PrintRequest.of(batch), list(Plan(batch).numbers)) == (EVERYTHING, [1, 2, 3])
