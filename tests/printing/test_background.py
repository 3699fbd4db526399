"""Backgrounds that are sound but unusual: what is on the page is on the sheet, however they are made."""

from io import BytesIO

import pikepdf
import pytest
from hypothesis import HealthCheck, assume, example, given, settings as hypothesis_settings, strategies as st
from pikepdf import Array, Dictionary, Name, Object
from PIL import Image
from pretix.base import pdf
from reportlab.lib.units import mm

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing.plan import Plan
from tests.support.layouts import SIZE, background_pdf, changed, code, make_blank, text
from tests.support.pdf import difference, rasterized
from tests.support.printing import assert_looks_as_the_hosts, printed, printed_by_host, tickets
from tests.support.sheets import UNEVEN, asked, impositioned, narrowed, on_sheet, scanned, seen

OBJECTS = [code(left="5", bottom="5", size="25"), text("order", left="40", bottom="5", width="30")]


# Boxes


@pytest.mark.parametrize("sheet", [{}, {"rotate": True}, {"gutter": 4, "crop_marks": True}])
def test_a_bleed_box_alone_cuts_nothing_off(make_batch, make_layout, sheet):
    boxes = {"/BleedBox": (60, 40, 260, 160)}
    batch = make_batch(1, make_layout(OBJECTS, background_pdf(size=SIZE, boxes=boxes)))
    data = asked(batch, paper="A3", columns=2, rows=2, **sheet)
    grid = Plan(batch, data).grid
    [ticket] = seen(narrowed(impositioned(batch, data), grid, grid.front(0)), UNEVEN)
    assert scanned(ticket) == [tickets(batch)[0].secret]
    assert difference(ticket, seen(printed(batch), UNEVEN)[0]) == 0
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        page = pdf.pages[0].obj
        assert [[float(side) for side in page[name]] for name in ("/TrimBox", "/BleedBox")] == [[0, 0, *SIZE]] * 2


@pytest.mark.parametrize("rotate", [-90, 450, 630, -180])
def test_pages_that_the_host_turns_in_its_own_way(make_batch, make_layout, rotate):
    """It gives them the size of pages that are not turned."""
    objects = [code(left="70", bottom="20", size="25"), text("order", left="40", bottom="5", width="30")]
    batch = make_batch(1, make_layout(objects, background_pdf(size=SIZE, rotate=rotate)))
    assert_looks_as_the_hosts(batch)
    [ticket] = on_sheet(batch)
    assert scanned(ticket) == [tickets(batch)[0].secret]
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        assert [float(side) for side in pdf.pages[0].trimbox] == [0, 0, *SIZE]


def test_a_back_of_another_size(make_batch, make_layout):
    """The host draws all pages in the size of the first one."""
    objects = [*OBJECTS, code(page=2, left="75", bottom="30", size="25", content="order")]
    background = changed(
        background_pdf(pages=2, size=SIZE), lambda pdf, page: setattr(pdf.pages[1], "mediabox", Array([0, 0, 200, 300]))
    )
    batch = make_batch(1, make_layout(objects, background))
    assert_looks_as_the_hosts(batch)
    front, back = on_sheet(batch, duplex="long")
    assert [scanned(front), scanned(back)] == [[tickets(batch)[0].secret], [tickets(batch)[0].order.code]]


def test_a_page_without_objects_is_as_large_as_its_background(make_batch, make_layout):
    """The host draws it on A4, but there is nothing around it."""
    batch = make_batch(1, make_layout([text("order", page=2)], background_pdf(pages=2, size=SIZE)))
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        trims = [[float(side) for side in page.trimbox] for page in pdf.pages]
    assert trims == [[0, 0, *SIZE]] * 2
    assert len(on_sheet(batch, duplex="long")) == 2


SIDES = st.tuples(*[st.integers(-30, 90)] * 2, *[st.integers(120, 330)] * 2)


@hypothesis_settings(
    derandomize=True,
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rotate=st.sampled_from([0, 90, 180, 270, -90, 450]),
    boxes=st.dictionaries(st.sampled_from(["/MediaBox", "/CropBox", "/TrimBox", "/BleedBox", "/ArtBox"]), SIDES),
    sheet=st.sampled_from([{"columns": 1, "rows": 1}, {"gutter": 0}, {"gutter": 8, "crop_marks": True}]),
    left=st.integers(0, 60),
    inherited=st.booleans(),
)
@example(rotate=0, boxes={"/CropBox": (0, 0, 120, 120)}, sheet={"columns": 1, "rows": 1}, left=0, inherited=False)
@example(rotate=-90, boxes={"/TrimBox": (10, 10, 290, 190)}, sheet={"gutter": 0}, left=70, inherited=False)
def test_each_code_of_the_page_is_on_the_sheet_or_it_is_refused(
    make_batch, make_layout, rotate, boxes, sheet, left, inherited
):
    objects = [code(left=str(left), bottom="3", size="25"), code(left="20", bottom="30", size="25", content="order")]

    def change(pdf, page):
        for name, box in boxes.items():
            # Some of what pages say can be said for all of them together.
            target = pdf.Root.Pages if inherited and name in ("/MediaBox", "/CropBox") else page.obj
            if target is not page.obj and name in page.obj:
                del page.obj[name]
            target[name] = Array(box)

    background = changed(background_pdf(size=SIZE, rotate=rotate), change)
    batch = make_batch(1, make_layout(objects, background))
    [picture] = seen(printed_by_host(tickets(batch)[0], batch.layout), 8)
    # At the very edge, without the white border that it needs, it is luck which reader can read a code, and where.
    assume(picture.width >= 8 * (max(left, 20) + 25) and picture.height >= 8 * (30 + 25))
    page = scanned(picture)
    assume(page)
    try:
        data = asked(batch, paper="A3", running_text=False, **sheet)
    except JobFailed as refused:
        assert "would be cut off" in str(refused)
        assert "/TrimBox" in boxes
        return
    [laid] = [scanned(page) for page in seen(impositioned(batch, data), 8)]
    assert sorted(laid) == sorted(page)


def test_a_code_beyond_where_the_ticket_is_cut_is_refused(make_batch, make_layout):
    boxes = {"/TrimBox": (60, 40, 260, 160)}
    batch = make_batch(2, make_layout(OBJECTS, background_pdf(size=SIZE, boxes=boxes)))
    with pytest.raises(JobFailed) as refused:
        asked(batch, gutter=0, columns=2, rows=2)
    assert str(refused.value).startswith("A code on page 1 of the tickets (“secret”) would be cut off on the sheets")
    # With room for what is beyond, it is there.
    data = asked(batch, columns=1, rows=2, gutter=30)
    assert len(seen(impositioned(batch, data), 4)) == 1


def test_a_code_that_is_moved_off_the_paper_is_refused(make_batch, make_layout):
    batch = make_batch(1, make_layout(OBJECTS, make_blank((100, 50))))
    sheet = {"paper": [110, 60], "columns": 1, "rows": 1, "running_text": False}
    asked(batch, **sheet, offset=[-10, 0])
    with pytest.raises(JobFailed, match="moved off the paper"):
        asked(batch, **sheet, offset=[-20, 0])


def test_a_layout_of_another_plugin_is_looked_at_when_it_is_laid(make_batch, make_layout):
    """Each piece is looked at where it is laid, not only an example of it."""
    background = background_pdf(size=SIZE, boxes={"/TrimBox": (60, 40, 260, 160)})
    batch = make_batch(1, make_layout([code(left="30", bottom="20", size="25")], background))
    data = asked(batch, gutter=0, columns=2, rows=2, running_text=False)
    batch.layout = make_layout(OBJECTS, background)
    with pytest.raises(JobFailed, match="would be cut off"):
        impositioned(batch, data)


# Empty pages


@pytest.mark.parametrize("content", [{"Filter": Name.FlateDecode}, {}, None], ids=["filter", "no filter", "nothing"])
def test_an_empty_page(make_batch, make_layout, content):
    """The host's own editor makes them, with a filter for nothing."""

    def change(pdf, page):
        if content is None:
            del page.obj.Contents
        else:
            page.obj.Contents = pdf.make_stream(b"", **content)

    batch = make_batch(2, make_layout(OBJECTS, changed(make_blank((100, 60)), change)))
    assert_looks_as_the_hosts(batch)
    [ticket] = on_sheet(batch)
    assert scanned(ticket) == [tickets(batch)[0].secret]
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        streams = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Stream)]
        assert [stream for stream in streams if not stream.read_raw_bytes() and "/Filter" in stream] == []


# Layers


def layered(pdf, page, **properties):
    """Two layers, of which the configuration may switch one off: a square at the left, and one at the right."""
    left, right = (pdf.make_indirect(Dictionary(Type=Name.OCG, Name=name)) for name in ("left", "right"))
    page.obj.Resources.Properties = Dictionary(L=left, R=right)
    squares = b"/OC /L BDC 1 0 0 rg 40 100 60 60 re f EMC /OC /R BDC 0 0.6 0 rg 200 100 60 60 re f EMC"
    page.obj.Contents = pdf.make_stream(squares)
    pdf.Root.OCProperties = Dictionary(OCGs=[left, right], D=Dictionary())
    return left, right


RED, GREEN, WHITE = (255, 0, 0), (0, 153, 0), (255, 255, 255)


def squares(page: Image.Image, scale=2) -> list[tuple[int, int, int]]:
    return [page.getpixel((x * scale, (200 - 130) * scale)) for x in (70, 230)]


def off(pdf, page):
    left, _right = layered(pdf, page)
    pdf.Root.OCProperties.D.OFF = [left]


def off_but(pdf, page):
    _left, right = layered(pdf, page)
    pdf.Root.OCProperties.D = Dictionary(BaseState=Name.OFF, ON=[right])


def not_printed(pdf, page):
    left, right = layered(pdf, page)
    left.Usage = Dictionary(Print=Dictionary(PrintState=Name.OFF))
    usage = Dictionary(Event=Name.Print, Category=[Name.Print], OCGs=[left, right])
    pdf.Root.OCProperties.D.AS = [usage]


def member_of_what_is_off(pdf, page):
    left, _right = layered(pdf, page)
    pdf.Root.OCProperties.D.OFF = [left]
    page.obj.Resources.Properties.L = pdf.make_indirect(Dictionary(Type=Name.OCMD, OCGs=[left]))


def usage_that_nobody_heeds(pdf, page):
    left, _right = layered(pdf, page)
    left.Usage = Dictionary(Print=Dictionary(PrintState=Name.OFF))


@pytest.mark.parametrize("change", [off, off_but, not_printed, member_of_what_is_off])
def test_layers_that_are_off_stay_off_on_pages_and_sheets(make_batch, make_layout, change):
    """The host prints them."""
    batch = make_batch(3, make_layout([text("order", bottom="5")], changed(background_pdf(size=SIZE), change)))
    assert squares(rasterized(printed_by_host(tickets(batch)[0], batch.layout))[0]) == [RED, GREEN]
    assert [squares(page) for page in rasterized(printed(batch))] == [[WHITE, GREEN]] * 3
    [ticket] = on_sheet(batch)
    assert squares(ticket, 8 / mm) == [WHITE, GREEN]


@pytest.mark.parametrize("change", [layered, usage_that_nobody_heeds])
def test_layers_that_are_on_are_printed(make_batch, make_layout, change):
    batch = make_batch(1, make_layout([text("order", bottom="5")], changed(background_pdf(size=SIZE), change)))
    assert squares(rasterized(printed(batch))[0]) == [RED, GREEN]


def test_the_same_layer_may_be_off_in_one_background_and_on_in_another(make_batch, make_layout):
    """Though they are alike in all else, they are two."""
    from pretix_offlinesales.printing.parts import merge_parts, print_part

    batch, parts = make_batch(2), []
    for number, change in enumerate([off, layered], start=1):
        batch.layout = make_layout([text("order", bottom="5")], changed(background_pdf(size=SIZE), change))
        parts.append(BytesIO())
        print_part(Plan(batch), range(number, number + 1), parts[-1])
    output = BytesIO()
    merge_parts(Plan(batch), parts, output)
    assert [squares(page) for page in rasterized(output.getvalue())] == [[WHITE, GREEN], [RED, GREEN]]


# What can't be read, and the host never looks at


def layers_of(code: bytes, *path: str):
    """:param path: of what is replaced in what the file says of its layers"""

    def change(pdf, page):
        left, _right = layered(pdf, page)
        usage = Dictionary(Event=Name.Print, Category=[Name.Print], OCGs=[left])
        left.Usage = Dictionary(Print=Dictionary(PrintState=Name.ON))
        thing = pdf.Root.OCProperties
        thing.D = Dictionary(OFF=[], AS=[usage])
        for key in path[:-1]:
            thing = thing[int(key)] if key.isdigit() else thing[key]
        thing[path[-1]] = Object.parse(code)

    return change


@pytest.mark.parametrize(
    "change",
    [
        layers_of(b"[]", "/D"),
        layers_of(b"[null 5 (x)]", "/D", "/OFF"),
        layers_of(b"[null /Print]", "/D", "/AS"),
        layers_of(b"[null]", "/D", "/AS", "0", "/OCGs"),
        layers_of(b"/Print", "/D", "/AS", "0", "/Category"),
        layers_of(b"[]", "/OCGs", "0", "/Usage"),
        layers_of(b"5", "/OCGs", "0", "/Usage"),
        layers_of(b"/ON", "/OCGs", "0", "/Usage", "/Print"),
    ],
)
def test_layers_that_cannot_be_read(make_batch, make_layout, change):
    batch = make_batch(1, make_layout([text("order", bottom="5")], changed(background_pdf(size=SIZE), change)))
    assert squares(rasterized(printed(batch))[0]) == [RED, GREEN]


reads_what_is_visible = pytest.mark.skipif(
    not hasattr(pdf, "get_sizebox"), reason="This pretix can't print odd boxes itself, and shows what is cropped"
)


@reads_what_is_visible
@pytest.mark.parametrize("name", ["/TrimBox", "/BleedBox"])
@pytest.mark.parametrize("box", [b"[]", b"[0 0 3]", b"[0 0 3 4 5]", b"[/a /b /c /d]", b"/X", b"[0 0 null 5]"])
def test_boxes_that_cannot_be_read_count_as_not_said(make_batch, make_layout, name, box):
    def change(pdf, page):
        page.obj[name] = Object.parse(box)

    batch = make_batch(1, make_layout([text("order", bottom="5")], changed(background_pdf(size=SIZE), change)))
    with pikepdf.open(BytesIO(printed(batch))) as pdf:
        assert [float(side) for side in pdf.pages[0].trimbox] == [0, 0, *SIZE]


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("/MediaBox", b"[300 200 0 0]", "Page 1 of the background “{file}” of the layout “Glossy” has no size."),
        ("/Contents", b"/Unknown", "The background “{file}” of the layout “Glossy” cannot be drawn."),
    ],
)
def test_what_is_wrong_with_a_page_is_said(make_batch, make_layout, entry, value, message):
    """There is nothing wrong with the file."""

    def change(pdf, page):
        found = Object.parse(value)
        page.obj[entry] = Array([pdf.make_stream(b"q Q", Filter=found)]) if entry == "/Contents" else found

    layout = make_layout([text("order", bottom="5")], changed(background_pdf(size=SIZE), change), name="Glossy")
    with pytest.raises(JobFailed) as failure:
        printed(make_batch(1, layout))
    assert str(failure.value) == message.format(file=layout.background.name.rpartition("/")[2])
