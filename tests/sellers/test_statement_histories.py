"""
Whatever happens to tickets, by us or by the host beside us: statements and what is open add up to the host's ledger, to
the cent and by tax rate. When everything has come back, nothing is left, the commission included.
"""

from collections import Counter
from contextlib import suppress
from decimal import Decimal

import pytest
from django.db.models import F, Sum
from django.utils.timezone import now
from hypothesis import given, strategies as st
from pretix.base.models import Checkin, Order, Transaction
from pretix.base.services.orders import OrderError, cancel_order

from pretix_offlinesales.models import SellerPayment, Statement, StatementEntry
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.handing_over import NotHandedOver
from pretix_offlinesales.sellers.owing import read_taxes
from pretix_offlinesales.sellers.payments import Allocation, allocation, write_payment
from pretix_offlinesales.sellers.statements import NothingToState, make
from tests.support.history import History
from tests.support.sellers import NOBODY, handed_over, make_seller

NOTHING = Decimal("0.00")


class SellersHistory(History):
    """What sellers do, too."""

    def __init__(self, sellers, *args):
        super().__init__(*args)
        self.sellers = sellers

    def then_it_is_handed_over(self, order, number):
        target = self.chance.choice([None, *self.sellers])
        handed_over(self.batch, target, str(number))

    def then_it_is_sold(self, order, number):
        self.batch.tickets.filter(number=number, sold=None, returned=None, lost=None).update(sold=now())

    def then_it_is_sold_after_all(self, order, number):
        self.then_it_is_sold(order, number)

    def then_terms_change(self, order, number):
        seller = self.chance.choice(self.sellers)
        seller.commission_percent = self.chance.choice([0, 5, Decimal("12.5"), 33])
        seller.commission_fixed = self.chance.choice([0, Decimal("0.35")])
        seller.commission_tax_rate = self.chance.choice([None, 7, 19])
        seller.save()

    def then_it_is_stated(self, order, number):
        state(self.chance.choice(self.sellers), self.batch.event)

    def then_something_is_paid(self, order, number):
        statements = list(Statement.objects.order_by("pk"))
        amount = self.chance.choice([1, -1]) * self.money()
        write_payment(self.chance.choice(statements), amount, now().date(), "", NOBODY)

    def go_on(self):
        try:
            super().go_on()
        except NotHandedOver as error:
            self.told.append(str(error))


def state(seller, event):
    with suppress(NothingToState):
        make(seller, [event], now(), NOBODY)


@pytest.fixture
def drink(event, item, quota):
    """Comes with each ticket, as part of its price, and is taxed otherwise. What it costs has odd cents."""
    food = event.tax_rules.create(name="Food", rate=Decimal("7.00"))
    drink = event.items.create(name="Drink", default_price=Decimal("4.00"), tax_rule=food)
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("3.33"))
    return drink


@pytest.fixture
def poster(event, quota):
    poster = event.items.create(name="Poster", default_price=Decimal("5.00"), admission=False)
    quota.items.add(poster)
    return poster


def is_owed(ticket):
    """As one asks the host."""
    order = ticket.order
    position = order.all_positions.filter(positionid=1).first()
    if order.status not in (Order.STATUS_PENDING, Order.STATUS_PAID) or not position or position.canceled:
        return False
    confirmed = order.payments.filter(state="confirmed")
    is_direct = confirmed.exclude(provider="offlinesales").filter(amount__gt=0).exists()
    if order.status == Order.STATUS_PAID and is_direct and not confirmed.filter(provider="offlinesales").exists():
        return False
    let_in = Checkin.objects.filter(position=position, type=Checkin.TYPE_ENTRY).exists()
    is_settled = ticket.batch.consignment and order.status == Order.STATUS_PAID
    return bool(ticket.lost or ticket.sold or let_in or is_settled)


def ledger_of(orders):
    """By tax rate: gross and tax."""
    entries = Transaction.objects.filter(order__in=orders).values("tax_rate")
    sums = entries.annotate(gross=Sum(F("price") * F("count")), tax=Sum(F("tax_value") * F("count")))
    rows = {row["tax_rate"]: (cents(row["gross"]), cents(row["tax"])) for row in sums}
    return {rate: amounts for rate, amounts in rows.items() if any(amounts)}


def stated_by_rate(seller):
    gross, tax = Counter(), Counter()
    for entry in StatementEntry.objects.filter(statement__seller=seller):
        for share in read_taxes(entry.taxes):
            gross[share.rate] += entry.count * share.gross
            tax[share.rate] += entry.count * share.tax
    return {rate: (gross[rate], tax[rate]) for rate in gross if gross[rate] or tax[rate]}


def cents(value):
    return (value or NOTHING).quantize(NOTHING)


def sums(seller):
    names = ("total", "commission", "commission_tax", "due")
    found = Statement.objects.filter(seller=seller).aggregate(**{f"{name}_sum": Sum(name) for name in names})
    return tuple(cents(found[f"{name}_sum"]) for name in names)


@pytest.mark.django_db
@pytest.mark.parametrize("rounding", ["line", "sum_by_net", "sum_by_net_keep_gross"])
@pytest.mark.parametrize("consignment", [False, True])
def test_statements_add_up_to_the_ledger(event, organizer, drink, poster, tax_rule, make_batch, rounding, consignment):
    event.settings.tax_rounding = rounding
    batch = make_batch(amount=6, consignment=consignment)
    sellers = [
        make_seller(organizer, "Kiosk", commission_percent=10, commission_tax_rate=19),
        make_seller(organizer, "Tourist office", commission_percent=Decimal("7.5"), commission_fixed=Decimal("0.25")),
    ]
    history = SellersHistory(sellers, batch, poster, tax_rule, f"{rounding} {consignment}")
    for step in range(60):
        history.go_on()
        if step % 15 == 14:
            for seller in sellers:
                state(seller, event)
                check(batch, seller, history.told)
    for ticket in batch.tickets.select_related("order"):
        with suppress(OrderError):  # if it is, or there is only a fee left in it
            cancel_order(ticket.order)
    for seller in sellers:
        state(seller, event)
        assert sums(seller) == (NOTHING,) * 4, history.told
        check(batch, seller, history.told)


def check(batch, seller, told):
    """Everything is stated."""
    tickets = list(batch.tickets.filter(seller=seller).select_related("order", "batch"))
    owed = {ticket.pk for ticket in tickets if is_owed(ticket)}
    assert stated_by_rate(seller) == ledger_of([ticket.order for ticket in tickets if ticket.pk in owed]), told
    entries = StatementEntry.objects.filter(statement__seller=seller).values("ticket").annotate(sum=Sum("count"))
    assert {row["ticket"] for row in entries if row["sum"]} == owed, told
    assert {row["sum"] for row in entries} <= {0, 1}, told
    assert set(batch.tickets.filter(statement__seller=seller).values_list("pk", flat=True)) == owed, told
    total, commission, tax, due = sums(seller)
    assert due == total - commission - tax, told
    account = accounts([seller])[seller.pk]
    paid = SellerPayment.objects.filter(seller=seller).aggregate(sum=Sum("amount"))["sum"]
    assert (account.due, account.stated, account.paid) == (due, due, cents(paid)), told
    found = allocation(seller)
    assert sum(found.paid.values(), NOTHING) + found.left == account.paid, told
    for statement in Statement.objects.filter(seller=seller):
        # Its lines add up to its sums, by tax rate too.
        said = statement.document.snapshot
        assert sum(Decimal(line["gross"]) for line in said["lines"]) == statement.total
        assert sum(Decimal(each["gross"]) for each in said["taxes"]) == statement.total
        assert sum(Decimal(each["commission"]) for each in said["commissions"]) == statement.commission
        assert sum(Decimal(each["tax"]) for each in said["commissions"]) == statement.commission_tax


amounts = st.integers(-3000, 3000).map(lambda cents: Decimal(cents) / 100)
statements = st.lists(amounts, min_size=1, max_size=6)


@given(statements=statements, payments=st.lists(st.tuples(st.integers(0, 5), amounts), max_size=8))
def test_payments_pay_what_they_were_for_and_then_the_oldest(statements, payments):
    dues = dict(enumerate(statements))
    found = Allocation.of(dues, [(statement % len(dues), amount) for statement, amount in payments])
    paid = sum(amount for _statement, amount in payments)
    assert sum(found.paid.values()) + found.left == paid
    taken_back = {statement % len(dues) for statement, amount in payments if amount < 0}
    for pk, due in dues.items():
        assert found.paid[pk] <= max(due, 0)
        assert found.paid[pk] >= min(due, 0) or pk in taken_back
    # What is open is the balance, but for what was paid too much.
    assert sum(due - found.paid[pk] for pk, due in dues.items()) == sum(statements) - paid + found.left
    if found.left > 0 or any(found.paid[pk] > due for pk, due in dues.items() if due < 0):
        assert all(found.paid[pk] == due for pk, due in dues.items() if due > 0)
    assert found.left >= 0
    if any(found.paid[pk] < min(due, 0) for pk, due in dues.items()):
        assert all(found.paid[pk] <= 0 for pk, due in dues.items())


def test_the_one_that_was_named_is_paid_before_older_ones():
    dues = {1: Decimal(10), 2: Decimal(20), 3: Decimal(30)}
    found = Allocation.of(dues, [(3, Decimal(25)), (3, Decimal(10))])
    assert (found.paid, found.left) == ({1: Decimal(5), 2: 0, 3: Decimal(30)}, 0)
    assert Allocation.of(dues | {4: Decimal(-15)}, []).paid == {1: Decimal(10), 2: Decimal(5), 3: 0, 4: Decimal(-15)}
    paid_twice = Allocation.of({1: Decimal(10)}, [(1, Decimal(10)), (1, Decimal(10))])
    assert (paid_twice.paid, paid_twice.left) == ({1: Decimal(10)}, Decimal(10))
