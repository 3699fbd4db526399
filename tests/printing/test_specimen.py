"""The specimen: looks like the ticket, but is none."""

import json
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from pretix.base.models import Order, OrderPosition
from pretix.base.models.orders import PrintLog

from pretix_offlinesales.models import Job, JobFailed, OfflineSalesBatch
from pretix_offlinesales.printing.choice import choose
from pretix_offlinesales.printing.request import PrintRequest
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.layouts import background_pdf, code, make_blank, text
from tests.support.pdf import rasterized
from tests.support.specimens import first_sheet, specimen


@pytest.fixture
def batch(event, item, quota, web):
    return OfflineSalesBatch(event=event, item=item, sales_channel=web, amount=40)


def words(pdf: bytes) -> str:
    return " ".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range().split())


def test_it_is_one_page_with_the_product_and_marked_as_a_specimen(batch, make_layout):
    batch.layout = make_layout([text("item"), code(page=2)], background_pdf(pages=2))
    pdf = specimen(batch)
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert (len(opened.pages), str(opened.docinfo["/Title"])) == (1, "Long Night: specimen")
    assert words(pdf) == "Stock 1 Ticket SPECIMEN"


def test_its_code_is_none_that_a_scanner_accepts(batch, make_layout):
    batch.layout = make_layout(
        [code(), code(content="pseudonymization_id", bottom="60"), text("order")], background_pdf()
    )
    [page] = rasterized(specimen(batch))
    scanned = [found.text for found in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)]
    assert {found[:8] for found in scanned} <= {"SPECIMEN"}
    assert OrderPosition.all.filter(secret__in=scanned).count() == 0


def test_it_leaves_nothing_behind(batch, layout):
    specimen(batch)
    assert (Order.objects.count(), OrderPosition.all.count(), OfflineSalesBatch.objects.count()) == (0, 0, 0)


def test_it_shows_the_first_number(batch, make_layout):
    batch.first_number = 101
    batch.layout = make_layout([text("offlinesales_number_padded")], background_pdf())
    assert words(specimen(batch)) == "Stock 1 0101 SPECIMEN"


def test_without_a_layout_it_is_as_the_event_prints(batch, make_layout):
    make_layout([text(text="The default")], background_pdf(), default=True)
    assert words(specimen(batch)) == "Stock 1 The default SPECIMEN"


def test_products_with_bundles(batch, event, item, quota, make_layout):
    drink = event.items.create(name="Drink", default_price=4)
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=2, designated_price=3)
    batch.layout = make_layout([text("addons")], background_pdf())
    assert words(specimen(batch)) == "Stock 1 2x Drink SPECIMEN"


def test_broken_layouts_fail_with_a_message(batch, make_layout):
    batch.layout = make_layout([code()], b"This is no PDF.", name="Glossy")
    with pytest.raises(JobFailed) as failure:
        specimen(batch)
    assert "Glossy" in str(failure.value)


def test_the_page_answers_with_it(client, user, team, event, batch, layout):
    client.force_login(user)
    pages = f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/"
    form = {"itemvar": batch.item_id, "sales_channel": batch.sales_channel_id, "layout": layout.pk}
    response = client.post(f"{pages}specimen", form)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert client.post(f"{pages}specimen", form | {"first_number": "0"})["Content-Type"] == "application/pdf"
    response = client.post(f"{pages}specimen", form | {"itemvar": ""})
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    layout.layout = json.dumps([{"type": "barcodearea"}])
    layout.save()
    assert "cannot be drawn" in client.post(f"{pages}specimen", form).content.decode()


# Of a sheet


@pytest.fixture
def issued(make_batch, make_layout):
    """A batch of five tickets of which four fit on a sheet."""
    objects = [code(left="5", bottom="5", size="30"), text("order", left="38", bottom="10", width="40")]
    return make_batch(5, make_layout(objects, make_blank((80, 50))))


def sheet_of(batch, **sheet):
    sheet = Sheet.parse({"paper": "A4", "columns": 2, "rows": 2, **sheet})
    return first_sheet(batch, PrintRequest.of(batch, choose(batch), sheet))


def test_the_first_sheet_shows_the_first_tickets(issued):
    pdf = sheet_of(issued, margin=8, crop_marks=True)
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert len(opened.pages) == 1
    orders = [ticket.order.code for ticket in issued.tickets.order_by("number")]
    shown = words(pdf)
    assert [order for order in orders if order in shown] == orders[:4]
    assert (f"night {issued}, sheet 1 of 2" in shown, "SPECIMEN" in shown) == (True, True)


def test_codes_of_the_first_sheet_are_none_that_a_scanner_accepts(issued):
    pdf = sheet_of(issued)
    text_of_file = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    secrets = [ticket.order.positions.get().secret for ticket in issued.tickets.all()]
    assert [secret for secret in secrets if secret in text_of_file] == []
    [page] = rasterized(pdf)
    scanned = [found.text for found in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)]
    assert {found[:9] for found in scanned} <= {"SPECIMEN-"}


def test_the_first_sheet_makes_nothing(issued):
    before = [ticket.order.positions.get().secret for ticket in issued.tickets.all()]
    sheet_of(issued)
    assert (Job.objects.count(), PrintLog.objects.count()) == (0, 0)
    assert [ticket.order.positions.get().secret for ticket in issued.tickets.all()] == before


def test_the_first_sheet_has_its_back(make_batch, make_layout):
    batch = make_batch(5, make_layout([text("order"), text("order", page=2)], background_pdf(pages=2)))
    with pikepdf.open(BytesIO(sheet_of(batch, paper="A3", duplex="long"))) as opened:
        assert len(opened.pages) == 2


def test_without_sheets_it_is_the_first_ticket(issued):
    shown = words(first_sheet(issued, PrintRequest.of(issued, [3, 4])))
    assert issued.tickets.get(number=3).order.code in shown
