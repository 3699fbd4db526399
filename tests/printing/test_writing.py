"""What is written object by object is a PDF to every reader."""

import zlib
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from pypdf import PdfReader

from pretix_offlinesales.printing import writing
from pretix_offlinesales.printing.writing import PdfWriter, number_of
from tests.support.pdf import complaints

#: The side of each page, in points.
SIDE = 100

PAGE = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %d %d]/Resources %d 0 R/Contents %d 0 R>>"


def write(amount: int, common: Pdf | None = None, version: str = "1.4") -> bytes:
    """A file with so many pages that say which they are, and with all that is in the other file."""
    common, output = common or pikepdf.new(), BytesIO()
    tree = number_of(common.Root.Pages)
    writer = PdfWriter(output, version)
    writer.add_all(common, but=[common.Root.Pages])
    info, resources, kids = writer.add(b"<</Title(Numbers)>>"), writer.reserve(), []
    for number in range(1, amount + 1):
        code = zlib.compress(b"BT /F 20 Tf 10 40 Td (No. %d) Tj ET" % number)
        content = writer.add_stream(b"/Filter/FlateDecode", code)
        kids.append(b"%d 0 R" % writer.add(PAGE % (tree, SIDE, SIDE, resources, content)))
    font = writer.add(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
    writer.add(b"<</Font<</F %d 0 R>>>>" % font, resources)
    writer.add(b"<</Type/Pages/Count %d/Kids[%s]>>" % (amount, b" ".join(kids)), tree)
    writer.finish(number_of(common.Root), info)
    return output.getvalue()


#: So many objects are written together, or fewer, or more than there are.
@pytest.fixture(params=[1, 7, writing.TOGETHER, 10_000])
def together(request, monkeypatch):
    monkeypatch.setattr(writing, "TOGETHER", request.param)
    return request.param


def test_all_readers_find_the_same_pages_and_nothing_to_complain_about(together):
    pdf, said = write(250), [f"No. {number}" for number in range(1, 251)]
    assert [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)] == said
    reader = PdfReader(BytesIO(pdf), strict=True)
    assert ([page.extract_text() for page in reader.pages], reader.metadata.title) == (said, "Numbers")
    with pikepdf.open(BytesIO(pdf)) as file:
        assert [page.mediabox for page in file.pages] == [[0, 0, SIDE, SIDE]] * 250
        assert file.check_pdf_syntax() == []
    assert complaints(pdf) == {}


def test_no_more_objects_are_compressed_together_than_that(together):
    with pikepdf.open(BytesIO(write(20))) as file:
        packs = [one.N for one in file.objects if isinstance(one, Stream) and one.get("/Type") == Name.ObjStm]
    # The catalog, what the file is about, what pages refer to, the tree of pages, and each page.
    assert (sum(packs), max(packs) <= together) == (1 + 1 + 2 + 1 + 20, True)


@pytest.mark.parametrize("amount", [1, writing.TOGETHER - 5, writing.TOGETHER - 4, writing.TOGETHER])
def test_a_file_that_ends_with_a_full_pack(amount):
    """Nothing is left to be written then, or a single object."""
    pdf = write(amount)
    with pikepdf.open(BytesIO(pdf)) as file:
        assert (len(file.pages), file.check_pdf_syntax()) == (amount, [])
    assert complaints(pdf) == {}


@pytest.mark.parametrize(
    "syntax",
    [
        b"23",
        b"1.50",
        b"true",
        b"/A#20b",
        b"(Z\\374rich \\(1\\) \\\\)",
        b"<FEFF05E9>",
        b"[1 /A [2.5 null] <</B false>>]",
        b"<</A 1/B<</C []>>>>",
    ],
)
def test_objects_of_another_file_stay_what_they_are(syntax, together):
    """As part of another object, and on their own."""
    common = pikepdf.new()
    parts = [pikepdf.Object.parse(syntax), common.make_indirect(pikepdf.Object.parse(syntax))]
    common.Root.Thing = common.make_indirect(Array(parts))
    with pikepdf.open(BytesIO(write(1, common))) as file:
        assert list(file.Root.Thing) == [pikepdf.Object.parse(syntax)] * 2
        assert file.check_pdf_syntax() == []


@pytest.mark.parametrize("content", [b"", b"stream\nendstream\nendobj\n", bytes(range(256)) * 500])
@pytest.mark.parametrize("packed", [False, True])
def test_streams_of_another_file_stay_what_they_are(content, packed):
    common = pikepdf.new()
    stored, how = (zlib.compress(content), {"Filter": Name.FlateDecode}) if packed else (content, {})
    other = common.make_indirect(Dictionary(A=1))
    common.Root.Thing = common.make_stream(stored, Dictionary(Type=Name.Thing, Other=other, **how))
    pdf = write(1, common)
    with pikepdf.open(BytesIO(pdf)) as file:
        thing = file.Root.Thing
        assert (thing.read_bytes(), thing.Type, thing.Other) == (content, Name.Thing, Dictionary(A=1))
    assert complaints(pdf) == {}


def test_an_empty_stream_that_claims_to_be_packed_is_no_longer_packed():
    """No filter makes nothing of anything: strict readers complain."""
    common = pikepdf.new()
    common.Root.Thing = common.make_stream(b"", Filter=Name.FlateDecode)
    pdf = write(1, common)
    with pikepdf.open(BytesIO(pdf)) as file:
        assert (file.Root.Thing.read_bytes(), "/Filter" in file.Root.Thing) == (b"", False)
    assert complaints(pdf) == {}


@pytest.mark.parametrize(("needed", "written"), [("1.3", "1.5"), ("1.5", "1.5"), ("1.7", "1.7"), ("2.0", "2.0")])
def test_the_version_is_what_content_needs_and_object_streams_do(needed, written):
    with pikepdf.open(BytesIO(write(1, version=needed))) as file:
        assert file.pdf_version == written


def test_no_two_files_have_the_same_identifier():
    with pikepdf.open(BytesIO(write(1))) as one, pikepdf.open(BytesIO(write(1))) as other:
        assert bytes(one.trailer.ID[0]) != bytes(other.trailer.ID[0])
