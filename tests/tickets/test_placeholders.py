"""What layouts say of tickets that is not written in their orders."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.tickets import placeholders
from pretix_offlinesales.tickets.placeholders import text_variables
from tests.support.layouts import text
from tests.support.pdf import extracted_text
from tests.support.printing import printed
from tests.support.sellers import handed_over, make_seller


@pytest.mark.django_db
def test_tickets_say_who_holds_them_when_they_are_printed(event, organizer, make_batch):
    said = text(text="{offlinesales_number} {offlinesales_seller}.")
    layout = event.ticket_layouts.create(name="Says it", layout=json.dumps([said]))
    batch = make_batch(amount=4, layout=layout.pk)
    handed_over(batch, make_seller(organizer, "Kiosk"), "1-3")
    handed_over(batch, make_seller(organizer, "Bookshop"), "2")
    assert [page.strip() for page in extracted_text(printed(batch))] == ["1 Kiosk.", "2 Bookshop.", "3 Kiosk.", "4 ."]
    handed_over(batch, None, "1")
    assert extracted_text(printed(batch))[0].strip() == "1 ."


@pytest.mark.django_db
@pytest.mark.parametrize(("size", "queries"), [(1_000, 1), (2, 3)])
def test_sellers_are_looked_up_for_many_at_once(event, organizer, make_batch, monkeypatch, size, queries):
    monkeypatch.setattr(placeholders, "GROUP", size)
    batch = make_batch(amount=5)
    handed_over(batch, make_seller(organizer, "Kiosk"), "2-5")
    orders = [ticket.order for ticket in batch.tickets.select_related("order")]
    with CaptureQueriesContext(connection) as captured:
        seller = text_variables(event)["offlinesales_seller"]["evaluate"]
        assert [seller(None, order, event) for order in orders] == ["", *["Kiosk"] * 4]
    assert len(captured) == queries
