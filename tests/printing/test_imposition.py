"""Sheets are measured: what you see of them when they are rasterized, cut, and turned."""

from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hierarkey.proxy import dirty_cache_keys
from PIL import Image, ImageChops, ImageDraw
from pretix.base.models import Order
from pretix.plugins.ticketoutputpdf.signals import override_layout
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing import plan as plan_module
from pretix_offlinesales.printing.imposition import impose
from pretix_offlinesales.printing.marks import crop_marks
from pretix_offlinesales.printing.plan import Plan
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.layouts import background_pdf, code, make_blank, text
from tests.support.pdf import difference, extracted_text, read_codes
from tests.support.plugins import receiver_of_a_plugin
from tests.support.printing import printed, tickets
from tests.support.sheets import FINE, UNEVEN, asked, cut, impositioned, narrowed, scanned, seen

TICKET = (85, 54)

#: For layouts that only show their background.
NOTHING = text(text="")


@pytest.fixture
def card(make_layout):
    """A ticket in the format of a card, with a code from which one reads which it is."""
    return make_layout(
        [code(left="6", bottom="4", size="36"), text("order", left="45", bottom="10", width="38")],
        background_pdf(size=tuple(length * mm for length in TICKET)),
    )


def secrets(batch) -> list[str]:
    return [position.secret for position in tickets(batch)]


# Tickets


@pytest.mark.parametrize(
    "sheet",
    [
        {"margin": 5, "gutter": 3, "crop_marks": True},
        {"margin": 0, "gutter": 0, "rotate": False},
        {"margin": 8, "gutter": [10, 6], "crop_marks": True, "landscape": True, "rotate": True},
        {"columns": 2, "rows": 3, "cell": [90, 60], "crop_marks": True},
    ],
    ids=["plain", "edge to edge", "turned", "in the middle of labels"],
)
def test_every_code_scans_and_every_ticket_looks_as_on_a_page_of_its_own(make_batch, card, sheet):
    batch = make_batch(7, card)
    data = asked(batch, **sheet)
    pdf, pages = impositioned(batch, data), seen(printed(batch), UNEVEN)
    plan = Plan(batch, data)
    for index, (number, _piece) in enumerate(plan.on_sheet(1)):
        ticket = seen(narrowed(pdf, plan.grid, plan.grid.front(index)), UNEVEN)[0]
        assert scanned(ticket) == [secrets(batch)[number - 1]]
        assert difference(ticket, pages[number - 1]) == 0


@pytest.mark.parametrize(
    "elsewhere",
    [{"left": 0.2}, {"bottom": -0.2}, {"left": 0.05, "bottom": 0.05}, {"degrees": 180}, {"left": TICKET[0]}],
    ids=["at the side", "below", "hardly", "upside down", "the next ticket"],
)
def test_the_oracle_sees_a_ticket_that_lies_elsewhere(make_batch, card, elsewhere):
    batch = make_batch(2, card)
    data = asked(batch, gutter=0, columns=2, rows=1)
    pdf, grid = impositioned(batch, data), Plan(batch, data).grid
    place = grid.front(0)
    moved = replace(place, **{name: getattr(place, name) + much for name, much in elsewhere.items()})
    here, there = (seen(narrowed(pdf, grid, side), UNEVEN)[0] for side in (place, moved))
    assert difference(here, seen(printed(batch), UNEVEN)[0]) == 0
    assert difference(here, there) > 0


def test_the_text_for_machines_is_that_of_the_pages(make_batch, card):
    batch = make_batch(3, card)
    sheet = extracted_text(impositioned(batch, asked(batch, running_text=False)))
    assert "".join(sheet).split() == "\r\n".join(extracted_text(printed(batch))).split()


def test_a_ticket_that_was_canceled_leaves_its_place_empty(make_batch, card):
    batch = make_batch(6, card)
    data = asked(batch, rotate=False)
    Order.objects.filter(pk=tickets(batch)[2].order_id).update(status=Order.STATUS_CANCELED)
    grid = Plan(batch, data).grid
    [page] = seen(impositioned(batch, data), 8)
    found = [scanned(cut(page, grid, grid.front(index), 8)) for index in range(6)]
    assert found == [[secret] for secret in secrets(batch)[:2]] + [[]] + [[secret] for secret in secrets(batch)[3:]]


def test_all_of_them_were_canceled(make_batch, card):
    batch = make_batch(2, card)
    data = asked(batch)
    Order.objects.update(status=Order.STATUS_CANCELED)
    with pytest.raises(JobFailed, match="^There is nothing to print"):
        impositioned(batch, data)


# Stacks


@pytest.mark.parametrize("part_size", [1000, 8])
def test_the_piles_of_a_stack_that_was_cut_are_in_order(make_batch, card, monkeypatch, part_size):
    """Laid on each other, the first one on top. Each part draws whole sheets."""
    monkeypatch.setattr(plan_module, "PART_SIZE", part_size)
    batch = make_batch(15, card)
    data = asked(batch, order="stack", columns=2, rows=2)
    grid = Plan(batch, data).grid
    sheets = seen(impositioned(batch, data), 8)
    assert (len(sheets), len(Plan(batch, data).parts())) == (4, 1 if part_size == 1000 else 2)
    piles = [[scanned(cut(sheet, grid, grid.front(index), 8)) for sheet in sheets] for index in range(len(grid))]
    assert sum(piles, []) == [[secret] for secret in secrets(batch)] + [[]]


def test_pieces_of_a_ticket_follow_each_other_in_a_stack(event, item, make_batch, make_order, card):
    """Each position has its own place, also of orders that have more or fewer of them than others."""
    orders = [make_order([item] * count) for count in (2, 2, 1, 3)]
    batch = make_batch(orders, card)
    data = asked(batch, order="stack", columns=2, rows=2)
    assert data.pieces == [[2, 2], [1, 1], [1, 3]]
    grid = Plan(batch, data).grid
    sheets = seen(impositioned(batch, data), 8)
    piles = [[scanned(cut(sheet, grid, grid.front(index), 8)) for sheet in sheets] for index in range(len(grid))]
    wanted = [[position.secret] for order in orders for position in order.positions.order_by("positionid")]
    assert sum(piles, []) == wanted


def test_more_positions_than_there_were(item, event, make_batch, make_order, card):
    batch = make_batch([make_order([item])], card)
    data = asked(batch)
    order = batch.tickets.get().order
    order.all_positions.create(organizer=event.organizer, item=item, price=1, positionid=2)
    with pytest.raises(JobFailed, match="^Some tickets have more pages than others"):
        impositioned(batch, data)


# Fronts and backs


@pytest.fixture
def two_sided(make_layout):
    """Front and back, both with a code at the lower left."""
    place = {"left": "6", "bottom": "4", "size": "30"}
    objects = [code(**place), code(**place, page=2, content="order"), text(text="Back", page=2, left="45", bottom="10")]
    return make_layout(objects, background_pdf(pages=2, size=tuple(length * mm for length in TICKET)))


@pytest.mark.parametrize("edge", ["long", "short"])
@pytest.mark.parametrize("landscape", [False, True])
@pytest.mark.parametrize("rotate", [False, True])
def test_backs_meet_their_fronts(make_batch, two_sided, edge, landscape, rotate):
    batch = make_batch(5, two_sided)
    data = asked(batch, duplex=edge, landscape=landscape, rotate=rotate, gutter=4, columns=2, rows=2)
    grid = Plan(batch, data).grid
    pages = seen(impositioned(batch, data), 8)
    assert len(pages) == 4
    sheet = 0
    for index, position in enumerate(tickets(batch)[:4]):
        # Turned on its edge, the paper shows its back: left becomes right, or top becomes bottom.
        upright = (edge == "long") != landscape
        flip = Image.Transpose.FLIP_LEFT_RIGHT if upright else Image.Transpose.FLIP_TOP_BOTTOM
        through = pages[sheet + 1].transpose(flip)
        front = cut(pages[sheet], grid, grid.front(index), 8)
        back = cut(through, grid, grid.front(index), 8).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert scanned(front) == [position.secret]
        assert scanned(back) == [position.order.code]
        # The ticket is turned like a page of a book: the code of the back is at the lower left as well.
        assert read_codes(back)[0].position.top_left.x < back.width / 2
        assert read_codes(back)[0].position.top_left.y > back.height / 4
        assert abs(read_codes(back)[0].orientation) < 5


def test_without_duplex_each_page_has_its_own_place(make_batch, two_sided):
    batch = make_batch(2, two_sided)
    data = asked(batch, columns=2, rows=2)
    assert data.pieces == [[2, 2]]
    [page] = seen(impositioned(batch, data), 8)
    grid = Plan(batch, data).grid
    found = [scanned(cut(page, grid, grid.front(index), 8)) for index in range(4)]
    assert found == [[text] for position in tickets(batch) for text in (position.secret, position.order.code)]


def test_a_ticket_with_one_page_has_an_empty_back(make_batch, card):
    batch = make_batch(1, card)
    front, back = seen(impositioned(batch, asked(batch, duplex="long", running_text=False)), 4)
    assert (front.getextrema() != ((255, 255),) * 3, back.getextrema()) == (True, ((255, 255),) * 3)


def test_three_pages_are_no_front_and_back(make_batch, make_layout):
    batch = make_batch(1, make_layout([code()], background_pdf(pages=3)))
    with pytest.raises(ValidationError) as refused:
        asked(batch, duplex="long")
    assert refused.value.message_dict == {"duplex": ["The tickets have 3 pages. Only two can be front and back."]}


# Bleed, marks and text


def red_to_the_edge(bleed):
    """A red background that goes on beyond the edges of the ticket."""
    size = [(length + 2 * bleed) * mm for length in TICKET]
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    canvas.setFillColorRGB(1, 0, 0)
    canvas.rect(0, 0, *size, stroke=0, fill=1)
    canvas.save()
    with pikepdf.open(buffer) as pdf:
        pdf.pages[0].obj["/TrimBox"] = pikepdf.Array([bleed * mm, bleed * mm, *((bleed + x) * mm for x in TICKET)])
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()


def test_places_are_as_large_as_what_is_left_of_the_ticket_when_it_is_cut(make_batch, make_layout):
    batch = make_batch(2, make_layout([NOTHING], red_to_the_edge(3)))
    data = asked(batch, columns=2, rows=1, gutter=4, running_text=False)
    assert data.ticket == pytest.approx(TICKET)
    assert data.bleed == pytest.approx(3, abs=1e-4)
    grid = Plan(batch, data).grid
    [page] = seen(impositioned(batch, data))
    red = ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox()
    # 3 mm beyond the outer edges, and up to the middle between two tickets.
    left, top = grid.lefts[0] - 3, 297 - grid.bottoms[0] - 54 - 3
    assert red == pytest.approx([10 * length for length in (left, top, 210 - left, 297 - top)], abs=1)
    middle = page.getpixel((1050, 1485))
    assert middle == (255, 0, 0)


def test_what_goes_beyond_the_edges_does_not_cover_the_next_ticket(make_batch, make_layout):
    batch = make_batch(2, make_layout([code(left="9", bottom="7", size="36")], red_to_the_edge(3)))
    data = asked(batch, columns=2, rows=1, gutter=0)
    grid = Plan(batch, data).grid
    [page] = seen(impositioned(batch, data), 8)
    assert [scanned(cut(page, grid, grid.front(index), 8)) for index in range(2)] == [[one] for one in secrets(batch)]


def lines_of(page: Image.Image) -> list[tuple[float, ...]]:
    """Black lines on white paper, as boxes in millimetres from the upper left."""
    dark = page.convert("L").point(lambda value: 255 if value < 200 else 0)
    boxes, left = [], dark.copy()
    while box := left.getbbox():
        x, y = next((x, box[1]) for x in range(box[0], box[2]) if left.getpixel((x, box[1])))
        ImageDraw.floodfill(left, (x, y), 128)
        one = left.point(lambda value: 255 if value == 128 else 0).getbbox()
        boxes.append(tuple(length / FINE for length in one))
        ImageDraw.floodfill(left, (x, y), 0)
    return boxes


@pytest.mark.parametrize(
    ("sheet", "marks"),
    [
        ({"margin": 10, "gutter": 0}, 2 * 3 + 2 * 3),
        ({"margin": 10, "gutter": 4}, 3 * 4 + 3 * 4),
        ({"margin": 0, "gutter": 0, "paper": [170, 120]}, 2 * 3),
    ],
    ids=["no gutter", "gutter", "no margin at the sides"],
)
def test_crop_marks_lie_on_the_edges_of_the_tickets_and_touch_none(make_batch, make_layout, sheet, marks):
    batch = make_batch(4, make_layout([NOTHING], make_blank(TICKET)))
    data = asked(batch, **sheet, columns=2, rows=2, crop_marks=True, running_text=False)
    grid = Plan(batch, data).grid
    [page] = seen(impositioned(batch, data))
    found = lines_of(page)
    assert len(found) == marks
    height = grid.sheet.size[1]
    xs = [x for left in grid.lefts for x in (left, left + grid.ticket[0])]
    ys = [height - y for bottom in grid.bottoms for y in (bottom, bottom + grid.ticket[1])]
    for left, top, right, bottom in found:
        if right - left < bottom - top:
            assert min(abs((left + right) / 2 - x) for x in xs) <= 0.1
        else:
            assert min(abs((top + bottom) / 2 - y) for y in ys) <= 0.1
        for index in range(4):
            place = grid.front(index)
            beside = right <= place.left or left >= place.left + grid.ticket[0]
            ticket_top = height - place.bottom - grid.ticket[1]
            assert beside or bottom <= ticket_top or top >= ticket_top + grid.ticket[1]


def test_crop_marks_stay_clear_of_what_is_printed_beyond_the_edges():
    laid = impose(Sheet.parse({"paper": "A4", "columns": 2, "rows": 2, "gutter": 8}), TICKET)
    for x1, y1, x2, y2 in crop_marks(laid, bleed=3):
        for left in laid.lefts:
            for bottom in laid.bottoms:
                assert (
                    max(x1, x2) <= left - 3 + 1e-3
                    or min(x1, x2) >= left + 85 + 3 - 1e-3
                    or max(y1, y2) <= bottom - 3 + 1e-3
                    or min(y1, y2) >= bottom + 54 + 3 - 1e-3
                )


@pytest.mark.parametrize(
    "sheet",
    [{}, {"paper": [190, 108], "margin": [5, 0]}, {"duplex": "long"}],
    ids=["below", "at the side", "on both sides"],
)
def test_the_text_at_the_edge_says_which_sheet_it_is_and_touches_no_ticket(make_batch, make_layout, sheet):
    batch = make_batch(5, make_layout([NOTHING], make_blank(TICKET)))
    data = asked(batch, **{"columns": 2, "rows": 2, "gutter": 0, **sheet})
    pdf = impositioned(batch, data)
    name = f"night {batch}"
    fronts, back = [f"{name}, sheet {number} of 2" for number in (1, 2)], ", back" if "duplex" in sheet else None
    wanted = fronts if not back else [line for front in fronts for line in (front, front + back)]
    assert extracted_text(pdf) == wanted
    grid, page = Plan(batch, data).grid, seen(pdf)[0]
    assert page.getextrema() != ((255, 255),) * 3
    for index in range(4):
        assert cut(page, grid, grid.front(index)).getextrema() == ((255, 255),) * 3


def test_without_room_at_the_edge_there_is_no_text(make_batch, make_layout):
    batch = make_batch(4, make_layout([NOTHING], make_blank(TICKET)))
    assert extracted_text(impositioned(batch, asked(batch, paper=[170, 108]))) == [""]


def test_all_is_moved_by_the_offset(make_batch, make_layout):
    batch = make_batch(1, make_layout([NOTHING], red_to_the_edge(0)))
    boxes = []
    for offset in (0, [2, -3]):
        [page] = seen(impositioned(batch, asked(batch, columns=1, rows=1, offset=offset, running_text=False)))
        boxes.append(ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox())
    moved = [there - here for here, there in zip(*boxes, strict=True)]
    assert moved == pytest.approx([20, 30, 20, 30], abs=1)


# Sizes


def test_tickets_of_other_sizes_lie_in_the_middle_or_are_refused(event, make_batch, make_layout, settings):
    small, large = (make_layout([NOTHING], red_to_the_edge(0)), make_layout([NOTHING], make_blank((100, 60))))
    batch = make_batch(2)
    first = tickets(batch)[0]

    def override(sender, layout, orderposition, **kwargs):
        return small if (orderposition == first) == is_first_small else large

    with receiver_of_a_plugin(settings, override_layout, override):
        is_first_small = False
        data = asked(batch, columns=1, rows=2, running_text=False)
        [page] = seen(impositioned(batch, data))
        red = ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox()
        assert red[0] == pytest.approx((210 - 85) / 2 * FINE, abs=1)
        is_first_small = True
        with pytest.raises(JobFailed, match="^The tickets do not have the same size"):
            impositioned(batch, asked(batch))


def test_the_number_of_queries_does_not_grow(make_batch, card):
    few, many = make_batch(2, card), make_batch(12, card)
    dirty_cache_keys.set(set())
    for batch in (few, many):
        with CaptureQueriesContext(connection) as queries:
            impositioned(batch, asked(batch, order="stack"))
        batch.queries = len(queries)
    assert few.queries == many.queries
