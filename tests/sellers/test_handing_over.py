"""Tickets go from hand to hand."""

from decimal import Decimal

import pytest

from pretix_offlinesales.models import Document, Movement
from pretix_offlinesales.sellers.handing_over import NotHandedOver
from tests.support.sellers import handed_over, held, make_seller


def ledger():
    columns = ("document__kind", "document__number", "document__source__name", "document__target__name", "numbers")
    return list(Movement.objects.values_list(*columns))


@pytest.mark.django_db
def test_delivery_transfer_and_taking_back(organizer, make_batch):
    batch = make_batch(amount=10)
    kiosk, office = make_seller(organizer), make_seller(organizer, "Tourist office")
    delivery = handed_over(batch, kiosk, "1-6, 8")
    assert (delivery.count, delivery.value, delivery.currency) == (7, Decimal("161.00"), "EUR")
    handed_over(batch, office, "2-3")
    handed_over(batch, None, "8")
    assert held(kiosk, batch) == [1, 4, 5, 6]
    assert held(office, batch) == [2, 3]
    assert held(None, batch) == [7, 8, 9, 10]
    assert ledger() == [
        ("delivery", 1, None, "Kiosk", [[1, 6], [8, 8]]),
        ("transfer", 1, "Kiosk", "Tourist office", [[2, 3]]),
        ("take_back", 1, "Kiosk", None, [[8, 8]]),
    ]


@pytest.mark.django_db
def test_what_is_not_at_one_place_is_not_handed_over_at_all(organizer, make_batch):
    batch = make_batch(amount=5)
    kiosk, office = make_seller(organizer), make_seller(organizer, "Tourist office")
    handed_over(batch, kiosk, "2-3")
    with pytest.raises(NotHandedOver) as caught:
        handed_over(batch, office, "1-5, 9")
    assert caught.value.field == "tickets"
    refused = [(choice.value, reason) for choice, reason in caught.value.refused]
    assert refused == [("2", "held_elsewhere"), ("3", "held_elsewhere"), ("9", "unknown")]
    assert held(office, batch) == []
    assert Document.objects.count() == 1
