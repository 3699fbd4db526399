"""What a credit limit is about: face value held and owed."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from pretix_offlinesales.sellers.exposure import exposures
from pretix_offlinesales.sellers.payments import allocation, newly_settled, write_payment
from pretix_offlinesales.sellers.statements import make
from tests.support.after_sale import change, check_in, report_lost, take_back
from tests.support.sellers import NOBODY, handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    """Who keeps 10 %: of each ticket of 23.00, 20.70 are due."""
    return make_seller(organizer, commission_percent=10)


@pytest.fixture
def batch(make_batch, kiosk):
    """Of which the kiosk holds six."""
    batch = make_batch(amount=10)
    handed_over(batch, kiosk, "1-6")
    return batch


def exposure(seller):
    """In tickets of 23.00, and what is not a whole one of them."""
    [value] = exposures([seller]).values()
    return divmod(value, Decimal("23.00"))


def sell(batch, *numbers):
    batch.tickets.filter(number__in=numbers).update(sold=now())


def state(seller, batch):
    seller.refresh_from_db()
    return make(seller, [batch.event], now(), NOBODY)


def pay(statement, amount=None):
    amount = statement.due if amount is None else Decimal(amount)
    write_payment(statement, amount, date(2026, 1, 31), "", NOBODY)


def set_price(batch, price):
    """Of the first ticket."""
    order = batch.tickets.get(number=1).order
    change(order, lambda manager: manager.change_price(order.positions.get(), Decimal(price)))


def test_what_is_held_sold_or_lost_counts_and_what_came_back_does_not(kiosk, batch):
    assert exposure(kiosk) == (6, 0)
    sell(batch, 1)
    check_in(batch.tickets.get(number=2))
    report_lost(batch, "3")
    assert exposure(kiosk) == (6, 0)
    take_back(batch, "4", "unsold")
    handed_over(batch, None, "5")
    assert exposure(kiosk) == (4, 0)


def test_what_was_paid_directly_does_not_count(kiosk, batch):
    sell(batch, 1)
    for number in (1, 2):
        order = batch.tickets.get(number=number).order
        order.payments.all().delete()
        order.payments.create(provider="manual", amount=order.total, state="confirmed")
    assert exposure(kiosk) == (4, 0)


def test_what_is_settled_does_not_count_even_before_it_is_paid_in_pretix(kiosk, batch):
    sell(batch, 1, 2)
    statement = state(kiosk, batch)
    assert exposure(kiosk) == (6, 0)
    pay(statement)
    assert exposure(kiosk) == (4, 0)


def test_what_was_paid_of_an_open_statement_is_taken_off(kiosk, batch):
    sell(batch, 1, 2)
    pay(state(kiosk, batch), "13.00")
    assert exposure(kiosk) == (5, Decimal("10.00"))


def test_what_statements_give_back_has_not_paid_what_else_they_say(kiosk, batch):
    sell(batch, 1)
    state(kiosk, batch)
    take_back(batch, "1", "unsold")
    sell(batch, 2)
    assert state(kiosk, batch).due == 0
    assert exposure(kiosk) == (5, 0)


def test_nobody_has_less_than_she_holds(kiosk, batch):
    sell(batch, 1)
    statement = state(kiosk, batch)
    pay(statement, "1000.00")
    assert exposure(kiosk) == (5, 0)


def test_what_was_paid_too_much_is_taken_off_what_is_sold_next(kiosk, batch):
    sell(batch, 1)
    pay(state(kiosk, batch), "33.70")  # 13.00 too much
    sell(batch, 2)
    assert exposure(kiosk) == (4, Decimal("10.00"))


def test_what_is_open_again_counts(kiosk, batch):
    sell(batch, 1)
    statement = state(kiosk, batch)
    pay(statement)
    pay(statement, "-20.70")
    assert exposure(kiosk) == (5, Decimal("20.70"))


def test_what_came_back_is_not_taken_off_twice(kiosk, batch):
    """It is not owed any more, and what the next statement gives back for it pays for an older one."""
    sell(batch, 1, 2, 3, 4)
    first = state(kiosk, batch)
    take_back(batch, "1-2", "unsold")
    sell(batch, 5)
    assert exposure(kiosk) == (4, 0)
    state(kiosk, batch)
    newly_settled(kiosk)
    assert allocation(kiosk).paid[first.pk] == Decimal("20.70")
    assert exposure(kiosk) == (4, 0)
    pay(first, "62.10")
    assert exposure(kiosk) == (1, 0)


def test_a_new_price_does_not_hide_what_is_open(kiosk, batch):
    """The statement that says it is settled, and the one before is not."""
    sell(batch, 1, 2)
    first = state(kiosk, batch)
    set_price(batch, "30.00")
    pay(state(kiosk, batch))
    assert exposure(kiosk) == (6, 0)
    set_price(batch, "20.00")
    state(kiosk, batch)
    newly_settled(kiosk)
    # 43.00 are sold. 7.00 are paid, and 9.00 given back: 10.00, less a commission that is not taken off yet.
    assert exposure(kiosk) == (5, Decimal("14.00"))
    pay(first, "32.40")
    assert exposure(kiosk) == (4, 0)


def test_of_many_sellers_it_is_asked_at_once(organizer, kiosk, batch):
    other = make_seller(organizer, "Other")
    handed_over(batch, other, "7-8")
    sell(batch, 1)
    pay(state(kiosk, batch), "3.00")
    with CaptureQueriesContext(connection) as one:
        exposures([kiosk])
    with CaptureQueriesContext(connection) as both:
        assert exposures([kiosk, other]) == {kiosk.pk: Decimal("135.00"), other.pk: Decimal("46.00")}
    assert len(one) == len(both)
    assert exposures([]) == {}
