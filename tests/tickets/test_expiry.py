"""Paper on consignment outlives whatever the host computes, and whatever staff marks as overdue."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import Order
from pretix.base.services.orders import (
    OrderChangeManager,
    _cancel_order,
    approve_order,
    expire_orders,
    extend_order,
    reactivate_order,
    send_download_reminders,
    send_expiry_warnings,
)

from pretix_offlinesales.signals import let_nothing_expire
from pretix_offlinesales.tickets import expiry
from pretix_offlinesales.tickets.expiry import keep_all_valid
from tests.support.pages import soup, words

pytestmark = pytest.mark.django_db

#: A year after the event.
YEAR_LATER = datetime(2028, 5, 8, 18, 0, tzinfo=UTC)
#: When the host would have it paid by itself.
SOON = datetime(2027, 1, 3, tzinfo=UTC)


@pytest.fixture
def batch(make_batch):
    return make_batch(amount=2, consignment=True)


@pytest.fixture
def order(batch):
    return batch.tickets.get(number=1).order


@pytest.fixture
def issue_in_series(api, series, subevent, series_item, worker):
    def issue_in_series(**values):
        wanted = {"item": series_item.pk, "subevent": subevent.pk, "amount": 1, "sales_channel": "web"}
        with worker():
            api.post(
                "/api/v1/organizers/museum/events/tours/offlinesalesbatches/",
                {**wanted, "consignment": True, **values},
                format="json",
            )
        return series.offline_sales_batches.last().tickets.get().order

    return issue_in_series


def expires(order):
    return Order.objects.get(pk=order.pk).expires


def let_expire(order, moment=SOON):
    Order.objects.filter(pk=order.pk).update(expires=moment)
    order.refresh_from_db()


def reactivated(order):
    _cancel_order(order.pk, send_mail=False)
    order.refresh_from_db()
    reactivate_order(order)


def changed(order):
    """It was paid, and is to cost more."""
    order.payments.create(provider="offlinesales", amount=order.total).confirm()
    order.refresh_from_db()
    change_price(order, "30.00")


def change_price(order, price):
    manager = OrderChangeManager(order, notify=False)
    manager.change_price(order.positions.get(), Decimal(price))
    manager.commit()


def approved(order):
    order.require_approval = True
    order.save()
    order.create_transactions()
    approve_order(order, send_mail=False)


def extended(order):
    """It was expired before, by hand."""
    Order.objects.filter(pk=order.pk).update(status="e")
    order.refresh_from_db()
    extend_order(order, now() + timedelta(days=3))


@pytest.mark.parametrize("recompute", [reactivated, changed, approved, extended])
def test_wherever_the_host_says_anew_when_it_expires_it_is_a_year_after_the_event(order, recompute):
    event = order.event
    event.settings.payment_term_days = 3
    event.cache.clear()
    recompute(order)
    assert (Order.objects.get(pk=order.pk).status, expires(order)) == ("n", YEAR_LATER)
    assert order.expires == YEAR_LATER  # what the host goes on with


@pytest.mark.parametrize("recompute", [reactivated, changed, extended])
def test_what_was_paid_from_the_beginning_is_none_of_ours(make_batch, recompute):
    order = make_batch(amount=1).tickets.get().order
    order.payments.update(state="canceled")
    Order.objects.filter(pk=order.pk).update(status="n", valid_if_pending=True)
    order.refresh_from_db()
    recompute(order)
    assert expires(order) < now() + timedelta(days=20)


def test_what_was_split_off_is_no_ticket_any_more(event, item, quota, make_batch):
    drink = event.items.create(name="Drink", default_price=Decimal("4.00"))
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.00"))
    order = make_batch(amount=1, consignment=True).tickets.get().order
    manager = OrderChangeManager(order, notify=False)
    manager.split(order.positions.get(item=drink))
    manager.commit()
    let_expire(manager.split_order)
    change_price(manager.split_order, "2.00")
    keep_all_valid()
    assert (expires(manager.split_order), expires(order)) == (SOON, YEAR_LATER)


def test_later_is_respected(order):
    later = YEAR_LATER + timedelta(days=100)
    extend_order(order, later)
    change_price(order, "24.00")
    keep_all_valid()
    assert expires(order) == later


def test_who_says_that_it_is_not_valid_before_it_is_paid_is_heard(order):
    extend_order(order, SOON, valid_if_pending=False)
    keep_all_valid()
    assert expires(order) == SOON


# Dates that are moved, and what nothing tells


def test_an_event_is_moved(event, batch, django_assert_num_queries):
    with django_assert_num_queries(1):
        keep_all_valid()
    event.date_to = event.date_from + timedelta(days=30)
    event.save()
    before = list(event.orders.values_list("last_modified", flat=True))
    let_nothing_expire(None)
    assert {order.expires for order in event.orders.all()} == {YEAR_LATER + timedelta(days=30)}
    assert list(event.orders.values_list("last_modified", flat=True)) == before
    with django_assert_num_queries(1):
        keep_all_valid()
    event.date_from = event.date_to = event.date_from - timedelta(days=60)
    event.save()
    keep_all_valid()
    assert {order.expires for order in event.orders.all()} == {YEAR_LATER + timedelta(days=30)}


def test_a_date_is_moved(series, subevent, issue_in_series):
    moved, stays = issue_in_series(), issue_in_series(consignment=False)
    assert expires(moved) == datetime(2028, 5, 8, 8, 0, tzinfo=UTC)
    before = expires(stays)
    subevent.date_from += timedelta(days=7)
    subevent.save()
    keep_all_valid()
    assert (expires(moved), expires(stays)) == (datetime(2028, 5, 15, 8, 0, tzinfo=UTC), before)


def test_a_ticket_is_moved_to_another_date(series, series_item, subevent, issue_in_series):
    order = issue_in_series()
    later = series.subevents.create(name="Autumn", date_from=datetime(2027, 10, 2, 8, 0, tzinfo=UTC), active=True)
    series.quotas.create(name="Group", size=50, subevent=later).items.add(series_item)
    manager = OrderChangeManager(order, notify=False)
    manager.change_subevent(order.positions.get(), later)
    manager.commit()
    assert expires(order) == datetime(2028, 10, 2, 8, 0, tzinfo=UTC)


def test_what_was_made_pending_again_without_a_word(order):
    let_expire(order)
    keep_all_valid()
    assert expires(order) == YEAR_LATER


@pytest.mark.parametrize("status", ["p", "c", "e"])
def test_orders_that_are_not_pending_stay_as_they_are(order, status):
    Order.objects.filter(pk=order.pk).update(status=status, expires=SOON)
    keep_all_valid()
    assert (Order.objects.get(pk=order.pk).status, expires(order)) == (status, SOON)


def test_many_are_put_right_in_several_runs(event, make_batch, monkeypatch):
    make_batch(amount=5, consignment=True)
    event.orders.update(expires=SOON)
    monkeypatch.setattr(expiry, "MOST", 3)
    monkeypatch.setattr(expiry, "CHUNK", 2)
    done = []
    for _run in range(2):
        keep_all_valid()
        done.append(event.orders.filter(expires=YEAR_LATER).count())
    assert done == [3, 5]


def test_an_event_that_began_long_ago_lasts(event, make_batch):
    event.date_from = datetime(2020, 1, 1, tzinfo=UTC)
    event.save()
    with freeze_time("2026-12-01 12:00:00"):
        order = make_batch(amount=1, consignment=True).tickets.get().order
        keep_all_valid()
    assert expires(order).date().isoformat() == "2027-12-01"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), datetime(2029, 3, 1, 12, 0, tzinfo=UTC)),
        (datetime(2027, 6, 1, 12, 0, tzinfo=UTC), datetime(2028, 6, 1, 12, 0, tzinfo=UTC)),
        (datetime(9999, 12, 31, 12, 0, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_year_after_any_day(event, make_batch, end, expected, django_assert_num_queries):
    event.date_to = end
    event.save()
    order = make_batch(amount=1, consignment=True).tickets.get().order
    assert expires(order) == expected
    with django_assert_num_queries(1):
        keep_all_valid()


def test_queries_for_one_order_that_changes(order):
    """As many as the order is asked for; for those of the shop, none."""
    from pretix_offlinesales.tickets.expiry import keep_valid

    order = Order.objects.select_related("event", "offline_sales_ticket__batch").get(pk=order.pk)
    with CaptureQueriesContext(connection) as queries:
        keep_valid(order)
    assert len(queries) == 1
    Order.objects.filter(pk=order.pk).update(status="p")
    order.refresh_from_db(fields=["status"])
    with CaptureQueriesContext(connection) as queries:
        keep_valid(order)
    assert len(queries) == 0


# What kills other orders


@pytest.fixture
def unpaid_of_the_shop(api, event, item, quota):
    body = {"status": "n", "email": "a@example.org", "locale": "en", "positions": [{"item": item.pk}]}
    response = api.post("/api/v1/organizers/museum/events/night/orders/", body, format="json")
    return event.orders.get(code=response.data["code"])


def test_the_hosts_periodic_expiry_leaves_it_alone(event, batch, unpaid_of_the_shop):
    """Even where it is overdue by the clock."""
    event.settings.payment_term_expire_automatically = True
    event.orders.update(expires=SOON)
    with freeze_time("2027-02-01 12:00:00"):
        expire_orders(None)
    unpaid_of_the_shop.refresh_from_db()
    assert unpaid_of_the_shop.status == "e"
    assert {ticket.order.status for ticket in batch.tickets.all()} == {"n"}


def test_marking_all_that_is_overdue_as_expired_leaves_it_alone(client, user, team, event, batch, unpaid_of_the_shop):
    """The day after the event, when nobody has paid yet."""
    with freeze_time("2027-05-09 12:00:00"):
        client.force_login(user)
        client.post(
            "/control/event/museum/night/orders/bulk/expire", {"__ALL": "on", "operation": "confirm"}, follow=True
        )
    unpaid_of_the_shop.refresh_from_db()
    assert unpaid_of_the_shop.status == "e"
    assert {ticket.order.status for ticket in batch.tickets.all()} == {"n"}


def test_nobody_is_ever_reminded(event, batch, unpaid_of_the_shop):
    """Not even if staff wrote an address into an order."""
    event.settings.mail_days_order_expire_warning = 3
    event.settings.mail_days_download_reminder = 2
    event.settings.ticket_download = True
    event.settings.ticketoutput_pdf__enabled = True
    event.cache.clear()
    event.orders.filter(offline_sales_ticket__batch=batch).update(email="kiosk@example.org")
    Order.objects.filter(pk=unpaid_of_the_shop.pk).update(expires=YEAR_LATER)
    for moment in ("2027-05-07 12:00:00", "2028-05-06 12:00:00"):
        with freeze_time(moment):
            send_download_reminders(None)
            send_expiry_warnings(None)
    assert {recipient for message in mail.outbox for recipient in message.to} <= {"a@example.org"}
    unpaid_of_the_shop.refresh_from_db()
    assert unpaid_of_the_shop.expiry_reminder_sent


# What is expired all the same


def test_what_staff_has_marked_as_expired_is_seen(client, user, team, batch, order):
    client.force_login(user)
    client.post(f"/control/event/museum/night/orders/{order.code}/transition", {"status": "e"}, follow=True)
    order.refresh_from_db()
    assert order.status == "e"
    pages = "/control/event/museum/night/offlinesales/"
    page = words(soup(client.get(f"{pages}{batch.pk}/")).select_one("#page-wrapper"))
    assert "Canceled (expired)" in page
