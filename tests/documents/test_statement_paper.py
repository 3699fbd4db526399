"""Statements of sellers on paper."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pypdfium2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import override
from pretix.base.models import Event

from pretix_offlinesales.documents.statement_paper import SellerStatementPaper
from pretix_offlinesales.documents.statements import SellerStatement
from pretix_offlinesales.models import OfflineSalesBatch
from tests.support.after_sale import take_back
from tests.support.pdf import boxes, complaints, extracted_text, fonts_not_in
from tests.support.sellers import make_seller
from tests.support.statements import said, sell, state

pytestmark = pytest.mark.django_db

NUMBER = 7


@pytest.fixture
def kiosk(organizer):
    return make_seller(
        organizer,
        "Kiosk at the harbour",
        identifier="K-17",
        contact="Ann Smith",
        address="Quay 1\n20457 Hamburg",
        vat_id="DE987654321",
        commission_percent=10,
        commission_tax_rate=19,
    )


@pytest.fixture
def museum(event):
    """An organizer who has said who she is, and where money is to be paid to."""
    for name, value in {
        "invoice_address_from_name": "Museum gGmbH",
        "invoice_address_from": "Uferweg 3",
        "invoice_address_from_zipcode": "20457",
        "invoice_address_from_city": "Hamburg",
        "invoice_address_from_country": "DE",
        "invoice_address_from_vat_id": "DE123456789",
        "payment_banktransfer_bank_details_type": "sepa",
        "payment_banktransfer_bank_details_sepa_name": "Museum gGmbH",
        "payment_banktransfer_bank_details_sepa_iban": "DE02120300000000202051",
    }.items():
        event.settings.set(name, value)
    return event


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price, and is taxed otherwise."""
    drink = event.items.create(
        name="Drink", default_price=Decimal("4.00"), tax_rule=event.tax_rules.create(name="Food", rate=Decimal("7.00"))
    )
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))


def of_may(statement):
    """As it would have been made on May 10, 2027."""
    letter = replace(statement.letter, moment=datetime(2027, 5, 10, 8, tzinfo=UTC))
    since, until = datetime(2027, 4, 1, 10, tzinfo=UTC), datetime(2027, 5, 9, 21, 59, tzinfo=UTC)
    pay_until = statement.pay_until and date(2027, 5, 24)
    return replace(statement, letter=letter, since=statement.since and since, until=until, pay_until=pay_until)


def drawn(looks, statement) -> bytes:
    return SellerStatementPaper(looks, "statement", NUMBER, statement).drawn()


def lines_of(looks, statement) -> list[str]:
    """Of all pages."""
    # Other objects of the event know its settings as they were.
    pdf = drawn(Event.objects.get(pk=looks.pk) if isinstance(looks, Event) else looks, statement)
    return [line.strip() for page in extracted_text(pdf) for line in page.splitlines()]


def between(lines, first, last):
    start = lines.index(first)
    return lines[start : lines.index(last, start)]


def test_it_says_what_was_sold_what_the_seller_keeps_and_what_is_to_be_paid(museum, kiosk, make_batch):
    batch = make_batch(amount=6)
    sell(batch, kiosk, "1-3, 5")
    lines = lines_of(museum, of_may(said(state(kiosk, museum))))
    assert {"Kiosk at the harbour", "Ann Smith", "Quay 1", "20457 Hamburg", "VAT-ID: DE987654321"} <= set(lines)
    assert {"Museum gGmbH", "Uferweg 3", "VAT-ID: DE123456789", "May 10, 2027", "K-17"} <= set(lines)
    assert [(label, value) for label, value in pairwise(lines) if label in ("SALES UNTIL", "SELF-BILLING INVOICE")] == [
        ("SALES UNTIL", "May 9, 2027 23:59"),
        ("SELF-BILLING INVOICE", "1"),
    ]
    assert lines[lines.index("Statement 7") :] == [
        "Statement 7",
        "Tickets that were sold",
        "Description Qty Price Tax rate Net Tax Gross",
        "Ticket",
        f"#{batch.pk}: 1–3, 5",
        "Commission: 10 % of the gross price",
        "4 €23.00 19 % €77.32 €14.68 €92.00",
        "Total 4 €77.32 €14.68 €92.00",
        "Self-billing invoice 1",
        "Sale of tickets on commission by Kiosk at the harbour for Museum gGmbH: April 1, 2027 to May 9, 2027",
        "Description Qty Value Tax rate Net Tax Gross",
        "Commission: 10 % of the gross price 4 €92.00 19 % €9.20 €1.75 €10.95",
        "Total €9.20 €1.75 €10.95",
        "What is due",
        "Value",
        "Tickets €92.00",
        "Commission -€9.20",
        "Tax on the commission -€1.75",
        "Due €81.05",
        "Please pay €81.05 until May 24, 2027.",
        "Account holder: Museum gGmbH",
        "IBAN: DE02 1203 0000 0000 2020 51",
        "Reference: Statement 7",
        "Page 1 of 1",
    ]


def test_what_came_back_is_in_a_section_of_its_own(museum, kiosk, make_batch):
    batch = make_batch(amount=6)
    sell(batch, kiosk, "1-5")
    state(kiosk, museum)
    take_back(batch, "1-2", "unsold")
    lines = lines_of(museum, of_may(said(state(kiosk, museum))))
    assert lines[lines.index("Statement 7") :] == [
        "Statement 7",
        "Credits: tickets that came back since they were stated",
        "Description Qty Price Tax rate Net Tax Gross",
        "Ticket",
        f"#{batch.pk}: 1–2",
        "Commission: 10 % of the gross price",
        "-2 €23.00 19 % -€38.66 -€7.34 -€46.00",
        "Total -2 -€38.66 -€7.34 -€46.00",
        "Self-billing invoice 2",
        "Sale of tickets on commission by Kiosk at the harbour for Museum gGmbH: until May 9, 2027",
        "Description Qty Value Tax rate Net Tax Gross",
        "Commission: 10 % of the gross price -2 -€46.00 19 % -€4.60 -€0.88 -€5.48",
        "Total -€4.60 -€0.88 -€5.48",
        "What is due",
        "Value",
        "Tickets -€46.00",
        "Commission €4.60",
        "Tax on the commission €0.88",
        "Due -€40.52",
        "€40.52 is credited to the seller: it is set against what is open, and what is left is paid back.",
        "Page 1 of 1",
    ]


def test_several_tax_rates_of_a_ticket_add_up(museum, drink, kiosk, make_batch):
    sell(make_batch(amount=6), kiosk, "1-4")
    lines = lines_of(museum, said(state(kiosk, museum)))
    ticket = between(lines, "Ticket", "Total by tax rate")
    for sums in (("€78.44", "€13.56", "€92.00"), ("€67.24", "€12.76", "€80.00"), ("€11.20", "€0.80", "€12.00")):
        assert all(any(each in line for line in ticket) for each in sums)
    assert between(lines, "Total by tax rate", "Self-billing invoice 1") == [
        "Total by tax rate",
        "Tax rate Net Tax Gross",
        "19 % €67.24 €12.76 €80.00",
        "7 % €11.20 €0.80 €12.00",
        "Total €78.44 €13.56 €92.00",
    ]


def test_several_events_are_told_apart(museum, organizer, series, subevent, series_item, kiosk, make_batch, issued):
    sell(make_batch(amount=3), kiosk, "1-2")
    tours = issued(series, series_item, subevent=subevent).batch
    sell(tours, kiosk, "1-3")
    statement = said(state(kiosk, series, museum))
    lines = lines_of(organizer, statement)
    assert {"Tickets that were sold – Long Night", "Tickets that were sold – Guided tours"} <= set(lines)
    tour = between(lines, "Tickets that were sold – Guided tours", "Total by tax rate")
    assert {series_item.name, tours.date, f"#{tours.pk}: 1–3"} <= set(map(str, tour))
    assert "EVENT" not in lines
    assert "Museum Trust" in lines[0]


def test_the_sellers_own_invoice_is_no_part_of_it(museum, organizer, make_batch):
    bookshop = make_seller(organizer, "Bookshop", commission_fixed=1, commission_invoiced_by="seller")
    sell(make_batch(amount=3), bookshop, "1-2")
    lines = lines_of(museum, said(state(bookshop, museum)))
    assert not [line for line in lines if "self-billing" in line.lower()]
    assert between(lines, "Commission that the seller invoices", "What is due") == [
        "Commission that the seller invoices",
        "The seller writes the invoice about this commission.",
        "Description Qty Value Tax rate Net Tax Gross",
        "Commission: €1.00 per ticket",
        "The commission is not taxed.",
        "2 €46.00 €2.00 €0.00 €2.00",
        "Total €2.00 €0.00 €2.00",
    ]


def test_both_kinds_of_commission_are_on_one_statement(museum, kiosk, make_batch):
    """Terms are those of the hand-over."""
    batch = make_batch(amount=4)
    sell(batch, kiosk, "1-2")
    kiosk.commission_invoiced_by, kiosk.commission_percent = "seller", Decimal("5.00")
    kiosk.save()
    sell(batch, kiosk, "3-4")
    statement = said(state(kiosk, museum))
    lines = lines_of(museum, statement)
    invoice = between(lines, "Self-billing invoice 1", "Commission that the seller invoices")
    assert invoice[-1] == "Total €4.60 €0.87 €5.47"
    assert between(lines, "Commission that the seller invoices", "What is due")[-1] == "Total €2.30 €0.44 €2.74"
    assert "Commission -€6.90" in lines
    assert len([line for line in statement.commissions if line.is_by_organizer]) == 1


def test_a_small_business_says_why_there_is_no_tax(museum, organizer, make_batch):
    why = "No VAT is charged: small business."
    seller = make_seller(organizer, "Club", commission_percent=10, commission_tax_text=why)
    sell(make_batch(amount=3), seller, "1-2")
    lines = lines_of(museum, said(state(seller, museum)))
    assert between(lines, "Self-billing invoice 1", "What is due")[-4:] == [
        "Commission: 10 % of the gross price",
        why,
        "2 €46.00 €4.60 €0.00 €4.60",
        "Total €4.60 €0.00 €4.60",
    ]


def test_without_a_commission_nothing_is_said_of_one(event, organizer, make_batch):
    seller = make_seller(organizer, "Club")
    sell(make_batch(amount=3), seller, "1-2")
    lines = lines_of(event, of_may(said(state(seller, event))))
    assert lines[lines.index("What is due") :] == [
        "What is due",
        "Value",
        "Tickets €46.00",
        "Due €46.00",
        "Please pay €46.00 until May 24, 2027.",
        "Reference: Statement 7",
        "Page 1 of 1",
    ]


def test_if_nothing_is_left_nothing_is_to_be_paid(event, organizer, make_batch):
    seller = make_seller(organizer, "Club")
    batch = make_batch(amount=4)
    sell(batch, seller, "1-2")
    state(seller, event)
    take_back(batch, "1-2", "unsold")
    sell(batch, seller, "3-4")
    lines = lines_of(event, said(state(seller, event)))
    assert lines[-3:] == ["Due €0.00", "Nothing is to be paid.", "Page 1 of 1"]


@pytest.mark.parametrize(
    ("values", "lacks"),
    [
        ({"vat_id": ""}, True),
        ({}, False),
        ({"vat_id": "", "commission_tax_rate": None}, False),
        ({"vat_id": "", "commission_invoiced_by": "seller"}, False),
    ],
)
def test_an_invoice_with_tax_needs_the_sellers_vat_id(event, kiosk, make_batch, values, lacks):
    for name, value in values.items():
        setattr(kiosk, name, value)
    kiosk.save()
    sell(make_batch(amount=3), kiosk, "1-2")
    statement = said(state(kiosk, event))
    assert statement.lacks_vat_id is lacks
    assert not replace(statement, seller=statement.seller.forgotten(kiosk.pk)).lacks_vat_id


def test_it_speaks_the_language_of_the_event_whoever_asks(museum, kiosk, make_batch):
    museum.settings.locales, museum.settings.locale, museum.settings.region = ["de", "en"], "de", "DE"
    sell(make_batch(amount=3), kiosk, "1-2")
    lines = lines_of(museum, of_may(said(state(kiosk, museum))))
    assert {"9. Mai 2027 23:59", "Abrechnung 7", "Seite 1 von 1"} <= set(lines)
    assert "2 23,00 € 19 % 38,66 € 7,34 € 46,00 €" in [line.replace("\xa0", " ") for line in lines]


def test_it_comes_back_from_json_and_is_drawn_as_it_was(museum, organizer, item, drink, kiosk, make_batch):
    batch = make_batch(amount=4)
    sell(batch, kiosk, "1-3")
    document = state(kiosk, museum).document
    statement = SellerStatement.from_json(document.snapshot)
    assert json.loads(json.dumps(statement.to_json())) == document.snapshot
    before = lines_of(museum, statement)

    item.name, kiosk.name, museum.name = "Pass", "Somebody else", "Short Day"
    item.save(), kiosk.save(), museum.save()
    for name in ("invoice_address_from_name", "payment_banktransfer_bank_details_sepa_iban"):
        museum.settings.delete(name)
    museum.settings.set("timezone", "Asia/Tokyo")
    museum.settings.set("locales", ["de"])
    museum.settings.set("locale", "de")
    take_back(batch, "1", "lost")
    OfflineSalesBatch.objects.filter(pk=batch.pk).update(comment="Gone")
    with override("America/New_York"), CaptureQueriesContext(connection) as captured:
        assert lines_of(museum, SellerStatement.from_json(document.snapshot)) == before
    asked = [query["sql"].lower().partition(" from ")[2] for query in captured]
    assert [sql for sql in asked if "offlinesales" in sql or "order" in sql.partition(" where ")[0]] == []


def with_lines(statement, **values):
    return replace(statement, lines=tuple(replace(line, **values) for line in statement.lines))


def test_any_number_of_ranges_takes_as_many_pages_as_it_needs(event, kiosk, make_batch):
    sell(make_batch(amount=3), kiosk, "1-2")
    ranges = "#3: " + ", ".join(f"{first}–{first + 2}" for first in range(1, 30_000, 10))
    statement = with_lines(said(state(kiosk, event)), numbers=(ranges, "#4: 1"))
    pdf = drawn(event, statement)
    text = " ".join(line.strip() for page in extracted_text(pdf) for line in page.splitlines())
    assert "Ticket see below" in text
    assert "Long Night – Ticket – €23.00 #3: 1–3, 11–13," in text
    assert text.count("29991–29993") == 1
    assert "29991–29993 #4: 1" in text
    pages = len(pypdfium2.PdfDocument(pdf))
    assert pages > 5
    assert f"Page {pages} of {pages}" in text
    assert complaints(pdf) == {}


@pytest.mark.parametrize("price", ["23.00", "12345.00"])
@pytest.mark.parametrize("locale", ["en", "de"])
def test_numbers_are_not_broken_however_long_they_are(event, kiosk, make_batch, price, locale):
    event.settings.locales, event.settings.locale, event.settings.region = ["en", "de"], locale, "DE"
    sell(make_batch(amount=3), kiosk, "1-2")
    statement = said(state(kiosk, event))
    [line] = statement.lines
    gross = 99 * Decimal(price)
    tax = replace(line.taxes[0], gross=gross, net=gross, tax=gross)
    line = replace(line, price=Decimal(price), count=99, gross=gross, net=gross, tax=gross, taxes=(tax,))
    paper = SellerStatementPaper(event, "statement", NUMBER, replace(statement, lines=(line, line)))
    with statement.letter.spoken:
        sums = [paper.money(gross).replace("\xa0", " ")] * 3
    lines = [each.replace("\xa0", " ") for each in lines_of(event, paper.statement)]
    assert len([each for each in lines if " ".join(sums) in each]) == 2


def test_names_in_all_scripts_are_drawn_in_fonts_that_are_in_the_file(event, kiosk, make_batch):
    kiosk.name, kiosk.contact, kiosk.address = "مكتبة الميناء", "Ελένη Παπαδοπούλου", "Набережна 5"
    kiosk.vat_id = ""
    kiosk.save()
    sell(make_batch(amount=3), kiosk, "1-2")
    statement = with_lines(said(state(kiosk, event)), product="Εισιτήριο " * 30, subevent="יום ו׳", event="Ноч")
    pdf = drawn(event, replace(statement, letter=replace(statement.letter, event="")))
    assert fonts_not_in(pdf) == set()
    assert boxes(pdf) == 0
    assert complaints(pdf) == {}
    text = " ".join(" ".join(page.split()) for page in extracted_text(pdf))
    for word in ("Ελένη Παπαδοπούλου", "Набережна 5", "Εισιτήριο", "Ноч"):
        assert word in text
