"""Tickets as data: tables, and pictures of their codes."""

import csv
import zipfile
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
import zxingcpp
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from hierarkey.proxy import dirty_cache_keys
from openpyxl import load_workbook
from PIL import Image, ImageDraw
from pretix.base.models import Order

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing import qrcode
from pretix_offlinesales.printing.data import DataOptions, Format, Pictures, placeholders, used_placeholders, write_data
from pretix_offlinesales.tickets.origin import KEY, Origin
from tests.support.layouts import code, text
from tests.support.pdf import rasterized, read_codes
from tests.support.printing import printed, tickets


@pytest.fixture
def make_batch(make_batch):
    """Orders that know which ticket they are, as issuing makes them."""

    def make_numbered(orders=1, layout=None):
        batch = make_batch(orders, layout)
        for ticket in batch.tickets.all():
            ticket.order.meta_info = f'{{"{KEY}": {{"batch": {batch.pk}, "number": {ticket.number}, "amount": 3}}}}'
            ticket.order.save()
        return batch

    return make_numbered


def written(batch, *names, format=Format.CSV, pictures=Pictures.NONE) -> bytes:
    output = BytesIO()
    write_data(batch, DataOptions(format, pictures, names), output)
    return output.getvalue()


def table(data: bytes, delimiter=",") -> list[list[str]]:
    return list(csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def column(data: bytes, title: str) -> list[str]:
    titles, *rows = table(data)
    return [row[titles.index(title)] for row in rows]


def drawn(svg: bytes) -> Image.Image:
    """What a browser would show of our own kind of SVG: one path of rectangles."""
    side = int(svg.split(b'viewBox="0 0 ')[1].split()[0])
    image = Image.new("L", (side * 4, side * 4), 255)
    for run in svg.split(b'd="')[2].split(b'"')[0].decode().strip("M").split("M"):
        place, length = run.split("h")[0], int(run.split("h")[1].split("v")[0])
        x, y = map(int, place.split())
        ImageDraw.Draw(image).rectangle((4 * x, 4 * y, 4 * (x + length) - 1, 4 * y + 3), fill=0)
    return image


def test_a_row_a_ticket(make_batch):
    batch = make_batch(2)
    first, second = tickets(batch)
    assert table(written(batch)) == [
        [
            "Ticket number",
            "Ticket number with leading zeros",
            "Order code",
            "Ticket secret",
            "Code content",
            "Product",
            "Variation",
            "Date",
            "Price",
            "Seat",
        ],
        ["1", "0001", first.order.code, first.secret, first.secret, "Ticket", "", "2027-05-08 20:00", "23.00", ""],
        ["2", "0002", second.order.code, second.secret, second.secret, "Ticket", "", "2027-05-08 20:00", "23.00", ""],
    ]


def test_excel_knows_that_it_is_utf_8(make_batch, item):
    item.name = "Ticket für Frühaufsteher ☕"
    item.save()
    data = written(make_batch())
    assert data.startswith(b"\xef\xbb\xbf")
    assert column(data, "Product") == ["Ticket für Frühaufsteher ☕"]


def test_excel_in_other_countries_wants_semicolons(make_batch):
    _titles, row = table(written(make_batch(), format=Format.SEMICOLON), delimiter=";")
    assert row[:2] == ["1", "0001"]


@pytest.mark.parametrize(("locale", "number"), [("en", "23.50"), ("de", "23,50"), ("fr", "23,50"), ("pl", "23,50")])
def test_their_numbers_are_written_as_the_language_does_it(make_batch, make_order, locale, number):
    order = make_order()
    order.positions.update(price=Decimal("23.50"))
    batch = make_batch([order])
    with override(locale):
        semicolons, commas = written(batch, format=Format.SEMICOLON), written(batch)
    [row] = table(semicolons, delimiter=";")[1:]
    assert (row[8], table(commas)[1][8]) == (number, "23.50")
    assert f';{number};"'.encode() in semicolons  # not as a text


def test_no_two_columns_have_the_same_title(make_batch, event, make_layout):
    names = ["price", *(name for name in placeholders(event) if name != "price")]
    batch = make_batch(layout=make_layout([text("order"), text("price"), code(), code()]))
    for locale in ("en", "de"):
        with override(locale):
            titles = table(written(batch, *names))[0]
        assert sorted(titles) == sorted(set(titles))
    with override("en"):
        assert table(written(batch, "price"))[0][9:] == ["Price", "Seat", "Price (as printed)"]
    assert not {"order", "secret"} & placeholders(event).keys()


def test_an_excel_file_has_the_same(make_batch):
    batch = make_batch(2)
    sheet = load_workbook(BytesIO(written(batch, "positionid", format=Format.XLSX))).active
    titles, *rows = [[cell.value for cell in row] for row in sheet.rows]
    assert [["" if value is None else str(value) for value in row] for row in rows] == [
        [*row[:-3], "23", *row[-2:]] for row in table(written(batch, "positionid"))[1:]
    ]
    assert (type(rows[0][0]), type(rows[0][1])) == (int, str)


def test_what_the_layout_shows_is_evaluated_as_it_would_be_drawn(make_batch, make_order, event):
    event.settings.locales = ["en", "de"]
    event.name = {"en": "Long Night", "de": "Lange Nacht"}
    event.save()
    batch = make_batch([make_order(), make_order(locale="de")])
    data = written(batch, "event_name", "event_begin_weekday", "price", "offlinesales_number_padded")
    assert [row[10:] for row in table(data)] == [
        ["Event name", "Event begin weekday", "Price (as printed)", "Offline sales: ticket number with leading zeros"],
        ["Long Night", "Saturday", "€23.00", "0001"],
        ["Lange Nacht", "Samstag", "23,00\N{NO-BREAK SPACE}€", "0002"],
    ]


def test_all_placeholders_can_be_written(make_batch, event):
    event.organizer.meta_properties.create(name="venue", default="Harbour")
    batch, names = make_batch(), placeholders(event)
    titles, row = table(written(batch, *names))
    assert titles[10:] == list((names | {"price": "Price (as printed)"}).values())
    assert dict(zip(names, row[10:], strict=True))["meta:venue"] == "Harbour"
    assert "(error)" not in row


def test_what_a_layout_uses(event, make_layout):
    objects = [text("event_name"), text(text="No. {offlinesales_number}, {meta:venue}"), code()]
    assert used_placeholders(event, make_layout(objects)) >= {"event_name", "offlinesales_number", "meta:venue"}


def test_the_code_holds_what_the_printed_one_does(make_batch, make_layout):
    objects = [code(bottom="60"), code(content="other", text="https://example.org/{order}?{secret}")]
    batch = make_batch(2, layout=make_layout(objects))
    data = written(batch)
    contents = list(zip(column(data, "Code content"), column(data, "Code content 2"), strict=True))
    scanned = [tuple(found.text for found in read_codes(page)) for page in rasterized(printed(batch))]
    assert contents == scanned


def test_a_layout_without_a_code(make_batch, make_layout):
    batch = make_batch(layout=make_layout([text("order")]))
    assert column(written(batch), "Code content") == [""]
    assert zipfile.ZipFile(BytesIO(written(batch, pictures=Pictures.PNG))).namelist() == ["tickets.csv"]


@pytest.mark.parametrize("format", [Format.CSV, Format.XLSX])
def test_there_are_no_formulas(make_batch, item, format):
    item.name = '=HYPERLINK("x")'
    item.save()
    data = written(make_batch(), format=format)
    if format == Format.CSV:
        assert column(data, "Product") == ['\'=HYPERLINK("x")']
    else:
        cell = load_workbook(BytesIO(data)).active["F2"]
        assert (cell.value, cell.data_type) == ('=HYPERLINK("x")', "s")


def test_codes_are_exact_even_where_they_look_like_formulas(make_batch):
    """Signed secrets end in a code's padding, turned around."""
    batch = make_batch(2)
    first, second = tickets(batch)
    for position, secret in ((first, "=A/8b+x"), (second, "=cmd|' /C calc'!A0")):
        position.secret = secret
        position.save()
    assert column(written(batch), "Ticket secret") == ["=A/8b+x", "'=cmd\\|' /C calc'!A0"]


def test_characters_that_excel_can_not_store_are_left_out(make_batch, item):
    item.name = "Tick\x0bet"
    item.save()
    assert load_workbook(BytesIO(written(make_batch(), format=Format.XLSX))).active["F2"].value == "Ticket"


@pytest.mark.parametrize(("pictures", "opened"), [(Pictures.SVG, drawn), (Pictures.PNG, lambda data: data)])
def test_a_picture_of_each_code(make_batch, pictures, opened):
    batch = make_batch(2)
    archive = zipfile.ZipFile(BytesIO(written(batch, pictures=pictures)))
    names = [f"codes/0001.{pictures}", f"codes/0002.{pictures}"]
    assert archive.namelist() == [*names, "tickets.csv"]
    assert column(archive.read("tickets.csv"), "Picture of the code") == names
    for name, position in zip(names, tickets(batch), strict=True):
        picture = opened(archive.read(name))
        picture = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
        [found] = zxingcpp.read_barcodes(picture)
        assert found.text == position.secret


@pytest.mark.parametrize(("nowhitespace", "border"), [(False, 0), (True, 8)])
def test_pictures_are_as_large_as_the_code_of_the_layout(make_batch, make_layout, nowhitespace, border):
    """With their border, also where the layout has none."""
    layout = make_layout([code(size="42.00", nowhitespace=nowhitespace)])
    batch = make_batch(layout=layout)
    [position] = tickets(batch)
    side = qrcode.encode(position.secret).width + 8
    millimetres = 42 * side / (side - border)
    svg = zipfile.ZipFile(BytesIO(written(batch, pictures=Pictures.SVG))).read("codes/0001.svg").decode()
    assert f' width="{millimetres:.3f}mm" height="{millimetres:.3f}mm" viewBox="0 0 {side} {side}"' in svg
    png = zipfile.ZipFile(BytesIO(written(batch, pictures=Pictures.PNG))).read("codes/0001.png")
    picture = Image.open(BytesIO(png))
    assert picture.size[0] / picture.info["dpi"][0] * 25.4 == pytest.approx(millimetres, abs=0.01)


def test_a_code_without_a_size(make_batch, make_layout):
    batch = make_batch(layout=make_layout([code(size="0")]))
    for pictures, name in ((Pictures.SVG, "codes/0001.svg"), (Pictures.PNG, "codes/0001.png")):
        assert name in zipfile.ZipFile(BytesIO(written(batch, pictures=pictures))).namelist()


def test_a_second_code_has_a_picture_of_its_own(make_batch, make_layout):
    batch = make_batch(layout=make_layout([code(), code(content="order")]))
    archive = zipfile.ZipFile(BytesIO(written(batch, pictures=Pictures.SVG)))
    assert archive.namelist() == ["codes/0001.svg", "codes/0001-2.svg", "tickets.csv"]


def test_canceled_tickets_are_left_out(make_batch, make_order):
    batch = make_batch([make_order(), make_order(status=Order.STATUS_CANCELED), make_order()])
    assert column(written(batch), "Ticket number") == ["1", "3"]


def test_nothing_is_left(make_batch, make_order):
    with pytest.raises(JobFailed):
        written(make_batch([make_order(status=Order.STATUS_CANCELED)]))


def test_a_code_that_says_too_much(make_batch, make_layout):
    batch = make_batch(layout=make_layout([code(content="other", text="x" * 5000)]))
    with pytest.raises(JobFailed, match="ticket 1 says more"):
        written(batch, pictures=Pictures.SVG)


def test_what_is_bundled_has_a_row_where_it_is_a_ticket(make_batch, make_order, event, item):
    drink = event.items.create(name="Drink", default_price=Decimal("4.00"), generate_tickets=True)
    batch = make_batch([make_order([item, drink])])
    assert column(written(batch), "Product") == ["Ticket", "Drink"]


def test_more_tickets_cost_no_more_queries(make_batch):
    def queries(batch):
        # In a transaction that changed settings, they are read again and again. Act as if it was committed.
        dirty_cache_keys.set(set())
        with CaptureQueriesContext(connection) as captured:
            # The host asks the database itself for which add-ons are in.
            written(batch, *placeholders(batch.event).keys() - {"checked_in_addons"})
        return len(captured)

    small, large = make_batch(2), make_batch(6)
    queries(small)
    assert queries(small) == queries(large)


def test_progress_is_told_after_each_ticket(make_batch):
    told = []
    batch = make_batch(3)
    write_data(batch, DataOptions(), BytesIO(), lambda *progress: told.append(progress))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_options_survive_a_job():
    options = DataOptions(Format.CSV, Pictures.PNG, ("order", "price"))
    assert DataOptions.read(options.data) == options


def test_the_number_is_padded_as_on_the_ticket():
    assert Origin(1, 7, 20_000).padded_number == "00007"
