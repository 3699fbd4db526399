"""What the host's own tools for refunds leave in the books: no order overpaid, nothing to be settled by hand."""

from decimal import Decimal

import pytest
from pretix.base.models import GiftCard, Order
from pretix.base.services.cancelevent import cancel_event
from pretix.base.services.orders import OrderChangeManager, cancel_order

from tests.support.after_sale import report_lost, take_back
from tests.support.pages import soup, words

IN_THE_BOOKS = "Refunds are only written into the books, nobody gets money from pretix."
PLACE = "/control/event/museum/night/"


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price."""
    drink = event.items.create(name="Drink", default_price=Decimal("4.00"))
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))
    return drink


@pytest.fixture
def batches(make_batch):
    """Two, each half returned."""
    batches = [make_batch(amount=4), make_batch(amount=2)]
    for batch in batches:
        take_back(batch, f"1-{batch.amount // 2}", "unsold")
    return batches


def cancel(event, **options):
    values = {
        "subevent": None,
        "auto_refund": True,
        "keep_fee_fixed": "0.00",
        "keep_fee_per_ticket": "",
        "keep_fee_percentage": "",
    }
    result = cancel_event.apply(kwargs={"event": event.pk, **values, **options}).get()
    assert result["failed"] == 0
    return result


def overpaid(event):
    return Order.annotate_overpayments(event.orders).filter(is_overpaid=True).count()


def books(event):
    """Of each order: its status, what is in the ledger, what was paid and not refunded, and what is open."""
    return {(order.status, ledger(order), order.payment_refund_sum, order.pending_sum) for order in event.orders.all()}


@pytest.mark.parametrize("options", [{}, {"refund_as_giftcard": True}])
def test_lost_tickets_outlive_the_event_until_they_are_written_off(event, drink, make_batch, options):
    """The host cancels nothing that is blocked, whoever blocked it."""
    batch = make_batch(amount=3)
    report_lost(batch, "1")
    cancel(event, **options)
    assert [ticket.order.status for ticket in batch.tickets.order_by("number")] == ["p", "c", "c"]
    assert books(event) == {("p", Decimal("23.00"), Decimal("23.00"), 0), ("c", 0, 0, 0)}
    take_back(batch, "1", "lost")
    assert books(event) == {("c", 0, 0, 0)}
    assert (overpaid(event), GiftCard.objects.count()) == (0, 0)


def ledger(order):
    return sum((entry.price * entry.count for entry in order.transactions.all()), Decimal("0.00"))


def states(order):
    return {
        "payments": list(order.payments.values_list("provider", "state", "amount")),
        "refunds": list(order.refunds.values_list("provider", "state", "amount", "comment")),
    }


ZERO = Decimal("0.00")
PRICE = Decimal("23.00")


# Canceling the event


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, "0.00"),
        ({"keep_fee_fixed": "3.00"}, "3.00"),
        ({"keep_fee_percentage": "10.00"}, "2.30"),
        ({"keep_fee_per_ticket": "1.50"}, "1.50"),
        ({"keep_fee_fixed": "3.00", "manual_refund": True}, "3.00"),
        ({"refund_as_giftcard": True}, "0.00"),
        ({"refund_as_giftcard": True, "keep_fee_fixed": "3.00"}, "3.00"),
        ({"refund_as_giftcard": True, "auto_refund": False, "manual_refund": True}, "0.00"),
    ],
)
def test_when_the_event_is_canceled_no_order_is_overpaid(event, batches, options, kept):
    kept = Decimal(kept)
    cancel(event, **options)
    canceled = ("c", ZERO, ZERO, ZERO)
    assert books(event) == ({canceled, ("p", kept, kept, ZERO)} if kept else {canceled})
    assert overpaid(event) == 0
    order = batches[0].tickets.get(number=4).order
    assert states(order) == {
        "payments": [("offlinesales", "confirmed" if kept else "refunded", PRICE)],
        "refunds": [("offlinesales", "done", PRICE - kept, "Event canceled")],
    }
    assert GiftCard.objects.count() == 0


def test_a_fee_that_was_added_can_be_kept(event, batches):
    order = batches[0].tickets.get(number=4).order
    manager = OrderChangeManager(order, notify=False)
    fee = order.fees.model(order=order, fee_type="service", value=Decimal("2.00"))
    fee._calculate_tax()
    manager.add_fee(fee)
    manager.commit()
    order.payments.create(provider="manual", state="confirmed", amount=Decimal("2.00"))
    cancel(event, keep_fees=["service"], manual_refund=True)
    order.refresh_from_db()
    assert (order.status, order.total, order.pending_sum, ledger(order)) == ("p", 2, 0, 2)
    assert overpaid(event) == 0


@pytest.mark.parametrize("options", [{}, {"refund_as_giftcard": True}])
def test_where_the_ticket_is_blocked_only_what_is_bundled_with_it_is_canceled(event, drink, batches, options):
    """The host leaves blocked positions alone, and cancels the others by changing the order."""
    order = batches[0].tickets.get(number=4).order
    order.positions.exclude(item=drink).update(blocked=["admin"])
    cancel(event, **options)
    order.refresh_from_db()
    assert (order.status, order.total, order.pending_sum, ledger(order)) == ("p", 20, 0, 20)
    assert states(order)["refunds"] == [("offlinesales", "done", 3, "Event canceled")]
    assert (overpaid(event), GiftCard.objects.count()) == (0, 0)


def test_a_date_is_canceled_with_gift_cards(series, series_item, subevent, api, worker):
    url = "/api/v1/organizers/museum/events/tours/offlinesalesbatches/"
    wanted = {"item": series_item.pk, "subevent": subevent.pk, "amount": 2, "sales_channel": "web"}
    with worker():
        api.post(url, wanted, format="json")
    cancel(series, subevent=subevent.pk, refund_as_giftcard=True)
    assert books(series) == {("c", ZERO, ZERO, ZERO)}
    assert GiftCard.objects.count() == 0


def test_who_bought_in_the_shop_gets_the_gift_card(event, api, item, batches):
    orders = "/api/v1/organizers/museum/events/night/orders/"
    sold = {"email": "a@example.org", "locale": "en", "status": "p", "positions": [{"item": item.pk}]}
    code = api.post(orders, sold | {"payment_provider": "manual"}, format="json").data["code"]
    cancel(event, refund_as_giftcard=True)
    [card] = GiftCard.objects.all()
    assert (card.value, card.transactions.get().refund.order.code) == (PRICE, code)


def test_what_is_canceled_otherwise_is_not_refunded_unasked(event, batches):
    """Staff says then how."""
    order = batches[0].tickets.get(number=4).order
    cancel_order(order)
    order.refresh_from_db()
    assert (order.pending_sum, order.refunds.count()) == (-PRICE, 0)


def test_without_gift_cards_the_host_refunds_by_itself_and_only_once(event, batches):
    cancel(event, auto_refund=False)
    assert overpaid(event) == 3
    assert {order.refunds.count() for order in event.orders.filter(offline_sales_ticket__returned=None)} == {0}


def test_the_page_for_that_says_who_gets_no_money(client, user, team, event, batches):
    client.force_login(user)
    page = client.get(f"{PLACE}cancel/")
    said = words(soup(page).select_one("#page-wrapper .alert-warning"))
    assert said.startswith("This event has offline sales . What was paid for their tickets is only refunded in the")
    assert soup(page).select_one("#page-wrapper .alert-warning a")["href"] == f"{PLACE}offlinesales/"


def test_the_page_for_that_says_nothing_in_other_events(client, user, team, event, make_batch):
    client.force_login(user)
    assert "offline sales" not in words(soup(client.get(f"{PLACE}cancel/")).select_one("#page-wrapper"))
    make_batch()
    event.plugins = "pretix.plugins.ticketoutputpdf"
    event.save()
    assert "offline sales" not in words(soup(client.get(f"{PLACE}cancel/")).select_one("#page-wrapper"))


def test_it_can_be_canceled_on_that_page(client, user, team, event, batches):
    client.force_login(user)
    form = soup(client.get(f"{PLACE}cancel/")).select_one("form.form-horizontal")
    values = {
        field["name"]: field.get("value", field.text)
        for field in form.select("[name]")
        if field.get("type") != "checkbox"
    }
    response = client.post(f"{PLACE}cancel/", values | {"auto_refund": "on", "keep_fee_fixed": "3.00"}, follow=True)
    assert response.status_code == 200
    assert books(event) == {("c", ZERO, ZERO, ZERO), ("p", 3, 3, ZERO)}


# Refunds by hand


def test_what_is_overpaid_can_be_refunded_all_at_once(client, user, team, event, batches):
    cancel(event, auto_refund=False)
    assert overpaid(event) == 3
    client.force_login(user)
    address = f"{PLACE}orders/bulk/refund_overpaid"
    assert "nobody gets money or a gift card" in words(soup(client.post(address, {"__ALL": "on"})))
    client.post(address, {"__ALL": "on", "operation": "confirm"}, follow=True)
    assert (overpaid(event), books(event)) == (0, {("c", ZERO, ZERO, ZERO)})


def test_a_single_order_is_refunded_in_part(client, user, team, event, batches):
    order = batches[0].tickets.get(number=4).order
    payment = order.payments.get()
    client.force_login(user)
    address = f"{PLACE}orders/{order.code}/refund"
    chosen = {"start-mode": "partial", "start-partial_amount": "5.00", "start-action": "do_nothing"}
    page = client.post(address, chosen)
    row = soup(page).select_one(f"[name=refund-{payment.pk}]").find_parent("tr")
    assert (words(row.select_one(".payment-details")), page.context["remainder"]) == (IN_THE_BOOKS, 0)
    client.post(address, chosen | {f"refund-{payment.pk}": "5.00", "perform": "true", "comment": "Rain"})
    assert states(order) == {
        "payments": [("offlinesales", "confirmed", PRICE)],
        "refunds": [("offlinesales", "done", 5, "Rain")],
    }
    shown = soup(client.get(f"{PLACE}orders/{order.code}/"))
    assert words(shown).count(IN_THE_BOOKS) == 2  # at the payment, and at the refund


def test_a_single_order_is_refunded_by_hand(client, user, team, event, batches):
    """Somebody got the money from the organizer: that is no refund of ours."""
    order = batches[0].tickets.get(number=4).order
    client.force_login(user)
    client.post(
        f"{PLACE}orders/{order.code}/refund",
        {
            "start-mode": "full",
            "start-action": "mark_refunded",
            "refund-manual": "23.00",
            "manual_state": "done",
            "perform": "true",
        },
    )
    order.refresh_from_db()
    assert (order.status, order.pending_sum, ledger(order)) == ("c", 0, 0)
    assert states(order)["refunds"] == [("manual", "done", PRICE, None)]


def test_the_api_refunds_it(api, event, batches):
    order = batches[0].tickets.get(number=4).order
    address = f"/api/v1/organizers/museum/events/night/orders/{order.code}/payments/1/refund/"
    response = api.post(address, {"amount": "23.00", "mark_canceled": True}, format="json")
    order.refresh_from_db()
    assert (response.status_code, response.data["state"], order.status, order.pending_sum) == (200, "done", "c", 0)
