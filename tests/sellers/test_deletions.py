"""Sellers and their documents don't stand in the way of whatever the host deletes."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import RestrictedError
from django.utils.timezone import now
from pretix.base.models import Event, LogEntry, Order, Organizer

from pretix_offlinesales.models import (
    Document,
    DocumentCounter,
    Movement,
    OfflineSalesBatch,
    OfflineSalesTicket,
    ProductCommission,
    Seller,
    SellerPayment,
    Statement,
    StatementEntry,
)
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.payments import write_payment
from pretix_offlinesales.sellers.statements import make
from tests.support.sellers import NOBODY, handed_over, make_seller


@pytest.fixture
def seller(event, organizer, item, quota, issued):
    """Holds tickets of an event whose orders the host deletes then, as it does with test orders."""
    seller, office = make_seller(organizer), make_seller(organizer, "Tourist office")
    seller.product_commissions.create(item=item, commission_percent=5)
    batch = issued(event, item).batch
    handed_over(batch, seller, "1-3")
    handed_over(batch, office, "3")
    handed_over(batch, None, "2")
    batch.tickets.filter(number=1).update(sold=now())
    statement = make(seller, [event], now(), NOBODY)
    write_payment(statement, Decimal("11.50"), date(2026, 11, 26), "", NOBODY)
    return seller


def delete_orders():
    Order.objects.update(testmode=True)
    for order in Order.objects.all():
        with transaction.atomic():
            order.gracefully_delete()


@pytest.mark.django_db
def test_an_event_is_deleted_and_the_documents_stay(event, seller):
    delete_orders()
    event.refresh_from_db()
    assert event.allow_delete()
    event.delete_sub_objects()
    event.delete()
    assert not Event.objects.exists()
    assert not OfflineSalesTicket.objects.exists()
    assert not OfflineSalesBatch.objects.exists()
    assert not ProductCommission.objects.exists()
    assert list(Document.objects.values_list("kind", "number", "event", "count")) == [
        ("delivery", 1, None, 3),
        ("transfer", 1, None, 1),
        ("take_back", 1, None, 1),
        ("statement", 1, None, 1),
    ]
    assert list(StatementEntry.objects.values_list("ticket", "count", "price")) == [(None, 1, Decimal("23.00"))]
    account = accounts([seller])[seller.pk]
    assert (account.stated, account.paid, account.balance) == (Decimal("21.85"), Decimal("11.50"), Decimal("10.35"))
    assert list(Movement.objects.values_list("batch", "numbers")) == [
        (None, [[1, 3]]),
        (None, [[3, 3]]),
        (None, [[2, 2]]),
    ]


@pytest.mark.django_db
def test_an_organizer_is_deleted_with_everything(organizer, seller):
    delete_orders()
    LogEntry.objects.all().delete()  # the host deletes no organizer who has a history
    assert organizer.allow_delete()
    organizer.delete_sub_objects()
    organizer.delete()
    assert not Organizer.objects.exists()
    gone = (Seller, Document, DocumentCounter, Movement, OfflineSalesTicket, Statement, StatementEntry, SellerPayment)
    for model in gone:
        assert not model.objects.exists(), model


@pytest.mark.django_db
def test_a_seller_of_the_ledger_is_not_deleted(seller):
    with pytest.raises(RestrictedError):
        seller.delete()
    assert seller.tickets.count() == 1
