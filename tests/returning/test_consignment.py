"""What is done with tickets on consignment: pending orders, of which nobody has heard that they were paid."""

from decimal import Decimal

import pytest
from pretix.base.models import Order
from pretix.base.services.checkin import perform_checkin

from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, UNDO_LOST, UNDO_RETURN
from pretix_offlinesales.tickets.figures import total
from tests.support.oracle import balance, picture
from tests.support.returning import actions, codes, orders, position, returned
from tests.support.sold import LEFT_ALONE

pytestmark = pytest.mark.django_db

PRICE = Decimal("23.00")


@pytest.fixture
def batch(make_batch):
    return make_batch(amount=4, consignment=True)


def states(batch):
    return {
        (order.status, order.valid_if_pending, order.expires.year, order.payments.count()) for order in orders(batch)
    }


def test_the_door_lets_them_in(batch, gate):
    perform_checkin(position(orders(batch)[0]), gate, {})
    assert returned(batch)[1] == [(codes(batch)[0], "1", "checked_in")]


def test_lost_and_found_again(batch):
    before = [picture(order) for order in orders(batch)]
    assert returned(batch, job_kind=REPORT_LOST) == (codes(batch), [])
    assert states(batch) == {("n", True, 2028, 0)}
    assert {position(order).blocked[0] for order in orders(batch)} == {"offlinesales:lost"}
    assert returned(batch, job_kind=UNDO_LOST) == (codes(batch), [])
    assert [without_time(picture(order)) for order in orders(batch)] == [without_time(each) for each in before]


def without_time(picture):
    return {**picture, "order": {name: value for name, value in picture["order"].items() if name != "last_modified"}}


def test_replaced(batch):
    before = {position(order).secret for order in orders(batch)}
    assert returned(batch, job_kind=REPLACE) == (codes(batch), [])
    assert states(batch) == {("n", True, 2028, 0)}
    assert not before & {position(order).secret for order in orders(batch)}


@pytest.mark.parametrize("happens", LEFT_ALONE)
def test_what_happened_to_the_order_before(happens, gate, batch):
    order = orders(batch)[1]
    happens(order, gate)
    left = [(order.code, order.code, LEFT_ALONE[happens])]
    assert returned(batch, {"orders": codes(batch)}) == ([code for code in codes(batch) if code != order.code], left)


def test_what_is_due_goes_with_returns_and_comes_back(batch):
    def money():
        figures = total(batch.tickets.all())
        return figures.outstanding.value, figures.unsold.value, figures.due.value

    assert money() == (4 * PRICE, 0, 4 * PRICE)
    returned(batch, {"tickets": "1-3"})
    assert money() == (PRICE, 3 * PRICE, PRICE)
    assert [balance(order) for order in orders(batch)] == [(PRICE, 0, 0, 0)] * 3 + [(PRICE, PRICE, 0, PRICE)]
    returned(batch, {"tickets": "1"}, job_kind=UNDO_RETURN)
    assert money() == (2 * PRICE, 2 * PRICE, 2 * PRICE)
    assert "pretix.event.order.paid" not in actions(orders(batch)[0])


def test_what_somebody_paid_elsewhere_is_not_refunded_by_a_return(batch):
    """Whoever paid to the organizer gets it back from there."""
    order = orders(batch)[0]
    order.payments.create(provider="manual", amount=order.total).confirm()
    assert returned(batch, {"tickets": "1"}) == ([order.code], [])
    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.refunds.count(), order.pending_sum) == ("c", 0, -PRICE)
