"""What is done with tickets on consignment: pending orders, of which nobody has heard that they were paid."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import GiftCard, Order
from pretix.base.services.cancelevent import cancel_event
from pretix.base.services.checkin import perform_checkin

from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.tickets.figures import total
from pretix_offlinesales.tickets.payment import statement_of
from tests.support.consignment import paid, stated
from tests.support.jobs import run
from tests.support.oracle import balance, picture
from tests.support.returning import actions, asked, codes, orders, position, returned
from tests.support.sellers import NOBODY, make_seller
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


@pytest.mark.parametrize("options", [{}, {"keep_fee_fixed": "3.00"}, {"refund_as_giftcard": True}])
def test_when_the_event_is_canceled_nothing_is_owed_for_what_nobody_paid(event, batch, options):
    """The host keeps a fee of what was paid only."""
    paid = orders(batch)[0]
    paid.payments.create(provider="offlinesales", amount=paid.total).confirm()
    values = {"subevent": None, "auto_refund": True, "keep_fee_per_ticket": "", "keep_fee_percentage": ""}
    values = {**values, "keep_fee_fixed": "0.00", **options}
    assert cancel_event.apply(kwargs={"event": event.pk, **values}).get()["failed"] == 0
    kept = Decimal(values["keep_fee_fixed"])
    assert [(order.status, order.pending_sum, order.payments.count()) for order in orders(batch)] == [
        ("p" if kept else "c", 0, 1),
        *[("c", 0, 0)] * 3,
    ]
    assert total(batch.tickets.all()).due.value == kept
    assert (GiftCard.objects.count(), Order.annotate_overpayments(event.orders).filter(is_overpaid=True).count()) == (
        0,
        0,
    )


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


@pytest.mark.parametrize("job_kind", [RETURN, UNDO_RETURN, REPORT_LOST])
def test_queries_do_not_grow_with_the_amount(make_batch, job_kind):
    def queries(amount):
        batch = make_batch(amount=amount, consignment=True)
        if job_kind is UNDO_RETURN:
            returned(batch)
        job = asked(batch, job_kind=job_kind)
        with CaptureQueriesContext(connection) as captured:
            run(job)
        # Settings that were changed within the test are read again and again.
        return len([query for query in captured if not re.search("SAVEPOINT|settingsstore", query["sql"])])

    queries(1)
    assert queries(9) == queries(3)


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


@pytest.fixture
def settled(batch, organizer):
    """Two tickets of a kiosk, paid by its first statement."""
    kiosk = make_seller(organizer)
    statement = stated(kiosk, "1-2", batch)
    for job in paid(statement):
        run(job)
    return statement


def payments(order):
    return [(payment.state, payment.amount, statement_of(payment)) for payment in order.payments.order_by("local_id")]


def test_what_a_statement_has_paid_is_paid_by_it_again_if_its_return_is_undone(batch, settled):
    returned(batch, {"tickets": "1"})
    returned(batch, {"tickets": "1"}, job_kind=UNDO_RETURN)
    order = orders(batch)[0]
    by_statement = {"statement": 1, "document": settled.pk}
    assert (order.status, order.pending_sum) == ("p", 0)
    assert payments(order) == [("refunded", PRICE, by_statement), ("confirmed", PRICE, by_statement)]


def test_what_was_given_back_is_paid_by_the_next_statement_if_its_return_is_undone(event, batch, settled):
    """The seller has got her money back, and is told to pay it once more."""
    returned(batch, {"tickets": "1"})
    credit = make(settled.seller, [event], now(), NOBODY)
    returned(batch, {"tickets": "1"}, job_kind=UNDO_RETURN)
    order = orders(batch)[0]
    assert (credit.due, order.status, order.pending_sum, order.expires.year) == (-PRICE, "n", PRICE, 2028)
    again = make(settled.seller, [event], now(), NOBODY)
    for job in paid(again):
        run(job)
    order = orders(batch)[0]
    assert (again.due, order.status, order.pending_sum) == (PRICE, "p", 0)
    assert payments(order)[1:] == [("confirmed", PRICE, {"statement": 3, "document": again.pk})]
