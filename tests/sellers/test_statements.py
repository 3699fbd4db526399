"""What statements say: the difference between what is owed now and what they have said so far."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Order, OrderPayment

from pretix_offlinesales.models import Document, OfflineSalesTicket, Statement
from pretix_offlinesales.returning.kinds import UNDO_RETURN
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.statements import NothingToState, look, make

from ..support.after_sale import check_in, deal_with, report_lost, take_back
from ..support.products import currency, priced
from ..support.sellers import NOBODY, handed_over, make_seller

pytestmark = pytest.mark.django_db


def declare_sold(batch, *numbers):
    batch.tickets.filter(number__in=numbers).update(sold=now())


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, commission_percent=10, commission_tax_rate=19)


def state(seller, *events, until=None):
    return make(seller, events, until or now(), NOBODY)


def account(seller):
    return accounts([seller])[seller.pk]


def sums(statement):
    return statement.total, statement.commission, statement.commission_tax, statement.due


def decimals(*values):
    return tuple(map(Decimal, values))


def test_sold_and_lost_tickets_are_stated_once(event, kiosk, make_batch):
    batch = make_batch(amount=10)
    handed_over(batch, kiosk, "1-8")
    declare_sold(batch, 1, 2, 9)
    check_in(batch.tickets.get(number=3), now())
    report_lost(batch, "4")
    draft = look(kiosk, [event], now())
    statement = state(kiosk, event)
    assert sums(statement) == (draft.total, draft.commission, draft.commission_tax, draft.due)
    assert sums(statement) == decimals("92.00", "9.20", "1.75", "81.05")
    [line] = statement.document.snapshot["lines"]
    assert (line["tickets"], line["count"], line["gross"], line["net"]) == ({str(batch.pk): "1-4"}, 4, "92.00", "77.32")
    assert account(kiosk).unstated == 0
    assert account(kiosk).balance == Decimal("81.05")
    with pytest.raises(NothingToState):
        state(kiosk, event)


def test_what_comes_back_is_credited_to_the_cent(event, kiosk, make_batch):
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1-3")
    declare_sold(batch, 1, 2, 3)
    first = state(kiosk, event)
    take_back(batch, "1-3", "unsold")
    second = state(kiosk, event)
    assert sums(second) == tuple(-each for each in sums(first))
    assert account(kiosk).balance == account(kiosk).owed == 0
    deal_with(batch, "2", UNDO_RETURN)
    third = state(kiosk, event)
    assert sums(third) == decimals("23.00", "2.30", "0.44", "20.26")
    assert list(OfflineSalesTicket.objects.filter(statement=third).values_list("number", flat=True)) == [2]


def test_sales_are_stated_up_to_a_moment(event, kiosk, make_batch):
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1-3")
    batch.tickets.filter(number=1).update(sold=now() - timedelta(days=2))
    batch.tickets.filter(number=2).update(sold=now())
    assert state(kiosk, event, until=now() - timedelta(days=1)).total == Decimal("23.00")
    with pytest.raises(NothingToState):
        state(kiosk, event, until=now() - timedelta(days=1))
    assert state(kiosk, event).total == Decimal("23.00")


def test_what_the_organizer_was_paid_directly_is_not_owed(event, kiosk, make_batch):
    batch = make_batch(amount=2)
    handed_over(batch, kiosk, "1-2")
    declare_sold(batch, 1, 2)
    order = batch.tickets.get(number=1).order
    order.payments.all().delete()
    order.payments.create(provider="manual", amount=order.total, state=OrderPayment.PAYMENT_STATE_CONFIRMED)
    assert Order.objects.get(pk=order.pk).status == Order.STATUS_PAID
    assert state(kiosk, event).total == Decimal("23.00")
    assert account(kiosk).unstated == 0


def test_products_have_commissions_of_their_own(event, item, kiosk, make_batch):
    kiosk.product_commissions.create(item=item, commission_percent=5)
    batch = make_batch(amount=3)
    handed_over(batch, kiosk, "1-3")
    declare_sold(batch, 1, 2, 3)
    assert account(kiosk).unstated == Decimal("64.89")
    statement = state(kiosk, event)
    assert sums(statement) == decimals("69.00", "3.45", "0.66", "64.89")
    [line] = statement.document.snapshot["lines"]
    assert line["rate"] == "5 % of the gross price"


def test_a_currency_without_cents_has_none_in_commissions(event, item, kiosk, make_batch):
    currency(event, "JPY")
    priced(item, "1015.00")
    kiosk.commission_percent, kiosk.commission_fixed = Decimal("7.5"), Decimal("0.35")
    kiosk.save()
    batch = make_batch(amount=4)
    handed_over(batch, kiosk, "1-4")
    declare_sold(batch, 1, 2, 3)
    kiosk.refresh_from_db()
    assert sums(state(kiosk, event)) == decimals("3045.00", "229.00", "44.00", "2772.00")
    declare_sold(batch, 4)
    assert account(kiosk).unstated == Decimal("924.00")
    assert sums(state(kiosk, event)) == decimals("1015.00", "77.00", "14.00", "924.00")
    take_back(batch, "1-4", "unsold")
    state(kiosk, event)
    assert account(kiosk).balance == account(kiosk).owed == 0


def test_numbers_have_no_gaps_and_invoices_have_their_own(event, organizer, make_batch):
    batch = make_batch(amount=9)
    sellers = [
        make_seller(organizer, "A", commission_percent=10),
        make_seller(organizer, "B"),
        make_seller(organizer, "C", commission_percent=10),
    ]
    for start, seller in zip((1, 4, 7), sellers, strict=True):
        handed_over(batch, seller, f"{start}-{start + 2}")
        declare_sold(batch, start)
    made = [state(seller, event) for seller in sellers]
    assert [each.document.number for each in made] == [1, 2, 3]
    assert [each.invoice_number for each in made] == [1, None, 2]
    assert Statement.objects.count() == Document.objects.filter(kind="statement").count() == 3


def test_a_statement_takes_as_many_queries_for_many_tickets_as_for_few(event, organizer, make_batch, quota):
    counted = []
    for amount in (2, 60):
        batch, seller = make_batch(amount=amount), make_seller(organizer, commission_percent=10)
        handed_over(batch, seller, f"1-{amount}")
        batch.tickets.update(sold=now())
        with CaptureQueriesContext(connection) as queries:
            state(seller, event)
        counted.append(len(queries))
    assert counted[1] <= counted[0]
