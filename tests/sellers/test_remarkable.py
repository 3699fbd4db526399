"""What has happened beside us to tickets that a seller holds."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Order

from pretix_offlinesales.sellers.remarkable import MAX_NAMED, Remark, remarked
from pretix_offlinesales.sellers.statements import make
from tests.support.after_sale import change, check_in, take_back
from tests.support.consignment import put_on_consignment
from tests.support.sellers import NOBODY, handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def batch(make_batch, kiosk):
    """On consignment; the kiosk holds all but one."""
    batch = put_on_consignment(make_batch(amount=10))
    handed_over(batch, kiosk, "1-9")
    return batch


def of(batch, number):
    return batch.tickets.get(number=number)


def sell(batch, *numbers):
    batch.tickets.filter(number__in=numbers).update(sold=now())


def state(seller, batch):
    seller.refresh_from_db()
    return make(seller, [batch.event], now(), NOBODY)


def found(seller):
    return {each.remark: [ticket.number for ticket in each.tickets] for each in remarked(seller)}


def test_of_what_is_held_or_sold_nothing_is_said(kiosk, batch):
    sell(batch, 1, 2)
    state(kiosk, batch)
    check_in(of(batch, 1))
    assert found(kiosk) == {}


def test_expired_orders(kiosk, batch):
    Order.objects.filter(pk=of(batch, 3).order_id).update(status=Order.STATUS_EXPIRED)
    assert found(kiosk) == {Remark.EXPIRED: [3]}


def test_what_was_paid_directly(kiosk, batch):
    order = of(batch, 3).order
    order.payments.create(provider="manual", amount=order.total).confirm()
    assert found(kiosk) == {Remark.PAID_DIRECTLY: [3]}


def test_what_was_let_in_before_anybody_said_that_it_was_sold(kiosk, batch):
    check_in(of(batch, 4), now())
    assert found(kiosk) == {Remark.LET_IN: [4]}
    state(kiosk, batch)
    assert found(kiosk) == {}


def test_what_was_returned_and_let_in(kiosk, batch):
    take_back(batch, "5", "unsold")
    check_in(of(batch, 5))
    assert found(kiosk) == {Remark.LET_IN_ALL_THE_SAME: [5]}


def test_what_was_canceled_or_costs_something_else_after_it_was_stated(kiosk, batch):
    sell(batch, 1, 2)
    state(kiosk, batch)
    take_back(batch, "1", "unsold")
    order = of(batch, 2).order
    change(order, lambda manager: manager.change_price(order.positions.get(), 20))
    assert found(kiosk) == {Remark.CANCELED: [1], Remark.REPRICED: [2]}
    state(kiosk, batch)
    assert found(kiosk) == {}


def test_what_was_split_off_and_where_to(kiosk, batch, event, item):
    order = of(batch, 6).order
    change(order, lambda manager: manager.add_position(item, None, 5, None))
    order.refresh_from_db()
    manager = change(order, lambda manager: manager.split(order.positions.get(positionid=1)))
    [each] = remarked(kiosk)
    assert each.remark == Remark.SPLIT_OFF
    assert [(ticket.number, ticket.split_to) for ticket in each.tickets] == [(6, manager.split_order.code)]


def test_many_are_counted_and_the_first_are_named(organizer, make_batch):
    seller = make_seller(organizer, "Other")
    batch = make_batch(amount=MAX_NAMED + 3)
    handed_over(batch, seller, f"1-{MAX_NAMED + 3}")
    Order.objects.filter(offline_sales_ticket__seller=seller).update(status=Order.STATUS_EXPIRED)
    with CaptureQueriesContext(connection) as queries:
        [each] = remarked(seller)
    assert (each.count, len(each.tickets), each.more) == (MAX_NAMED + 3, MAX_NAMED, 3)
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) == 2
