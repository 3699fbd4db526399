"""Sellers are written, and what was done in their histories."""

from datetime import date
from decimal import Decimal

import pytest
from pretix.base.models import LogEntry, Organizer

from pretix_offlinesales.models import Seller
from pretix_offlinesales.sellers.payments import write_payment
from pretix_offlinesales.sellers.records import NotDeleted, add, change, delete, erase, problems, rates_of
from pretix_offlinesales.sellers.terms import Rate
from tests.support.sellers import NOBODY, handed_over, make_seller
from tests.support.statements import sell, state

PERSON = {
    "name": "Kiosk Mueller",
    "identifier": "K-1",
    "contact": "Eva Mueller",
    "email": "eva@example.org",
    "phone": "+49 30 1234",
    "address": "Hauptstr. 1",
    "vat_id": "DE123",
    "comment": "Eva likes coffee",
}


@pytest.fixture
def seller(organizer, user):
    seller = Seller(organizer=organizer, commission_percent=Decimal("10.00"), **PERSON)
    add(seller, {"user": user})
    return seller


def history():
    entries = LogEntry.objects.filter(action_type__startswith="pretix_offlinesales.seller.").order_by("pk")
    return [(entry.action_type.rsplit(".")[-1], entry.parsed_data, entry.user) for entry in entries]


@pytest.mark.django_db
def test_who_is_added_is_in_the_history(seller, user, organizer):
    said = PERSON | {
        "active": True,
        "commission_percent": "10.00",
        "commission_fixed": 0,
        "commission_invoiced_by": "organizer",
        "deadline_action": "keep",
        "firm": False,
        "payment_days": 14,
    }
    assert history() == [("added", said, user)]
    assert LogEntry.objects.get().organizer == organizer


@pytest.mark.django_db
def test_only_what_differs_is_written(seller, user):
    Seller.objects.filter(pk=seller.pk).update(currency="EUR")  # meanwhile
    assert change(seller, {"name": "Kiosk", "email": "eva@example.org"}, {"user": user})
    seller.refresh_from_db()
    assert (seller.name, seller.currency) == ("Kiosk", "EUR")
    assert not change(seller, {"name": "Kiosk"}, {"user": user})
    assert history()[1:] == [("changed", {"name": "Kiosk"}, user)]


@pytest.mark.django_db
def test_commissions_of_products(seller, item, user):
    rates = {item.pk: Rate(Decimal("5.00"), Decimal("0.10"))}
    assert change(seller, {}, {"user": user}, rates)
    assert rates_of(seller) == rates
    assert not change(seller, {}, {"user": user}, rates)
    assert not change(seller, {}, {"user": user})
    assert change(seller, {}, {"user": user}, {})
    assert rates_of(seller) == {}
    said = [{"item": item.pk, "commission_percent": "5.00", "commission_fixed": "0.10"}]
    assert [data for _action, data, _user in history()[1:]] == [
        {"product_commissions": said},
        {"product_commissions": []},
    ]


@pytest.mark.django_db
def test_identifiers_are_unique_in_the_organizer(seller, organizer):
    other = make_seller(organizer, "Other")
    elsewhere = Organizer.objects.create(name="Circus", slug="circus")
    message = {"identifier": "Another seller has this identifier already."}
    assert problems(organizer, None, {"identifier": "K-1"}) == message
    assert problems(organizer, other, {"identifier": "K-1"}) == message
    assert problems(organizer, seller, {"identifier": "K-1"}) == {}
    assert problems(organizer, other, {"identifier": ""}) == {}
    assert problems(elsewhere, None, {"identifier": "K-1"}) == {}


@pytest.mark.django_db
def test_the_currency_stays_once_there_were_tickets(seller, organizer, make_batch):
    seller.currency = "USD"
    seller.save()
    assert problems(organizer, seller, {"currency": "EUR"}) == {}
    seller.currency = ""
    seller.save()
    handed_over(make_batch(), seller, "1")
    seller.refresh_from_db()
    assert seller.currency == "EUR"
    assert problems(organizer, seller, {"currency": "USD"}) == {
        "currency": "The seller has been handed tickets that are sold in EUR, so this cannot be changed any more."
    }
    assert problems(organizer, seller, {"name": "Kiosk"}) == {}


@pytest.mark.django_db
def test_who_never_held_anything_can_be_deleted_with_her_history(seller, user):
    delete(seller, {"user": user})
    assert not Seller.objects.exists()
    assert history()[1:] == [("deleted", {"seller": seller.pk}, user)]
    assert not leaks()


@pytest.mark.django_db
def test_who_held_something_once_can_not_be_deleted(seller, user, make_batch):
    batch = make_batch()
    handed_over(batch, seller, "1")
    handed_over(batch, None, "1")
    with pytest.raises(NotDeleted):
        delete(seller, {"user": user})
    assert Seller.objects.get() == seller
    assert [action for action, *_rest in history()] == ["added", "handed_over", "handed_over"]


@pytest.mark.django_db
def test_nothing_is_left_of_a_person_that_is_erased(seller, user, organizer):
    change(seller, {"comment": "Eva has moved"}, {"user": user})
    erase(seller, {"user": user})
    seller.refresh_from_db()
    assert (seller.name, seller.active, seller.commission_percent) == (f"Deleted seller {seller.pk}", False, 10)
    assert {getattr(seller, name) for name in PERSON if name != "name"} == {""}
    assert seller.erased
    assert [action for action, _data, _user in history()] == ["added", "changed", "erased"]
    assert history()[0][1]["commission_percent"] == "10.00"
    assert not leaks()
    assert problems(organizer, seller, {"name": "Kiosk"}) == {
        "name": "The data of this seller was deleted. Please create a new one."
    }


def leaks():
    """What the histories still say of the person."""
    histories = " ".join(LogEntry.objects.values_list("data", flat=True))
    return [value for value in PERSON.values() if value in histories] + ["Eva"] * ("Eva" in histories)


@pytest.mark.django_db
def test_references_of_payments_are_erased_too(seller, user, event, make_batch):
    sell(make_batch(amount=2), seller, "1")
    payment, _settled = write_payment(state(seller, event), Decimal("9.00"), date(2027, 5, 8), "Eva, in cash", NOBODY)
    erase(seller, {"user": user})
    payment.refresh_from_db()
    assert (payment.reference, payment.amount) == ("", Decimal("9.00"))
    assert "Eva" not in str(history())
