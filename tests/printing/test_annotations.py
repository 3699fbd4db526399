"""Stamps, notes and forms of a background: what readers draw above a page is printed above the layout."""

from time import process_time

import pypdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, String
from PIL import Image, ImageChops

from pretix_offlinesales.printing.background import Background, PagePlace
from pretix_offlinesales.printing.sketch import MOST_STEPS
from tests.support.layouts import SIZE, background_pdf, changed, make_blank, text
from tests.support.pdf import complaints, extracted_text, rasterized
from tests.support.printing import assert_looks_as_the_hosts, printed, printed_by_host, tickets
from tests.support.sheets import on_sheet

RECT, PRINT = (100, 100, 160, 140), 4

#: A text of the layout below it.
BELOW = text("order", left="36", bottom="36", width="30")

BLANK = make_blank((300 / 72 * 25.4, 200 / 72 * 25.4))


def annotated(*annotations, background=BLANK, form=None):
    """
    :param annotations: their entries; ``AP`` may be the content of a drawing of 60 × 40 points
    :param form: entries of that of the file
    """

    def change(pdf, page):
        def made(entries):
            entries = {"Type": Name.Annot, "Rect": Array(RECT), "F": PRINT, **entries}
            if isinstance(entries.get("AP"), bytes):
                drawing = pdf.make_stream(entries["AP"], Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 60, 40])
                entries["AP"] = Dictionary(N=drawing)
            return pdf.make_indirect(Dictionary(**entries))

        page.obj.Annots = pdf.make_indirect(Array([made(entries) for entries in annotations]))
        if form is not None:
            fields = [annotation for annotation in page.obj.Annots if "/FT" in annotation]
            pdf.Root.AcroForm = Dictionary(Fields=fields, **form)

    return changed(background, change)


def drawn(batch) -> tuple[int, int, int, int] | None:
    """The box of what differs from the same page without annotations: points from the upper left."""
    pdf = printed(batch)
    assert complaints(pdf) == {}
    [page] = rasterized(pdf)
    box = ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox()
    return box and tuple(round(side / 2) for side in box)


@pytest.fixture
def printed_with(make_batch, make_layout):
    """``printed_with(annotation, …)``: a batch of one ticket, with nothing else on it."""

    def printed_with(*annotations, **kwargs):
        return make_batch(1, make_layout([text(text="")], annotated(*annotations, **kwargs)))

    return printed_with


ORANGE = b"1 0.5 0 rg 0 0 60 40 re f"

STAMP = {"Subtype": Name.Stamp, "AP": ORANGE}


def test_a_stamp_lies_above_the_layout(make_batch, make_layout):
    batch = make_batch(2, make_layout([BELOW], annotated(STAMP, background=background_pdf(size=SIZE))))
    assert_looks_as_the_hosts(batch)
    [ticket] = on_sheet(batch)
    scale = 8 / 72 * 25.4
    [page] = [page.getpixel((130 * scale, 80 * scale)) for page in [ticket]]
    assert page == (255, 128, 0)


def test_where_it_lies_and_how_it_is_stretched(make_batch, make_layout):
    """As the standard computes it: the drawing's box, moved by its own matrix, fills the annotation."""

    def change(pdf, page):
        drawing = page.obj.Annots[0].AP.N
        drawing.Matrix = Array([0, 1, -1, 0, 7, 5])
        drawing.BBox = Array([10, 10, 40, 30])

    background = changed(annotated({**STAMP, "AP": b"1 0 0 rg 10 10 10 20 re f"}), change)
    assert_looks_as_the_hosts(make_batch(1, make_layout([BELOW], background)))


can_turn = pytest.mark.skipif(
    not hasattr(pypdf.generic._appearance_stream, "transform_annotation_appearance"),
    reason="This pypdf moves annotations of turned pages without turning them",
)


@can_turn
@pytest.mark.parametrize("rotate", [90, 180, 270])
@pytest.mark.parametrize("cropbox", [None, (50, 30, 280, 180)])
def test_they_are_turned_and_moved_with_their_page(make_batch, make_layout, rotate, cropbox):
    background = background_pdf(size=SIZE, rotate=rotate, cropbox=cropbox)
    stamp = {**STAMP, "AP": b"1 0.5 0 rg 0 0 60 40 re f 0 0 1 rg 0 0 20 10 re f"}
    assert_looks_as_the_hosts(make_batch(1, make_layout([BELOW], annotated(stamp, background=background))))


@pytest.mark.parametrize(
    ("flags", "is_printed"), [(PRINT, True), (0, False), (PRINT | 2, False), (PRINT | 32, True), (PRINT | 1, False)]
)
def test_only_what_readers_would_print(printed_with, flags, is_printed):
    """2 is hidden, 32 is only shown on paper, 1 is only shown by those who know what it is."""
    assert (drawn(printed_with({**STAMP, "F": flags})) is not None) == is_printed


def test_pop_ups_are_not_printed(printed_with):
    assert drawn(printed_with({"Subtype": Name.Popup, "Contents": "Text", "AP": ORANGE})) is None


def test_a_layer_of_annotations_that_is_off(make_batch, make_layout):
    def change(pdf, page):
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name="Notes"))
        page.obj.Annots[0].OC = layer
        pdf.Root.OCProperties = Dictionary(OCGs=[layer], D=Dictionary(OFF=[layer]))

    other = {**STAMP, "Rect": [200, 100, 260, 140]}
    batch = make_batch(1, make_layout([text(text="")], changed(annotated(STAMP, other), change)))
    assert drawn(batch) == (200, 60, 260, 100)


# Without an appearance

SHAPES = {
    "square": {"Subtype": Name.Square, "C": [1, 0, 0], "IC": [0, 1, 0]},
    "square with a border": {"Subtype": Name.Square, "C": [0, 0, 1], "BS": Dictionary(W=4)},
    "circle": {"Subtype": Name.Circle, "C": [1, 0, 0], "IC": [0, 1, 0], "BS": Dictionary(W=3)},
    "transparent": {"Subtype": Name.Square, "C": [1, 0, 0], "IC": [0, 1, 0], "CA": 0.5},
    "ink": {"Subtype": Name.Ink, "C": [1, 0, 0], "InkList": [[105, 105, 130, 135, 155, 105]]},
    "highlight": {"Subtype": Name.Highlight, "C": [1, 1, 0], "QuadPoints": [100, 140, 160, 140, 100, 100, 160, 100]},
    "strike-out": {"Subtype": Name.StrikeOut, "C": [1, 0, 0], "QuadPoints": [100, 140, 160, 140, 100, 100, 160, 100]},
    "underline": {"Subtype": Name.Underline, "C": [1, 0, 0], "QuadPoints": [100, 140, 160, 140, 100, 100, 160, 100]},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shapes_look_as_on_the_hosts_page(make_batch, make_layout, shape):
    """There, they are drawn by the reader that makes our pictures."""
    batch = make_batch(2, make_layout([BELOW], annotated(shape, background=background_pdf(size=SIZE))))
    assert_looks_as_the_hosts(batch)


@pytest.mark.parametrize(
    ("annotation", "box"),
    [
        ({"Subtype": Name.Line, "L": [110, 110, 150, 130], "C": [1, 0, 0], "LE": [Name.None_, Name.ClosedArrow]}, None),
        ({"Subtype": Name.PolyLine, "Vertices": [110, 110, 150, 110, 150, 130], "LE": [Name.Circle, Name.Slash]}, None),
        ({"Subtype": Name.Polygon, "Vertices": [110, 110, 150, 110, 150, 130], "IC": [0, 0, 1]}, (110, 70, 150, 90)),
        ({"Subtype": Name.Squiggly, "C": [1, 0, 0]}, (100, 96, 160, 99)),
        ({"Subtype": Name.Link}, (100, 60, 160, 100)),
        ({"Subtype": Name.Link, "Border": [0, 0, 0]}, "nothing"),
        ({"Subtype": Name.Text, "Contents": "Note"}, (100, 60, 120, 80)),
        ({"Subtype": Name.FileAttachment}, (100, 60, 120, 80)),
        ({"Subtype": Name.Stamp, "Name": Name.Approved}, (101, 61, 159, 99)),
        ({"Subtype": Name.Caret, "C": [0, 0, 1]}, (100, 60, 160, 100)),
        ({"Subtype": Name.Screen}, "nothing"),
        ({"Subtype": Name.Square, "Rect": [100, 100, 100, 140]}, "nothing"),
        ({"Subtype": Name.Ink, "InkList": [[1], [], "nonsense"]}, "nothing"),
        ({"Subtype": Name.Square, "C": "red", "BS": 5, "RD": [90, 0, 0, 0]}, "nothing"),
    ],
)
def test_what_only_some_readers_draw(printed_with, annotation, box):
    found = drawn(printed_with(annotation))
    if box == "nothing":
        assert found is None
    elif box is None:
        assert found[0] >= 100 and found[2] <= 160 and found[2] - found[0] > 30
    else:
        assert found == pytest.approx(box, abs=2)


HELVETICA = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
FORM = {"DA": "/Helv 0 Tf 0 g", "DR": Dictionary(Font=Dictionary(Helv=HELVETICA)), "NeedAppearances": True}

ODD_HELVETICA = Dictionary({**dict(HELVETICA.items()), "/FirstChar": String("a"), "/Widths": Name.x})


def field(kind, **entries):
    return {"Subtype": Name.Widget, "FT": Name(f"/{kind}"), "T": "a", "Rect": [50, 90, 250, 130], **entries}


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        (field("Tx", V="Filled value", DA="/Helv 14 Tf 0 g"), "Filled value"),
        (field("Tx", V="Grüße — 5 €"), "Grüße — 5 €"),
        (field("Tx", V="Two words that go on", Ff=1 << 12, Rect=[50, 90, 110, 130]), "Two words\r\nthat go on"),
        (field("Tx", V="Secret", Ff=1 << 13), "******"),
        (field("Tx", V="123", Ff=1 << 24, MaxLen=5), "1 2 3"),
        (field("Tx", V="Unknown font", DA="/Fancy 12 Tf 1 0 0 rg"), "Unknown font"),
        (field("Ch", V="b", Opt=[["a", "First"], ["b", "Second"]], Ff=1 << 17), "Second"),
        (field("Ch", V="b", Opt=["a", "b"]), "a\r\nb"),
        (field("Btn", Ff=1 << 16, MK=Dictionary(CA="Press")), "Press"),
        (field("Tx"), ""),
        ({"Subtype": Name.FreeText, "Contents": "Free text", "DA": "/Helv 10 Tf"}, "Free text"),
    ],
)  # fmt: skip
def test_what_is_filled_in(printed_with, entries, shown):
    pdf = printed(printed_with(entries, form=FORM))
    assert complaints(pdf) == {}
    assert extracted_text(pdf) == [shown]


def test_a_field_without_a_form_and_with_a_parent(make_batch, make_layout):
    def change(pdf, page):
        widget = page.obj.Annots[0]
        widget.Parent = pdf.make_indirect(Dictionary(FT=Name.Tx, V="From above", DA="/Helv 9 Tf 0 g"))

    background = changed(annotated({"Subtype": Name.Widget, "Rect": [50, 90, 250, 130]}), change)
    assert extracted_text(printed(make_batch(1, make_layout([text(text="")], background)))) == ["From above"]


@pytest.mark.parametrize(("align", "left"), [(0, 52), (1, 130), (2, 220)])
def test_where_a_field_is_aligned(printed_with, align, left):
    box = drawn(printed_with(field("Tx", V="Here", DA="/Helv 12 Tf 0 g", Q=align), form=FORM))
    assert box[0] == pytest.approx(left, abs=8)


def test_a_text_without_a_size_fits(printed_with):
    box = drawn(printed_with(field("Tx", V="A long value that needs the whole width of it"), form=FORM))
    assert box[0] >= 50 and 200 < box[2] <= 250


@pytest.mark.parametrize(("state", "is_drawn"), [(Name.Yes, True), (Name.Off, False)])
def test_a_check_box(printed_with, make_batch, make_layout, state, is_drawn):
    assert (drawn(printed_with(field("Btn", AS=state), form=FORM)) is not None) == is_drawn

    def change(pdf, page):
        widget = page.obj.Annots[0]
        widget.AP = Dictionary(N=Dictionary(Yes=widget.AP.N))

    background = changed(annotated({**field("Btn", AS=state), "AP": ORANGE}, form=FORM), change)
    assert (drawn(make_batch(1, make_layout([text(text="")], background))) is not None) == is_drawn


def test_frames_of_fields(printed_with):
    looks = Dictionary(BG=[1, 1, 0], BC=[1, 0, 0])
    assert drawn(printed_with(field("Tx", MK=looks), form=FORM)) == (50, 70, 250, 110)


def test_many_annotations_take_no_longer_than_on_the_hosts_page(make_batch, make_layout):
    """Twice as many take twice as long."""
    taken = {}
    for count in (1_500, 6_000):
        stamps = [{**STAMP, "Rect": [index % 300, 0, index % 300 + 5, 5]} for index in range(count)]
        batch = make_batch(1, make_layout([BELOW], annotated(*stamps)))
        begin = process_time()
        printed(batch)
        ours = process_time()
        printed_by_host(tickets(batch)[0], batch.layout)
        taken[count] = ours - begin, process_time() - ours
    (few, _host), (many, host) = taken.values()
    assert many < host
    assert many < 8 * few


# What is wrong with some, and no reason not to print the others


@pytest.mark.parametrize("change", [lambda a: a.pop("Subtype"), lambda a: a.update(Subtype=Name.Image)])
def test_a_drawing_that_does_not_say_what_it_is(make_batch, make_layout, change):
    """Readers draw it where it is an annotation; where they are told to draw it, they would not."""

    def without_subtype(pdf, page):
        entries = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": [0, 0, 60, 40]}
        change(entries)
        page.obj.Annots[0].AP.N = pdf.make_stream(ORANGE, **entries)

    background = changed(annotated(STAMP, STAMP, background=background_pdf(size=SIZE)), without_subtype)
    batch = make_batch(1, make_layout([BELOW], background))
    assert_looks_as_the_hosts(batch)
    assert complaints(printed(batch)) == {}


def test_a_drawing_without_bounds_begins_where_the_annotation_does(make_batch, make_layout):
    def without_bounds(pdf, page):
        page.obj.Annots[0].AP.N = pdf.make_stream(b"1 0.5 0 rg 0 0 900 900 re f", Subtype=Name.Form)

    batch = make_batch(1, make_layout([text(text="")], changed(annotated(STAMP), without_bounds)))
    assert drawn(batch) == (100, 60, 160, 100)


def raw(code: bytes):
    return Object.parse(code)


#: Squares that say something that can't be read, and whether they are drawn nevertheless.
BROKEN = {
    "flags of letters": ({"F": String("4")}, False),
    "an array of flags": ({"F": raw(b"[4]")}, False),
    "an opacity of letters": ({"CA": String("0.5")}, True),
    "too much opacity": ({"CA": 2}, True),
    "a width of letters": ({"BS": raw(b"<< /W (2) >>")}, True),
    "a width that is a name": ({"BS": raw(b"<< /W /Thick >>")}, True),
    "a border of nothing": ({"Border": raw(b"[null null null]")}, True),
    "a border of letters": ({"Border": raw(b"[(0) (0) (1)]")}, True),
    "a border of names": ({"Border": raw(b"[0 0 /x]")}, True),
    "dashes without a length": ({"Border": raw(b"[0 0 1 [0 0]]")}, True),
    "dashes too short to be written": ({"Border": raw(b"[0 0 1 [0.0000001]]")}, True),
    "dashes of less than nothing": ({"Border": raw(b"[0 0 1 [-3]]")}, True),
    "a layer that is none": ({"OC": 5}, True),
    "drawings that are none": ({"AP": raw(b"[]")}, True),
    "a place that is none": ({"Rect": raw(b"[/a 1 2 3]")}, False),
    "no color": ({"C": raw(b"[]")}, False),
}


@pytest.mark.parametrize(("entries", "is_drawn"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_counts_as_not_said(printed_with, entries, is_drawn):
    beside = {**STAMP, "Rect": [200, 100, 260, 140]}
    found = drawn(printed_with({"Subtype": Name.Square, **entries}, beside))
    assert found == ((100, 60, 260, 100) if is_drawn else (200, 60, 260, 100))


def test_no_color_leaves_what_is_inside(printed_with):
    """And no frame around it, which would be a point wide."""
    inside = {"Subtype": Name.Square, "C": raw(b"[]"), "IC": [1, 0, 0]}
    pixels = rasterized(printed(printed_with(inside)))[0].convert("RGB").getcolors()
    assert (0, 0, 0) not in [color for _count, color in pixels]
    assert drawn(printed_with(inside)) is not None


@pytest.mark.parametrize(
    ("entries", "form"),
    [
        ({"DA": 300_000_000}, {}),
        ({"DA": Name.Helv}, {}),
        ({"DA": "/Helv 1.2.3 Tf 0 g"}, {}),
        ({"DA": "/Helv . Tf 0 g"}, {}),
        ({"DA": "/Helv 12 Tf 0.0.0 g"}, {}),
        ({"DA": "/Helv 12 Tf 0 0 0 0 g"}, {}),
        ({"MK": 1}, {}),
        ({"Ff": String("0")}, {}),
        ({"Ff": 1 << 24, "MaxLen": String("5")}, {}),
        ({"Ff": 1 << 24, "MaxLen": -5}, {}),
        ({"Q": String("1")}, {}),
        ({"Q": 9}, {}),
        ({"V": raw(b"[(hallo) [(hallo)]]")}, {}),
        ({"FT": Name.Ch, "Opt": ["hallo"], "TI": String("x")}, {}),
        ({}, {"Q": Name.x}),
        ({}, {"DR": raw(b"[]")}),
        ({}, {"DR": Dictionary(Font=Dictionary(Helv=ODD_HELVETICA))}),
    ],
)
def test_what_cannot_be_read_of_a_field(printed_with, entries, form):
    filled_in = field("Tx", V=String("hallo"), DA=String("/Helv 12 Tf 0 g"))
    pdf = printed(printed_with({**filled_in, **entries}, form={**FORM, **form}))
    assert complaints(pdf) == {}
    assert [shown.strip() for shown in extracted_text(pdf)] == ["hallo"]


def test_a_form_that_is_none(make_batch, make_layout):
    def change(pdf, page):
        pdf.Root.AcroForm = 1

    background = changed(annotated(field("Tx", V="hallo")), change)
    assert extracted_text(printed(make_batch(1, make_layout([text(text="")], background)))) == ["hallo"]


# What is drawn of much


def appearances(background: bytes) -> list[bytes]:
    """What is drawn for each annotation of the first page."""
    file, page = Background(background), (0, 0, *SIZE)
    file.prepare()
    above = file.above(1, PagePlace((1, 0, 0, 1, 0, 0), page, page, page))
    return [] if above is None else [picture.read_bytes() for picture in above.Resources.XObject.values()]


def test_waves_end_where_the_annotation_does():
    wide = {"Subtype": Name.Squiggly, "QuadPoints": [0, 140, 8_000_000, 140, 0, 100, 8_000_000, 100]}
    [code] = appearances(annotated(wide))
    assert code.count(b" l\n") == (RECT[2] - RECT[0]) / 2


def nested(pdf, page):
    """Twenty levels of an array, each twice in the next."""
    texts = pdf.make_indirect(Array([String("hallo")]))
    for _level in range(20):
        texts = pdf.make_indirect(Array([texts, texts]))
    page.obj.Annots[0].V = texts


def of_itself(pdf, page):
    texts = pdf.make_indirect(Array([]))
    texts.append(texts)
    page.obj.Annots[0].V = texts


def many_times_the_same(pdf, page):
    page.obj.Annots[0].V = Array([pdf.make_indirect(String("hallo " * 10_000))] * 1_000)


def many_words(pdf, page):
    page.obj.Annots[0].V = String("ab " * 50_000)
    page.obj.Annots[0].Rect = Array([0, 0, 1_000_000, 40])


@pytest.mark.parametrize("change", [nested, of_itself, many_times_the_same, many_words])
def test_no_more_of_a_text_is_drawn_than_fits_a_page(change):
    background = changed(annotated(field("Tx", Ff=1 << 12), form=FORM), change)
    assert sum(map(len, appearances(background))) < 50_000


def test_what_nobody_can_wait_for_is_left_out():
    """What comes after it is not."""
    points = [100, 120, 140, 120, 100, 110, 140, 110]
    many = {"Subtype": Name.Highlight, "QuadPoints": points * (MOST_STEPS // 4 + 1)}
    few = {"Subtype": Name.Highlight, "QuadPoints": points}
    assert appearances(annotated(many, few)) == appearances(annotated(few))
