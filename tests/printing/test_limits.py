"""What is drawn while somebody waits is bounded; what is printed by a job is not."""

import zlib
from io import BytesIO

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from pretix_offlinesales.models import Job, JobFailed, OfflineSalesBatch
from pretix_offlinesales.printing import limits
from pretix_offlinesales.printing.background import Background
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.clearance import tight_codes
from pretix_offlinesales.printing.request import EVERYTHING, PrintRequest
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.layouts import background_pdf, code, make_blank, text
from tests.support.pdf import rasterized
from tests.support.printing import printed
from tests.support.specimens import first_sheet, specimen

OTHERWISE = "Previews and sheets are made with at most {}; you can print each ticket on a page of its own."

LOGO = {"type": "poweredby", "page": 1, "left": "5", "bottom": "5", "size": "20", "content": "dark"}


def annotated(amount: int) -> bytes:
    with pikepdf.open(BytesIO(make_blank((80, 50)))) as pdf:
        note = Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[0, 0, 5, 5])
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note) for _ in range(amount)])
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()


def in_pieces(pages=1, amount=2) -> bytes:
    """So many pages, each of which draws the same stream so many times: 100 KB."""
    with pikepdf.open(BytesIO(background_pdf(pages=pages))) as pdf:
        piece = pdf.make_stream(b"q Q " * 25_600)
        for page in pdf.pages:
            page.obj.Contents = Array([piece] * amount)
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()


#: Which limit is set to what, the objects and the background that are beyond, and what is said.
TOO_LARGE = {
    "MAX_FILE": (1024, [code()], background_pdf(pages=20), "has {size}.", "1.0\xa0KB"),
    "MAX_PAGES": (2, [code()], background_pdf(pages=3), "has 3 pages.", "2"),
    "MAX_ANNOTATIONS": (1, [code()], annotated(2), "has 2 annotations.", "1"),
    "MAX_JOINED": (150 * 1024, [code()], in_pieces(), "draws too much on its pages.", "150.0\xa0KB"),
    "MAX_OBJECTS": (1, [code(), text()], background_pdf(), "The layout “Glossy” has 2 objects.", "1"),
    "MAX_PICTURES": (1, [LOGO, LOGO], background_pdf(), "The layout “Glossy” has 2 images.", "1"),
}


@pytest.fixture(params=TOO_LARGE)
def too_large(request, make_layout, monkeypatch):
    """A layout that is too large, and what is said."""
    limit, objects, background, message, shown = TOO_LARGE[request.param]
    monkeypatch.setattr(limits, request.param, limit)
    layout = make_layout(objects, background, name="Glossy")
    if not message.startswith("The"):
        file = layout.background.name.rpartition("/")[2]
        message = f"The background “{file}” of the layout “Glossy” {message}"
    size = f"{len(background) / 1024:.1f}\xa0KB"
    return layout, f"{message.format(size=size)} {OTHERWISE.format(shown)}"


def unsaved(batch, layout):
    return OfflineSalesBatch(
        event=batch.event, item=batch.item, sales_channel=batch.sales_channel, amount=1, layout=layout
    )


def test_all_that_somebody_waits_for_says_what_is_too_large(make_batch, too_large, quota):
    layout, message = too_large
    batch = make_batch(1, layout)
    for draw in (
        lambda: PrintRequest.of(batch, choose(batch), Sheet("A3")),
        lambda: first_sheet(batch, EVERYTHING),
        lambda: specimen(unsaved(batch, layout)),
        lambda: tight_codes(batch.event, layout),
    ):
        with pytest.raises(JobFailed) as failure:
            draw()
        assert str(failure.value) == message


def test_it_is_printed_all_the_same(make_batch, too_large):
    layout, _message = too_large
    assert len(rasterized(printed(make_batch(1, layout)))) > 0


def test_the_api_refuses_it_for_sheets_only(api, url, make_batch, too_large):
    layout, message = too_large
    batch = make_batch(1, layout)
    answer = api.post(f"{url}{batch.pk}/render/", {"sheet": {"paper": "A3"}}, format="json")
    assert (answer.status_code, answer.json()) == (400, {"sheet": [message]})
    assert api.post(f"{url}{batch.pk}/render/", {}, format="json").status_code == 202
    assert Job.objects.count() == 1


def test_long_texts_are_not_set_while_somebody_waits(make_batch, make_layout, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CHARACTERS", 1_000)
    batch = make_batch(2, make_layout([text(text="word " * 201)], background_pdf(), name="Glossy"))
    with pytest.raises(JobFailed) as failure:
        first_sheet(batch, EVERYTHING)
    otherwise = OTHERWISE.format("1,000 characters")
    assert str(failure.value) == f"The texts of the layout “Glossy” are too long. {otherwise}"
    assert len(rasterized(printed(batch))) == 2


def test_texts_that_all_tickets_have_in_common_count_once_they_are_kept(make_batch, make_layout, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CHARACTERS", 250)
    batch = make_batch(5, make_layout([text(text="word " * 20)], make_blank((50, 30))))
    request = PrintRequest.of(batch, choose(batch), Sheet("A4", columns=1, rows=5, cell=(110, 40)))
    assert first_sheet(batch, request)[:4] == b"%PDF"


def test_the_first_sheet_has_so_many_places_at_most(make_batch, make_layout, monkeypatch):
    batch = make_batch(4, make_layout([code(size="20")], make_blank((40, 40))))
    request = PrintRequest.of(batch, choose(batch), Sheet("A4", columns=2, rows=2))
    monkeypatch.setattr(limits, "MAX_PLACES", 4)
    assert first_sheet(batch, request)[:4] == b"%PDF"
    monkeypatch.setattr(limits, "MAX_PLACES", 3)
    with pytest.raises(JobFailed, match="^4 tickets lie on a sheet. The first sheet is shown with at most 3; you can"):
        first_sheet(batch, request)


def test_the_first_sheet_has_so_many_objects_at_most(make_batch, make_layout, monkeypatch):
    batch = make_batch(4, make_layout([code(size="20"), text()], make_blank((40, 40))))
    request = PrintRequest.of(batch, choose(batch), Sheet("A4", columns=2, rows=2))
    monkeypatch.setattr(limits, "MAX_DRAWN", 8)
    assert first_sheet(batch, request)[:4] == b"%PDF"
    monkeypatch.setattr(limits, "MAX_DRAWN", 7)
    with pytest.raises(JobFailed, match="^All tickets of the first sheet have more than 7 objects"):
        first_sheet(batch, request)


# What is not limited, because it takes no longer


def test_what_a_background_draws_is_not_parsed(make_batch, make_layout):
    """A megabyte of lines, a kilobyte in the file, takes three seconds to parse, and next to nothing to refer to."""
    with pikepdf.open(BytesIO(make_blank((80, 50)))) as pdf:
        page = pdf.pages[0]
        drawn = b"1 0 0 rg 0 0 100 100 re f\n" * 1_000
        page.Contents = pdf.make_stream(drawn)
        output = BytesIO()
        pdf.save(output)
    with pikepdf.open(Background(output.getvalue()).prepare()) as pdf:
        [page] = pdf.pages
        assert len(page.Contents.read_bytes()) < 100
        [form] = page.Resources.XObject.values()
        assert form.read_bytes() == drawn
    layout = make_layout([text("order", left="40")], output.getvalue())
    [ours] = rasterized(printed(make_batch(1, layout)))
    assert ours.getpixel((10, ours.height - 10)) == (255, 0, 0)


def test_pages_of_several_streams_are_wrapped_as_one():
    with pikepdf.open(BytesIO(make_blank((80, 50)))) as pdf:
        pieces = [b"q 1 0 0 rg", b"0 0 100 100 re f Q"]
        pdf.pages[0].Contents = Array([pdf.make_stream(piece) for piece in pieces])
        output = BytesIO()
        pdf.save(output)
    with pikepdf.open(Background(output.getvalue()).prepare()) as pdf:
        [form] = pdf.pages[0].Resources.XObject.values()
        assert form.read_bytes() == b"\n".join(pieces)


def test_what_pages_have_in_common_is_unpacked_once():
    """And packed again while it is: it never lies in memory as a whole."""
    most = 2 * 25_600 * 4
    assert not Background(in_pieces(pages=20)).joins_more_than(most)
    assert Background(in_pieces(amount=3)).joins_more_than(most)
    assert len(Background(in_pieces(pages=20, amount=40)).prepare().getvalue()) < 400_000


def test_what_is_packed_twice_is_not_unpacked():
    """A kilobyte may become a gigabyte."""
    packed = zlib.compress(zlib.compress(b"q Q " * 100_000))
    with pikepdf.open(BytesIO(make_blank((80, 50)))) as pdf:
        piece = pdf.make_stream(packed, Filter=Array([Name.FlateDecode, Name.FlateDecode]))
        pdf.pages[0].Contents = Array([piece, piece])
        output = BytesIO()
        pdf.save(output, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert Background(output.getvalue()).joins_more_than(limits.MAX_JOINED)


def test_what_cannot_be_wrapped_is_left_alone():
    assert Background(b"This is no PDF.").prepare().read() == b"This is no PDF."
