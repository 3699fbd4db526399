"""The specimen: looks like the ticket, but is none."""

import json
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from pretix.base.models import Order, OrderPosition

from pretix_offlinesales import jobs
from pretix_offlinesales.models import JobFailed, OfflineSalesBatch

from .conftest import background_pdf, code, rasterized, text


@pytest.fixture
def batch(event, item, quota, web):
    return OfflineSalesBatch(event=event, item=item, sales_channel=web, amount=40)


def words(pdf: bytes) -> str:
    return " ".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range().split())


def test_it_is_one_page_with_the_product_and_marked_as_a_specimen(batch, make_layout):
    batch.layout = make_layout([text("item"), code(page=2)], background_pdf(pages=2))
    pdf = jobs.proof(batch)
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert (len(opened.pages), str(opened.docinfo["/Title"])) == (1, "Long Night: specimen")
    assert words(pdf) == "Stock 1 Ticket SPECIMEN"


def test_its_code_is_none_that_a_scanner_accepts(batch, make_layout):
    batch.layout = make_layout(
        [code(), code(content="pseudonymization_id", bottom="60"), text("order")], background_pdf()
    )
    [page] = rasterized(jobs.proof(batch))
    scanned = [found.text for found in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)]
    assert {found[:8] for found in scanned} <= {"SPECIMEN"}
    assert OrderPosition.all.filter(secret__in=scanned).count() == 0


def test_it_leaves_nothing_behind(batch, layout):
    jobs.proof(batch)
    assert (Order.objects.count(), OrderPosition.all.count(), OfflineSalesBatch.objects.count()) == (0, 0, 0)


def test_it_shows_the_first_number(batch, make_layout):
    batch.first_number = 101
    batch.layout = make_layout([text("offlinesales_number_padded")], background_pdf())
    assert words(jobs.proof(batch)) == "Stock 1 0101 SPECIMEN"


def test_without_a_layout_it_is_as_the_event_prints(batch, make_layout):
    make_layout([text(text="The default")], background_pdf(), default=True)
    assert words(jobs.proof(batch)) == "Stock 1 The default SPECIMEN"


def test_products_with_bundles(batch, event, item, quota, make_layout):
    drink = event.items.create(name="Drink", default_price=4)
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=2, designated_price=3)
    batch.layout = make_layout([text("addons")], background_pdf())
    assert words(jobs.proof(batch)) == "Stock 1 2x Drink SPECIMEN"


def test_broken_layouts_fail_with_a_message(batch, make_layout):
    batch.layout = make_layout([code()], b"This is no PDF.", name="Glossy")
    with pytest.raises(JobFailed) as failure:
        jobs.proof(batch)
    assert "Glossy" in str(failure.value)


def test_the_page_answers_with_it(client, user, team, event, batch, layout):
    client.force_login(user)
    pages = f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/"
    form = {"itemvar": batch.item_id, "sales_channel": batch.sales_channel_id, "layout": layout.pk}
    response = client.post(f"{pages}proof", form)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert client.post(f"{pages}proof", form | {"first_number": "0"})["Content-Type"] == "application/pdf"
    response = client.post(f"{pages}proof", form | {"itemvar": ""})
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    layout.layout = json.dumps([{"type": "barcodearea"}])
    layout.save()
    assert "could not be drawn" in client.post(f"{pages}proof", form).content.decode()
