"""Statements of sellers and what they have paid, in the API."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import example, given, strategies as st
from pretix.base.models import Event, LogEntry, Organizer

from pretix_offlinesales.models import Document, Seller, SellerPayment, Statement
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.statements import make
from tests.support.after_sale import take_back
from tests.support.sellers import NOBODY, handed_over, make_seller

from .test_fuzz import DEEP, anything, fast, text


@pytest.fixture
def statements(organizer):
    """Their address."""
    return f"/api/v1/organizers/{organizer.slug}/offlinesalesstatements/"


@pytest.fixture
def payments(organizer):
    """Their address."""
    return f"/api/v1/organizers/{organizer.slug}/offlinesalespayments/"


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, commission_percent=10, commission_tax_rate=19)


@pytest.fixture
def state(api, statements, kiosk):
    return lambda **values: api.post(statements, {"seller": kiosk.pk} | values, format="json")


@pytest.fixture
def pay(api, payments):
    """``pay(statement, "10.00")``: on some day, if nothing else is said."""

    def pay(statement, amount, **values):
        values = {"statement": statement, "amount": amount, "date": "2026-07-01"} | values
        return api.post(payments, values, format="json")

    return pay


def sell(batch, seller, numbers, **values):
    """Hand over and declare as sold."""
    handed_over(batch, seller, numbers)
    batch.tickets.filter(seller=seller, sold=None).update(**({"sold": now()} | values))


@pytest.fixture
def sold(make_batch, kiosk):
    """Four tickets of ten that the kiosk has sold."""
    batch = make_batch(amount=10)
    sell(batch, kiosk, "1-3, 5")
    return batch


SUMS = {
    "currency": "EUR",
    "total": "92.00",
    "commission": "9.20",
    "commission_tax": "1.75",
    "due": "81.05",
    "paid": "0.00",
    "settled": False,
}

CONTENTS = {
    "taxes": [{"rate": "19.00", "gross": "92.00", "net": "77.32", "tax": "14.68"}],
    "commissions": [
        {
            "rate": "10 %",
            "count": 4,
            "gross": "92.00",
            "commission": "9.20",
            "tax_rate": "19.00",
            "tax": "1.75",
            "tax_text": "",
            "invoiced_by": "organizer",
        }
    ],
}


def line(batch):
    return {
        "event": "night",
        "item": batch.item_id,
        "variation": None,
        "subevent": None,
        "product": "Ticket",
        "tickets": {str(batch.pk): "1-3, 5"},
        "price": "23.00",
        "tax_rate": "19.00",
        "count": 4,
        "gross": "92.00",
        "net": "77.32",
        "tax": "14.68",
        "taxes": CONTENTS["taxes"],
        "rate": "10 %",
    }


def test_a_statement_with_all_that_it_says(api, statements, state, sold, kiosk, organizer, token):
    before = now()
    made = state()
    statement = Statement.objects.get(seller=kiosk)
    assert before <= statement.until <= now()
    moments = {
        name: moment.isoformat().replace("+00:00", "Z")
        for name, moment in (("until", statement.until), ("created", statement.document.created))
    }
    today = now().astimezone(ZoneInfo("Europe/Berlin")).date()
    shown = {
        "id": statement.pk,
        "number": 1,
        "seller": kiosk.pk,
        **SUMS,
        **moments,
        "events": ["night"],
        "pay_until": (today + timedelta(days=14)).isoformat(),
        "invoice_number": 1,
    }
    in_full = shown | {"lines": [line(sold)]} | CONTENTS
    assert (made.status_code, made.json()) == (201, in_full)
    assert api.get(f"{statements}{statement.pk}/").json() == in_full
    assert api.get(statements).json() == {"count": 1, "next": None, "previous": None, "results": [shown]}
    assert list(made.json()) == [
        *("id", "number", "seller", "currency", "until", "total", "commission", "commission_tax", "due", "paid"),
        *("settled", "events", "created", "pay_until", "invoice_number", "lines", "taxes", "commissions"),
    ]
    entry = LogEntry.objects.get(action_type="pretix_offlinesales.seller.stated")
    assert (entry.api_token, entry.organizer, statement.document.api_token) == (token, organizer, token)
