"""Sellers in the API: of an organizer, over all events."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import LogEntry, Order, Organizer

from pretix_offlinesales.models import Job, OfflineSalesTicket, Seller
from tests.support.sellers import handed_over, make_seller


@pytest.fixture
def sellers(organizer):
    """Their address."""
    return f"/api/v1/organizers/{organizer.slug}/offlinesalessellers/"


@pytest.fixture
def post(api, sellers):
    return lambda **values: api.post(sellers, values, format="json")


@pytest.fixture
def patch(api, sellers):
    return lambda seller, **values: api.patch(f"{sellers}{seller.pk}/", values, format="json")


ALL = {
    "name": "Kiosk at the harbour",
    "identifier": "K-17",
    "email": "kiosk@example.org",
    "phone": "+49 40 1234",
    "address": "Quay 1\n20457 Hamburg",
    "vat_id": "DE123",
    "locale": "de",
    "currency": "EUR",
    "active": True,
    "comment": "Closed on Mondays",
    "commission_percent": "10.00",
    "commission_fixed": "0.50",
    "commission_tax_rate": "19.00",
    "credit_limit": "1000.00",
    "firm": False,
    "deadline_days": 3,
    "deadline_action": "sold",
    "payment_days": 30,
    "contact": "Ms. Jansen",
    "commission_tax_text": "",
    "commission_invoiced_by": "seller",
    "product_commissions": [],
}

DEFAULTS = dict.fromkeys(ALL, "") | {
    "active": True,
    "commission_percent": "0.00",
    "commission_fixed": "0.00",
    "commission_tax_rate": None,
    "credit_limit": None,
    "firm": False,
    "deadline_days": None,
    "deadline_action": "keep",
    "payment_days": 14,
    "commission_invoiced_by": "organizer",
    "product_commissions": [],
}

NOTHING_YET = {"balance": "0.00", "owed": "0.00", "held": 0, "held_value": "0.00"}


def test_a_seller_with_all_that_can_be_said(api, sellers, post, organizer):
    made = post(**ALL)
    seller = Seller.objects.get(organizer=organizer)
    shown = {"id": seller.pk, **ALL}
    assert (made.status_code, made.json()) == (201, shown | NOTHING_YET)
    assert list(made.json()) == ["id", *ALL, *NOTHING_YET]
    assert api.get(f"{sellers}{seller.pk}/").json() == shown | NOTHING_YET
    assert api.get(sellers).json() == {"count": 1, "next": None, "previous": None, "results": [shown]}


def test_a_name_is_enough(post):
    made = post(name="Kiosk")
    assert (made.status_code, made.json()) == (
        201,
        {"id": made.json()["id"], **DEFAULTS, "name": "Kiosk", **NOTHING_YET},
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", None),
        ("name", "x" * 191),
        ("name", "Kiosk\0"),
        ("email", "nobody"),
        ("locale", "tlh"),
        ("currency", "XXQ"),
        ("currency", None),
        ("active", "perhaps"),
        ("commission_percent", "100.01"),
        ("commission_percent", "-1"),
        ("commission_percent", "NaN"),
        ("commission_fixed", "-0.01"),
        ("commission_tax_rate", "101"),
        ("credit_limit", "-1"),
        ("credit_limit", "1e400"),
        ("deadline_days", -1),
        ("deadline_days", 3651),
        ("deadline_days", 10**30),
        ("deadline_days", 1.5),
        ("deadline_action", "burn"),
        ("commission_invoiced_by", "nobody"),
        ("product_commissions", {}),
        ("product_commissions", [1]),
    ],
)
def test_what_is_wrong_is_named(post, patch, organizer, field, value):
    answer = post(**{"name": "Kiosk", field: value})
    assert (answer.status_code, set(answer.data)) == (400, {field})
    answer = patch(make_seller(organizer), **{field: value})
    assert (answer.status_code, set(answer.data)) == (400, {field})
    assert (Seller.objects.count(), LogEntry.objects.filter(action_type__contains=".seller.").count()) == (1, 0)


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "{", ""])
def test_nonsense_is_refused(api, sellers, body):
    assert api.post(sellers, body, content_type="application/json").status_code == 400


def test_an_identifier_is_given_once_in_an_organizer(post, patch, organizer):
    other = Organizer.objects.create(name="Circus", slug="circus")
    make_seller(other, identifier="K-2")
    kiosk, office = make_seller(organizer, identifier="K-1"), make_seller(organizer)
    assert set(post(name="Bookshop", identifier="K-1").data) == {"identifier"}
    assert set(patch(office, identifier="K-1").data) == {"identifier"}
    assert patch(kiosk, identifier="K-1").status_code == 200
    assert post(name="Bookshop", identifier="K-2").status_code == 201
    assert [post(name="Nameless", identifier="").status_code for _each in range(2)] == [201, 201]


def test_an_identifier_that_somebody_takes_meanwhile(post, organizer, monkeypatch):
    make_seller(organizer, identifier="K-1")
    monkeypatch.setattr("pretix_offlinesales.sellers.records.problems", lambda *args: {})
    answer = post(name="Bookshop", identifier="K-1")
    assert (answer.status_code, set(answer.data), Seller.objects.count()) == (400, {"identifier"}, 1)


def test_only_what_is_sent_changes(api, sellers, post, patch):
    seller = Seller.objects.get(pk=post(**ALL).data["id"])
    changed = patch(seller, comment="Moved", active=False, id=17)
    assert (changed.status_code, changed.json()) == (
        200,
        {"id": seller.pk, **ALL, "comment": "Moved", "active": False, **NOTHING_YET},
    )
    assert api.get(f"{sellers}{seller.pk}/").json() == changed.json()
    assert api.put(f"{sellers}{seller.pk}/", ALL, format="json").status_code == 405


def test_the_currency_is_that_of_what_she_was_handed(patch, organizer, make_batch):
    kiosk = make_seller(organizer, currency="USD")
    assert patch(kiosk, currency="EUR").status_code == 200
    handed_over(make_batch(), Seller.objects.get(pk=kiosk.pk), "1")
    answer = patch(kiosk, currency="USD")
    assert (answer.status_code, set(answer.data)) == (400, {"currency"})
    assert patch(kiosk, currency="EUR", comment="The same").status_code == 200


def test_products_have_commissions_of_their_own(post, patch, item, series_item):
    of_item = {"item": item.pk, "commission_percent": "5.00", "commission_fixed": "0.00"}
    of_other = {"item": series_item.pk, "commission_percent": "0.00", "commission_fixed": "1.25"}
    made = post(name="Kiosk", product_commissions=[{"item": item.pk, "commission_percent": 5}])
    assert made.json()["product_commissions"] == [of_item]
    seller = Seller.objects.get()
    assert patch(seller, comment="All else").json()["product_commissions"] == [of_item]
    changed = patch(seller, product_commissions=[of_other, of_item | {"commission_percent": "7.50"}]).json()
    rates = {each["item"]: each for each in changed["product_commissions"]}
    assert rates == {item.pk: of_item | {"commission_percent": "7.50"}, series_item.pk: of_other}
    assert patch(seller, product_commissions=[]).json()["product_commissions"] == []


def test_commissions_of_products_that_there_are_not(post, item, event):
    circus = Organizer.objects.create(name="Circus", slug="circus")
    show = circus.events.create(name="Show", slug="show", currency="EUR", date_from=event.date_from)
    foreign = show.items.create(name="Ticket", default_price=1)
    wanted = [{"item": key} for key in (item.pk, item.pk, foreign.pk, 0, 10**30)]
    answer = post(name="Kiosk", product_commissions=wanted[:3])
    unknown = ["There is no such product."]
    expected = [{}, {"item": ["This product is named twice."]}, {"item": unknown}]
    assert (answer.status_code, answer.json()) == (400, {"product_commissions": expected})
    assert [set(each) for each in post(name="Kiosk", product_commissions=wanted[3:]).json()["product_commissions"]] == [
        {"item"},
        {"item"},
    ]
    answer = post(name="Kiosk", product_commissions=[{"item": item.pk, "commission_percent": 101}])
    assert answer.json() == {
        "product_commissions": [{"commission_percent": ["Ensure this value is less than or equal to 100."]}]
    }


def test_what_she_holds_and_owes(api, sellers, organizer, make_batch):
    batch = make_batch(amount=5)
    kiosk = make_seller(organizer, commission_percent=Decimal("10"), commission_tax_rate=Decimal("19"))
    handed_over(batch, kiosk, "1-3")
    OfflineSalesTicket.objects.filter(batch=batch, number=2).update(sold=now())
    shown = api.get(f"{sellers}{kiosk.pk}/").json()
    # 23.00 less 2.30 and the tax on them, 0.44
    assert [shown[name] for name in NOTHING_YET] == ["0.00", "20.26", 2, "46.00"]


def test_who_never_held_anything_can_be_deleted(api, sellers, organizer):
    kiosk = make_seller(organizer)
    assert api.delete(f"{sellers}{kiosk.pk}/").status_code == 204
    assert not Seller.objects.exists()


@pytest.mark.parametrize("back", ["still there", "back", "passed on"])
def test_who_held_something_can_not_be_deleted_but_retired(api, sellers, patch, organizer, make_batch, back):
    batch, kiosk, office = make_batch(), make_seller(organizer), make_seller(organizer, "Office")
    handed_over(batch, kiosk, "1")
    if back != "still there":
        handed_over(batch, office if back == "passed on" else None, "1")
    answer = api.delete(f"{sellers}{kiosk.pk}/")
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "This seller has been handed tickets, and can only be deactivated."},
    )
    assert patch(kiosk, active=False).json()["active"] is False


def test_the_history_says_who_did_what(api, sellers, post, patch, organizer, token):
    kiosk = Seller.objects.get(pk=post(name="Kiosk", commission_percent=10).data["id"])
    patch(kiosk, firm=True, commission_percent="10.00")
    patch(kiosk, firm=True)
    api.delete(f"{sellers}{kiosk.pk}/")
    entries = LogEntry.objects.filter(action_type__contains=".seller.").order_by("pk")
    assert [(entry.action_type, entry.organizer, entry.api_token, entry.object_id) for entry in entries] == [
        (f"pretix_offlinesales.seller.{what}", organizer, token, kiosk.pk) for what in ("added", "changed", "deleted")
    ]
    assert entries[1].parsed_data == {"firm": True}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Kiosk", "Bookshop", "Tourist office"]),
        ({"active": "true"}, ["Kiosk", "Tourist office"]),
        ({"active": "false"}, ["Bookshop"]),
        ({"identifier": "B-1"}, ["Bookshop"]),
        ({"identifier": "b"}, []),
        ({"search": "office"}, ["Tourist office"]),
        ({"search": "b-1"}, ["Bookshop"]),
        ({"search": "jansen"}, ["Kiosk"]),
        ({"search": "example.org"}, ["Tourist office"]),
        ({"search": "%"}, []),
        ({"ordering": "name"}, ["Bookshop", "Kiosk", "Tourist office"]),
        ({"ordering": "-name"}, ["Tourist office", "Kiosk", "Bookshop"]),
        ({"ordering": "-id"}, ["Tourist office", "Bookshop", "Kiosk"]),
        ({"ordering": "comment"}, ["Kiosk", "Bookshop", "Tourist office"]),
    ],
)
def test_filters(api, sellers, organizer, query, names):
    make_seller(organizer, "Kiosk", contact="Ms. Jansen")
    make_seller(organizer, "Bookshop", identifier="B-1", active=False)
    make_seller(organizer, "Tourist office", email="office@example.org")
    assert [seller["name"] for seller in api.get(sellers, query).json()["results"]] == names


def test_nonsense_names_the_filter(api, sellers):
    answer = api.get(sellers, {"active": "x"})
    assert (answer.status_code, set(answer.data)) == (400, {"active"})


def test_more_sellers_cost_no_more_queries(api, sellers, organizer, item):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert api.get(sellers).status_code == 200
        return len(captured)

    for name in ("Kiosk", "Bookshop"):
        make_seller(organizer, name).product_commissions.create(item=item)
    queries()
    few = queries()
    for number in range(20):
        make_seller(organizer, f"Seller {number}").product_commissions.create(item=item)
    assert queries() == few


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_sellers_of_others_are_as_unknown_as_those_that_there_are_not(api, sellers, method):
    other = make_seller(Organizer.objects.create(name="Circus", slug="circus", plugins="pretix_offlinesales"))
    answers = [getattr(api, method)(f"{sellers}{pk}/") for pk in (other.pk, other.pk + 1, 10**30)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert api.get(sellers).json()["count"] == 0


def test_sums_have_as_many_digits_as_it_takes(api, sellers, organizer, make_batch):
    """A price may have eleven before the point, as its column has."""
    batch, kiosk = make_batch(amount=2), make_seller(organizer)
    Order.objects.update(total=Decimal("60000000000.00"))
    for number in ("1", "2"):
        handed_over(batch, kiosk, number)
    assert api.get(f"{sellers}{kiosk.pk}/").json()["held_value"] == "120000000000.00"


def test_who_is_deleted_is_named_nowhere(api, sellers, event, item, organizer):
    kiosk = make_seller(organizer, "Anna Miller")
    job = Job.objects.create(
        event=event,
        kind="issue_several",
        state="failed",
        finished=now(),
        locale="en",
        message="1 batch could not be issued: 1 × Ticket, Anna Miller: Sold out",
        request={"batches": [{"sales_channel_id": 1, "item_id": item.pk, "amount": 1, "seller_id": kiosk.pk}]},
        result={"refused": [[0, "Sold out"]]},
    )
    assert api.delete(f"{sellers}{kiosk.pk}/").status_code == 204
    job.refresh_from_db()
    assert job.message == "1 batch could not be issued: 1 × Ticket: Sold out"
