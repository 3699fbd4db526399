"""Delivery notes and statements."""

from decimal import Decimal
from io import BytesIO

import pypdfium2
import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from pretix.base.models import OrderFee, OrderPosition
from pretix.base.services.checkin import perform_checkin
from pretix.base.services.orders import OrderChangeManager, cancel_order

from pretix_offlinesales.documents import make
from pretix_offlinesales.documents.batch_papers import StatementPaper
from pretix_offlinesales.documents.contents import Delivery, Statement
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import OfflineSalesBatch
from pretix_offlinesales.tickets.numbers import DASH, format_numbers
from tests.support.after_sale import take_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price, and is taxed otherwise."""
    drink = event.items.create(
        name="Drink", default_price=Decimal("4.00"), tax_rule=event.tax_rules.create(name="Food", rate=Decimal("7.00"))
    )
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))
    return drink


def order(batch, number):
    return batch.tickets.get(number=number).order


def read(pdf) -> list[str]:
    """The lines of all pages."""
    pages = pypdfium2.PdfDocument(BytesIO(pdf))
    return [line.strip() for page in pages for line in page.get_textpage().get_text_range().splitlines()]


def as_text(rows) -> list[list[str]]:
    return [list(map(str, row)) for row in rows]


def title(pdf) -> str:
    return pypdfium2.PdfDocument(BytesIO(pdf)).get_metadata_value("Title")


def test_a_delivery_note_says_what_is_handed_over(make_batch):
    batch = make_batch(amount=6)
    take_back(batch, "2", "damaged")
    manager = OrderChangeManager(order(batch, 6), notify=False)
    manager.change_price(order(batch, 6).positions.get(), Decimal("10.00"))
    manager.commit()
    assert Delivery.of(batch).numbers == "1, 3–6"
    lines = read(make.delivery_note(batch))
    start = lines.index("Delivery note")
    assert lines[start : start + 13] == [
        "Delivery note",
        "Ticket",
        "Sales channel: Online shop",
        "Description Qty Price Value",
        "Ticket 4 €23.00 €92.00",
        "Ticket 1 €10.00 €10.00",
        "Total 5 €102.00",
        "Ticket numbers",
        "1, 3–6",
        "Handed over Received",
        "Place and date Place and date",
        "Name Name",
        "Signature Signature",
    ]


def test_a_statement_says_what_became_of_all_and_what_is_due(drink, make_batch):
    batch = make_batch(amount=9)
    take_back(batch, "1-2, 4", "unsold")
    take_back(batch, "9", "lost")
    cancel_order(order(batch, 5))
    assert as_text(make.statement_rows(batch)) == [
        ["Description", "Ticket numbers", "Tickets", "Net", "Tax", "Gross"],
        ["Issued", "1–9", "9", "", "", "207.00"],
        ["Returned: unsold", "1–2, 4", "3", "", "", "69.00"],
        ["Returned: lost or stolen", "9", "1", "", "", "23.00"],
        ["Returned: damaged", "", "0", "", "", "0.00"],
        ["Canceled", "5", "1", "", "", "23.00"],
        ["Lost or stolen", "", "0", "", "", "0.00"],
        ["Outstanding", "3, 6–8", "4", "", "", "92.00"],
        ["Checked in", "", "0", "", "", "0.00"],
        ["Due", "", "4", "", "", "92.00"],
        ["Due besides: returned, but let in", "", "0", "", "", "0.00"],
        ["Due, tax rate 19 %", "", "", "67.24", "12.76", "80.00"],
        ["Due, tax rate 7 %", "", "", "11.20", "0.80", "12.00"],
    ]
    text = " | ".join(read(make.statement(batch)))
    for line in ("Due 4 €92.00", "19 % €67.24 €12.76 €80.00", "Due €78.44 €13.56 €92.00", "3, 6–8"):
        assert line in text


def test_a_statement_says_which_returned_tickets_were_let_in(drink, make_batch):
    """An offline scanner knew nothing of the return, and sent its scan later: the host records it all the same."""
    batch = make_batch(amount=4)
    take_back(batch, "2-4", "unsold")
    for number in (2, 4):
        scan(batch, number, force=True)
    assert [row for row in as_text(make.statement_rows(batch)) if row[0].startswith(("Due", "Ch"))] == [
        ["Checked in", "", "2", "", "", "46.00"],
        ["Due", "", "1", "", "", "23.00"],
        ["Due besides: returned, but let in", "2, 4", "2", "", "", "46.00"],
        ["Due, tax rate 19 %", "", "", "16.81", "3.19", "20.00"],
        ["Due, tax rate 7 %", "", "", "2.80", "0.20", "3.00"],
        ["Due besides: returned, but let in, tax rate 19 %", "", "", "33.62", "6.38", "40.00"],
        ["Due besides: returned, but let in, tax rate 7 %", "", "", "5.60", "0.40", "6.00"],
    ]
    text = " | ".join(read(make.statement(batch)))
    for line in (
        "Due 1 €23.00",
        "Due besides: returned, but let in 2 €46.00",
        "Due €19.61 €3.39 €23.00",
        "Due besides: returned, but let in €39.22 €6.78 €46.00",
        "Due besides: returned, but let in | 2, 4",
    ):
        assert line in text


def scan(batch, number, **options):
    """At the door, by the host."""
    checkin_list, _new = batch.event.checkin_lists.get_or_create(name="Door", all_products=True)
    position = order(batch, number).positions.get(positionid=1)
    perform_checkin(position, checkin_list, {}, **options)


def test_taxes_are_those_that_the_host_has_stored(event, drink, make_batch, tax_rule):
    """However they came about: here a price of which a part is rounded, and a fee."""
    batch = make_batch(amount=4)
    take_back(batch, "4", "lost")
    take_back(batch, "3", "unsold")
    manager = OrderChangeManager(order(batch, 1), notify=False)
    manager.change_price(order(batch, 1).positions.get(addon_to=None), Decimal("19.99"))
    fee = OrderFee(fee_type=OrderFee.FEE_TYPE_OTHER, value=Decimal("1.11"), tax_rule=tax_rule)
    fee.order = order(batch, 1)
    fee._calculate_tax()
    manager.add_fee(fee)
    manager.commit()
    due = [order(batch, number) for number in (1, 2)]
    positions = OrderPosition.objects.filter(order__in=due).aggregate(gross=Sum("price"), tax=Sum("tax_value"))
    fees = OrderFee.objects.filter(order__in=due).aggregate(gross=Sum("value"), tax=Sum("tax_value"))
    statement = Statement.of(batch)
    assert sum(tax.tax for tax in statement.taxes) == positions["tax"] + fees["tax"]
    assert sum(tax.gross for tax in statement.taxes) == positions["gross"] + fees["gross"]
    assert statement.figures.due.value == sum(tax.gross for tax in statement.taxes) == sum(o.total for o in due)


def test_tax_codes_are_told_apart(tax_rule, make_batch):
    tax_rule.code = "S/standard"
    tax_rule.save()
    batch = make_batch(amount=2)
    OrderPosition.objects.filter(order=order(batch, 1)).update(tax_code="S/reduced")
    assert sorted((tax.code, tax.gross) for tax in Statement.of(batch).taxes) == [
        ("S/reduced", Decimal("23.00")),
        ("S/standard", Decimal("23.00")),
    ]
    assert Statement.of(batch).taxes[0].label.startswith("19 % (")


@pytest.mark.parametrize("draw", [make.delivery_note, make.statement])
def test_the_letterhead_is_that_of_the_hosts_invoices(event, make_batch, draw):
    event.settings.set("invoice_address_from_name", "Museum gGmbH <b>")
    event.settings.set("invoice_address_from", "Uferweg 3")
    event.settings.set("invoice_address_from_zipcode", "20457")
    event.settings.set("invoice_address_from_city", "Hamburg")
    event.settings.set("invoice_address_from_country", "DE")
    event.settings.set("invoice_address_from_vat_id", "DE123456789")
    event.settings.set("invoice_footer_text", "Registered in Hamburg")
    batch = make_batch(amount=1)
    lines = read(draw(batch))
    for line in ("Museum gGmbH <b>", "Uferweg 3", "20457 Hamburg", "Germany", "VAT-ID: DE123456789"):
        assert line in lines
    for line in ("Registered in Hamburg", "Long Night", "May 8, 2027", f"#{batch.pk}", "Page 1 of 1"):
        assert line in lines


def test_without_an_address_it_is_the_organizers_name(make_batch):
    assert read(make.delivery_note(make_batch(amount=1)))[0] == "Museum Trust Long Night"


def test_they_speak_the_language_of_the_event_whoever_asks(event, make_batch):
    event.settings.locales, event.settings.locale = ["de", "en"], "de"
    event.settings.region = "DE"
    batch = make_batch(amount=2)
    lines = read(make.statement(batch))
    assert "19 % 38,66 € 7,34 € 46,00 €" in lines
    assert "Seite 1 von 1" in lines


def test_they_say_what_is_only_a_test_and_when_it_is(series, series_item, subevent, item, quota, make_batch, web):
    test = make_batch(amount=1, testmode=True)
    assert "TEST MODE" in read(make.delivery_note(test))
    assert "TEST MODE" in read(make.statement(test))
    batch = OfflineSalesBatch(event=series, item=series_item, subevent=subevent, amount=2, sales_channel=web)
    job = ISSUE.create(series, IssueRequest.of(batch), {})
    runner.run(series, job.pk)
    job.refresh_from_db()
    lines = read(make.delivery_note(job.batch))
    assert "Morning – Sat, May 8, 2027 08:00" in lines
    assert "TEST MODE" not in lines


def test_long_lists_and_names_go_on_on_the_next_page(event, item, quota, make_batch):
    item.name = "A very long name, " * 30
    item.save()
    quota.size = None
    quota.save()
    batch = make_batch(amount=3)
    statement = Statement.of(batch)
    statement.numbers["issued"] = format_numbers(range(1_000_001, 1_010_001, 2), DASH)
    paper = StatementPaper(batch.event, statement)
    output = BytesIO()
    paper.build(output)
    text = "".join(read(output.getvalue())).replace(" ", "")
    assert text.count("1000001,") == text.count("1009997,") == 1
    pages = len(pypdfium2.PdfDocument(output))
    assert pages > 5
    assert f"Page{pages}of{pages}" in text
    assert title(output.getvalue()) == f"Batch statement, Offline sales batch #{batch.pk}"


@pytest.mark.parametrize("amount", range(0, 300, 10))
def test_numbers_do_not_go_on_without_their_label(make_batch, amount):
    """Wherever the page ends."""
    batch = make_batch(amount=2)
    statement = Statement.of(batch)
    statement.numbers["unsold"] = ", ".join(map(str, range(1_000_001, 1_000_001 + 2 * amount, 2)))
    output = BytesIO()
    StatementPaper(batch.event, statement).build(output)
    for page in pypdfium2.PdfDocument(output):
        # After the lines of text comes what the host writes at the bottom.
        lines = [line.strip() for line in page.get_textpage().get_text_range().splitlines()]
        text = [line for line in lines if line and not line.startswith(("Page ", "Batch statement, Offline"))]
        assert text[-1] not in ("Issued", "Returned: unsold", "Outstanding")


def test_without_anything_left_they_say_so(make_batch):
    batch = make_batch(amount=2)
    take_back(batch, "1-2", "unsold")
    assert "Total 0 €0.00" in read(make.delivery_note(batch))
    assert "Due 0 €0.00" in read(make.statement(batch))


@pytest.mark.parametrize("draw", [make.delivery_note, make.statement, make.statement_rows])
def test_no_query_for_each_ticket(make_batch, draw):
    def queries(amount):
        batch = make_batch(amount=amount)
        with CaptureQueriesContext(connection) as captured:
            draw(OfflineSalesBatch.objects.get(pk=batch.pk))
        return len([query for query in captured if "settingsstore" not in query["sql"]])

    assert queries(12) == queries(2)


def test_they_are_downloads_that_nobody_keeps(client, user, team, make_batch):
    batch = make_batch(amount=2)
    client.force_login(user)
    page = f"/control/event/museum/night/offlinesales/{batch.pk}/"
    for name, content_type, filename in (
        ("delivery.pdf", "application/pdf", "delivery.pdf"),
        ("statement.pdf", "application/pdf", "statement.pdf"),
        ("statement.csv", "text/csv; charset=utf-8", "statement.csv"),
    ):
        response = client.get(page + name)
        assert (response.status_code, response["Content-Type"]) == (200, content_type)
        assert response["Content-Disposition"] == f'attachment; filename="night-offlinesales-{batch.pk}-{filename}"'
        assert response["Cache-Control"] == "private, no-store"
        assert f'href="{page}{name}"' in client.get(page).content.decode()
