"""Statements of sellers as files for other programs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override

from pretix_offlinesales.documents.statement_files import content, rows
from pretix_offlinesales.documents.statements import SellerStatement
from pretix_offlinesales.downloads import statement_csv, statement_json
from tests.support.after_sale import take_back
from tests.support.sellers import make_seller
from tests.support.statements import sell, state

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, "Kiosk", identifier="K-17", commission_percent=10, commission_tax_rate=19)


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price, and is taxed otherwise."""
    drink = event.items.create(
        name="Drink", default_price=Decimal("4.00"), tax_rule=event.tax_rules.create(name="Food", rate=Decimal("7.00"))
    )
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))


def dated(document):
    """As if it had been made in the night to May 10, 2027, which is its date at home."""
    statement = SellerStatement.from_json(document.snapshot)
    letter = replace(statement.letter, moment=datetime(2027, 5, 9, 23, tzinfo=UTC))
    document.snapshot = replace(statement, letter=letter).to_json()
    return document


def test_a_table_has_a_row_for_each_tax_rate_and_each_commission(event, drink, kiosk, make_batch):
    batch = make_batch(amount=5)
    sell(batch, kiosk, "1-4")
    state(kiosk, event)
    take_back(batch, "1", "unsold")
    kiosk.commission_invoiced_by, kiosk.commission_tax_rate, kiosk.commission_tax_text = "seller", None, "Small"
    kiosk.save()
    sell(batch, kiosk, "5")
    document = dated(state(kiosk, event).document)
    header, *found = rows(document)
    assert header == [
        *("Statement", "Self-billing invoice", "Date", "Seller", "Seller number", "Line", "Type", "Event"),
        *("Short form", "Product", "Date", "Ticket numbers", "Terms", "Tickets", "Price"),
        *("Tax rate", "Net", "Tax", "Gross", "Currency"),
    ]
    ticket, terms = ["Long Night", "night", "Ticket", ""], "10 % of the gross price"
    expected = [
        ["", 1, "Sale", *ticket, f"#{batch.pk}: 5", terms, 1, "23.00", "19.00", "16.81", "3.19", "20.00"],
        ["", 1, "Sale", *ticket, f"#{batch.pk}: 5", terms, "", "", "7.00", "2.80", "0.20", "3.00"],
        ["", 2, "Credit", *ticket, f"#{batch.pk}: 1", terms, -1, "23.00", "19.00", "-16.81", "-3.19", "-20.00"],
        ["", 2, "Credit", *ticket, f"#{batch.pk}: 1", terms, "", "", "7.00", "-2.80", "-0.20", "-3.00"],
        [2, 3, "Commission", *[""] * 5, f"Commission: {terms}", "", "", "19.00", "2.30", "0.44", "2.74"],
        ["", 4, "Commission", *[""] * 5, f"Commission: {terms}; Small", "", "", "", "-2.30", "0.00", "-2.30"],
    ]
    assert [list(map(str, row)) for row in found] == [
        list(map(str, [2, invoice, "2027-05-10", "Kiosk", "K-17", *row, "EUR"])) for invoice, *row in expected
    ]


def test_what_it_says_adds_up_to_what_is_due(event, drink, kiosk, make_batch):
    batch = make_batch(amount=7)
    sell(batch, kiosk, "1-5")
    state(kiosk, event)
    take_back(batch, "2-3", "lost")
    sell(batch, kiosk, "6-7")
    statement = state(kiosk, event)
    header, *found = rows(statement.document)
    sums = [dict(zip(header, row, strict=True)) for row in found]
    assert sum(row["Gross"] for row in sums) == statement.due
    assert all(row["Net"] + row["Tax"] == row["Gross"] for row in sums)
    assert sum(row["Tickets"] or 0 for row in sums) == 0


def test_it_is_said_in_the_language_of_the_event_whoever_asks(event, kiosk, make_batch):
    event.settings.locales, event.settings.locale = ["de", "en"], "de"
    sell(make_batch(amount=3), kiosk, "1-2")
    document = state(kiosk, event).document
    with override("en"):
        assert rows(document)[0][2] == "Datum"


def test_json_is_what_the_document_says(event, kiosk, make_batch):
    sell(make_batch(amount=3), kiosk, "1-2")
    document = state(kiosk, event).document
    assert content(document) == {"id": document.pk, "number": 1, "kind": "statement"} | document.snapshot
    response = statement_json(document)
    assert response["Content-Disposition"] == 'attachment; filename="museum-offlinesales-statement-1.json"'
    assert response["Cache-Control"] == "private, no-store"
    assert '"gross": "46.00"' in response.content.decode()


def test_names_are_no_formulas_in_a_csv_file(event, item, kiosk, make_batch):
    kiosk.name, item.name = "=1+1", "@SUM(A1)"
    kiosk.save(), item.save()
    sell(make_batch(amount=3), kiosk, "1-2")
    response = statement_csv(state(kiosk, event).document)
    first = response.content.decode().splitlines()[1]
    assert '"\'=1+1"' in first
    assert '"\'@SUM(A1)"' in first
    assert ',2,23.00,19.00,38.66,7.34,46.00,"EUR"' in first
    assert response["Content-Disposition"] == 'attachment; filename="museum-offlinesales-statement-1.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
