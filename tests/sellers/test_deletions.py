"""Sellers and their documents don't stand in the way of whatever the host deletes."""

import pytest
from django.db import transaction
from django.db.models import RestrictedError
from pretix.base.models import Event, LogEntry, Order, Organizer

from pretix_offlinesales.models import (
    Document,
    DocumentCounter,
    Movement,
    OfflineSalesBatch,
    OfflineSalesTicket,
    ProductCommission,
    Seller,
)
from tests.support.sellers import handed_over, make_seller


@pytest.fixture
def seller(event, organizer, item, quota, issued):
    """Holds tickets of an event whose orders the host deletes then, as it does with test orders."""
    seller, office = make_seller(organizer), make_seller(organizer, "Tourist office")
    seller.product_commissions.create(item=item, commission_percent=5)
    batch = issued(event, item).batch
    handed_over(batch, seller, "1-3")
    handed_over(batch, office, "3")
    handed_over(batch, None, "2")
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
    ]
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
    for model in (Seller, Document, DocumentCounter, Movement, OfflineSalesTicket):
        assert not model.objects.exists(), model


@pytest.mark.django_db
def test_a_seller_of_the_ledger_is_not_deleted(seller):
    with pytest.raises(RestrictedError):
        seller.delete()
    assert seller.tickets.count() == 1
