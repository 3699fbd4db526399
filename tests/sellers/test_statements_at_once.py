"""Statements and payments at the same moment as anything else, on PostgreSQL: nothing is stated or paid twice."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.timezone import now

from pretix_offlinesales.kinds import REPORT_LOST, RETURN
from pretix_offlinesales.models import OfflineSalesTicket, Statement, StatementEntry
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.handing_over import NotHandedOver, hand_over
from pretix_offlinesales.sellers.payments import write_payment
from pretix_offlinesales.sellers.statements import NothingToState, make
from pretix_offlinesales.tickets.selection import Selection, choose
from tests.support.at_once import at_once, no_deadlock  # noqa: F401 - a fixture
from tests.support.jobs import run
from tests.support.sellers import NOBODY, handed_over, make_seller

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

AMOUNT, ROUNDS = 30, 4


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, commission_percent=10, commission_tax_rate=19)


@pytest.fixture
def batch(issued, event, item, quota, layout, kiosk):
    quota.size = None
    quota.save()
    batch = issued(event, item, amount=AMOUNT).batch
    handed_over(batch, kiosk, f"1-{AMOUNT}")
    batch.tickets.update(sold=now())
    return batch


def stating(seller, event):
    return lambda: make(seller, [event], now(), NOBODY)


def doing(batch, kind, **request):
    job = kind.ask(batch.event, Selection.numbered(f"1-{AMOUNT}"), NOBODY, batch, **request)
    return lambda: run(job)


def test_of_several_statements_one_says_it_all(batch, event, kiosk):
    results = at_once(*[stating(kiosk, event)] * 3)
    [statement] = [result for result in results if isinstance(result, Statement)]
    assert [type(result) for result in results].count(NothingToState) == 2
    assert (statement.document.number, statement.total) == (1, AMOUNT * Decimal("23.00"))
    assert StatementEntry.objects.count() == AMOUNT


@pytest.mark.parametrize("kind", [RETURN, REPORT_LOST], ids=["return", "lost"])
def test_what_comes_back_meanwhile_is_stated_or_not(batch, event, kiosk, kind):
    statement, job = at_once(stating(kiosk, event), doing(batch, kind))
    assert job.state == "succeeded"
    assert isinstance(statement, Statement | NothingToState)
    if kind is RETURN and isinstance(statement, Statement):
        make(kiosk, [event], now(), NOBODY)
    account = accounts([kiosk])[kiosk.pk]
    owed = Decimal(0) if kind is RETURN else Decimal("607.89")  # 690.00 - 69.00 - 13.11
    assert (account.due, account.stated) == (owed, owed)


def test_what_is_stated_does_not_change_hands(batch, event, organizer, kiosk):
    office = make_seller(organizer, "Tourist office")
    for _round in range(ROUNDS):
        handed_over_to = make_seller(organizer, "Bookshop", firm=True)
        new = OfflineSalesTicket.objects.filter(batch=batch)
        new.update(seller=kiosk, sold=None, statement=None)
        new.update(lost=now())  # owed, but perhaps found again
        choices = choose(event, batch, Selection.numbered(f"1-{AMOUNT}"))
        results = at_once(
            stating(kiosk, event),
            lambda choices=choices: hand_over(event, office, choices, NOBODY),
            lambda choices=choices, target=handed_over_to: hand_over(event, target, choices, NOBODY),
        )
        assert isinstance(results[0], Statement | NothingToState), results[0]
        assert [type(result) for result in results[1:]] == [NotHandedOver] * 2


def test_all_payments_count_and_it_is_settled_once(batch, event, kiosk):
    statement = make(kiosk, [event], now(), NOBODY)
    part = statement.due / 3

    def pay():
        return write_payment(statement, part, date(2026, 11, 26), "", NOBODY)

    results = at_once(pay, pay, pay)
    assert sorted(len(settled) for _payment, settled in results) == [0, 0, 1]
    assert accounts([kiosk])[kiosk.pk].balance == 0
