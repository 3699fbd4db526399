"""What pages say about tickets on consignment, ours and the host's."""

import pytest
from pretix.base.models import Order
from pretix.multidomain.urlreverse import eventreverse

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.models import OfflineSalesBatch
from pretix_offlinesales.printing.choice import Only, choose
from tests.support.pages import alerts, errors, rows, shown, soup, words
from tests.support.sellers import make_seller

CARD = "This product is a gift card, and there is none before it is paid."
EXPIRED = (
    "1 ticket has been marked as expired: nobody is let in with it, and nobody owes what it costs. If its paper is "
    "still out, extend the payment term of its order; otherwise, return it. Show them"
)
ON_CONSIGNMENT = (
    "On consignment: the ticket is valid, and the order is paid when the seller’s statement is settled. Do not "
    "mark it as paid if the money comes through the seller, and do not give its link to anybody: whoever has it could "
    "pay or cancel the order."
)


@pytest.fixture
def batch(make):
    return make(amount=3, consignment="on")


@pytest.fixture
def order(batch):
    return batch.tickets.get(number=2).order


@pytest.fixture
def order_page(event, order):
    return f"/control/event/{event.organizer.slug}/{event.slug}/orders/{order.code}/"


def labels(response):
    return [words(label) for label in soup(response).select("#page-wrapper .label-info")]


# Asking for it


def test_it_is_asked_for_by_a_box_that_is_empty(anna, pages, filled_in, make):
    box = soup(anna.get(f"{pages}add")).select_one("[name=consignment]")
    assert (box["type"], box.get("checked")) == ("checkbox", None)
    assert [make().consignment, make(consignment="on").consignment] == [False, True]
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == ["p"] * 3 + ["n"] * 3


def test_why_it_cannot_be_is_said_at_the_box(anna, pages, item, filled_in):
    item.issue_giftcard = True
    item.save()
    values = filled_in | {"consignment": "on"}
    assert errors(anna.post(f"{pages}add", values)) == {"consignment": [CARD]}
    assert f"Consignment: {CARD}" in words(soup(anna.post(f"{pages}preview", values)))
    specimen = anna.post(f"{pages}specimen", values)
    assert specimen["Content-Type"] == "application/pdf"


def test_several_are_asked_for_together(anna, pages, event, item, quota, web, worker):
    kiosk = make_seller(event.organizer)
    values = {
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-itemvar": str(item.pk),
        "lines-0-amount": "2",
        "sales_channel": str(web.pk),
        "numbering": "on",
        "sellers": [str(kiosk.pk)],
        "consignment": "on",
    }
    seen = anna.post(f"{pages}add/several", values)
    form = soup(seen).select_one("form:has([name=confirmed])")
    with worker():
        anna.post(f"{pages}add/several", {field["name"]: field.get("value") for field in form.select("[name]")})
    batch = OfflineSalesBatch.objects.get()
    assert (batch.consignment, {ticket.order.status for ticket in batch.tickets.all()}) == (True, {"n"})

    item.issue_giftcard = True
    item.save()
    assert errors(anna.post(f"{pages}add/several", values)) == {"consignment": [f"Ticket: {CARD}"]}


def test_whoever_tries_again_asks_for_the_same(anna, pages, filled_in, quota, event):
    anna.post(f"{pages}add", filled_in | {"consignment": "on"})
    quota.size = 1
    quota.save()
    [job] = event.offline_sales_jobs.all()
    runner.run(event, job.pk)
    again = anna.get(f"{pages}add", {"again": str(job.pk)})
    assert soup(again).select_one("[name=consignment]").has_attr("checked")


# Our pages


def test_the_page_of_the_batch_and_the_list_say_it(anna, pages, make, batch):
    page = anna.get(f"{pages}{batch.pk}/")
    assert words(soup(page).h1) == f"Offline sales batch #{batch.pk} Consignment"
    assert shown(page)["Consignment"] == "Valid, but not paid before the seller has paid"
    assert [row[2] for row in rows(page)] == ["In stock"] * 3
    assert [words(label) for label in soup(page).select("td .label-success")] == ["In stock"] * 3
    other = make()
    assert [row[0] for row in rows(anna.get(pages))] == [f"#{other.pk}", f"#{batch.pk} Consignment"]
    assert (labels(anna.get(f"{pages}{other.pk}/")), "Consignment" in shown(anna.get(f"{pages}{other.pk}/"))) == (
        [],
        False,
    )


def test_what_was_marked_as_expired_is_pointed_at(anna, pages, batch, order, order_page):
    assert alerts(anna.get(f"{pages}{batch.pk}/")) == []
    anna.post(f"{order_page}transition", {"status": "e"}, follow=True)
    page = anna.get(f"{pages}{batch.pk}/")
    assert EXPIRED in alerts(page)
    link = soup(page).select_one(".alert-warning a")["href"]
    assert link == "?status=expired#offlinesales-tickets"
    found = anna.get(f"{pages}{batch.pk}/{link}")
    assert [row[:3] for row in rows(found)] == [["2", order.code, "Canceled (expired)"]]
    anna.post(f"{order_page}extend", {"expires": "2027-01-03", "valid_if_pending": "on"}, follow=True)
    order.refresh_from_db()
    assert (order.status, order.valid_if_pending, order.expires.year) == ("n", True, 2028)
    assert alerts(anna.get(f"{pages}{batch.pk}/")) == []


def test_what_was_expired_of_other_batches_is_no_matter(anna, pages, make):
    batch = make()
    Order.objects.update(status="e")
    assert alerts(anna.get(f"{pages}{batch.pk}/")) == []


def test_a_ticket_that_is_valid_is_printed_among_the_valid_ones(make, layout):
    batch = make(amount=3, consignment="on")
    Order.objects.filter(offline_sales_ticket__number=2).update(status="e")
    assert list(choose(batch, "", Only.VALID)) == [1, 3]


# The order


def test_the_page_of_the_order_says_what_not_to_do(anna, order, order_page):
    assert ON_CONSIGNMENT in alerts(anna.get(order_page))
    order.payments.create(provider="offlinesales", amount=order.total).confirm()
    page = anna.get(order_page)
    assert (ON_CONSIGNMENT in alerts(page), "Consignment" in labels(page)) == (False, True)


def test_other_orders_do_not(anna, make, event):
    order = make().tickets.first().order
    page = anna.get(f"/control/event/{event.organizer.slug}/{event.slug}/orders/{order.code}/")
    assert (ON_CONSIGNMENT in alerts(page), "Consignment" in labels(page)) == (False, False)


def test_a_customer_who_has_the_link_is_not_offered_our_provider(client, event, order):
    """What else the event takes is offered: nobody shall have the link."""
    event.enable_plugin("pretix.plugins.banktransfer")
    event.save()
    event.settings.payment_banktransfer__enabled = True
    client.logout()
    place = {"order": order.code, "secret": order.secret}
    page = client.get(eventreverse(event, "presale:event.order", kwargs=place))
    assert page.status_code == 200
    choice = client.get(eventreverse(event, "presale:event.order.pay.change", kwargs=place))
    offered = {field["value"] for field in soup(choice).select("[name=payment]")}
    assert "offlinesales" not in offered
    refused = client.post(
        eventreverse(event, "presale:event.order.pay.change", kwargs=place), {"payment": "offlinesales"}
    )
    order.refresh_from_db()
    assert (order.payments.filter(provider="offlinesales").count(), order.status) == (0, "n")
    assert refused.status_code in (200, 302)
