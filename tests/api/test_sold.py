"""Tickets that are declared as sold, through the REST API, and “all but these”."""

import pytest
from pretix.base.models import OrderPosition, Organizer

from pretix_offlinesales.models import Job
from pretix_offlinesales.tickets.state import state_of_ticket, with_state
from tests.support.answers import HOST, NONSENSE, skipped
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


def states(batch):
    return [str(state_of_ticket(ticket)) for ticket in with_state(batch.tickets.order_by("number"))]


@pytest.fixture
def kiosk(organizer, ordered):
    batch, _codes = ordered
    seller = make_seller(organizer)
    handed_over(batch, seller, "1-3")
    return seller


def test_asking_answers_where_to_check(api, url, store_batch):
    batch = store_batch()
    response = api.post(f"{url}{batch.pk}/sold/", {"all": True}, format="json")
    job = Job.objects.get()
    assert (response.status_code, response.data) == (202, {"check": f"{HOST}{url}{batch.pk}/sold/{job.pk}/"})
    listed = api.get(f"{url}jobs/?kind=sold").data["results"]
    assert [(each["kind"], each["amount"], each["check"]) for each in listed] == [
        ("sold", None, response.data["check"])
    ]


@pytest.mark.parametrize("what", ["tickets", "orders", "secrets", "all", "all_but"])
def test_sold_and_not(ask_for, ordered, what):
    batch, codes = ordered
    scanned = list(OrderPosition.objects.filter(order__code__in=codes[1:3]).values_list("secret", flat=True))
    ask_for("return", batch, orders=[codes[0]])
    ask_for("lost", batch, orders=[codes[3]])
    named = {"tickets": "2-3", "orders": codes[1:3], "secrets": scanned, "all": True, "all_but": "4"}
    assert ask_for("sold", batch, dry_run=True, **{what: named[what]}) == {"sold": codes[1:3], "skipped": []}
    assert states(batch) == ["returned", "stock", "stock", "lost"]
    assert ask_for("sold", batch, **{what: named[what]}) == {"sold": codes[1:3], "skipped": []}
    assert states(batch) == ["returned", "sold", "sold", "lost"]
    assert ask_for("undo", batch, of="sold", **{what: named[what]}) == {"undone": codes[1:3], "skipped": []}
    assert states(batch) == ["returned", "stock", "stock", "lost"]


def test_all_but_some(ask_for, ordered):
    batch, codes = ordered
    assert ask_for("sold", batch, all_but="2, 4") == {"sold": [codes[0], codes[2]], "skipped": []}
    assert ask_for("sold", batch, all_but="2, 4") == {"sold": [], "skipped": []}  # there are no others left
    assert ask_for("sold", batch, all_but="") == {"sold": [codes[1], codes[3]], "skipped": []}
    assert ask_for("return", batch, all_but="1", dry_run=True)["returned"] == codes[1:]


def test_all_that_a_seller_holds(ask_for, ordered, kiosk):
    batch, codes = ordered
    for values in ({"all": True}, {"all_but": ""}):
        assert ask_for("sold", batch, seller=kiosk.pk, dry_run=True, **values) == {"sold": codes[:3], "skipped": []}
    assert ask_for("sold", batch, seller=kiosk.pk, all_but="2-3") == {"sold": codes[:1], "skipped": []}
    assert ask_for("sold", batch, seller=kiosk.pk, tickets="2, 4") == {
        "sold": [codes[1]],
        "skipped": [skipped(codes[3], "4", "held_elsewhere")],
    }
    assert states(batch) == ["sold", "sold", "held", "stock"]


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"all_but": "1, 17"}, "all_but", "17 (unknown)"),
        ({"all_but": "4", "seller": "kiosk"}, "all_but", "4 (somewhere else)"),
        ({"all_but": "book 1"}, "all_but", "has no books"),
        ({"all": True, "seller": "nobody"}, "seller", "does not exist"),
        ({"all": True, "seller": "foreign"}, "seller", "does not exist"),
        ({"seller": "kiosk"}, "tickets", "exactly one"),
    ],
)
def test_what_is_not_meant_is_named(api, url, ordered, kiosk, organizer, values, field, message):
    batch, _codes = ordered
    sellers = {
        "kiosk": kiosk,
        "nobody": make_seller(organizer, "Nobody"),
        "foreign": make_seller(Organizer.objects.create(name="Circus", slug="circus")),
    }
    if "seller" in values:
        values = values | {"seller": sellers[values["seller"]].pk}
    before = Job.objects.count()
    response = api.post(f"{url}{batch.pk}/sold/", values, format="json")
    assert response.status_code == 400
    assert message in str(response.data[field][0])
    assert Job.objects.count() == before


@pytest.mark.parametrize(("values", "fields"), [each for each in NONSENSE if "kind" not in each[0]])
def test_nonsense_names_the_field(api, url, store_batch, values, fields):
    response = api.post(f"{url}{store_batch().pk}/sold/", values, format="json")
    assert (response.status_code, sorted(response.data)) == (400, sorted(fields))


def test_undoing_knows_three_things(api, url, store_batch):
    response = api.post(f"{url}{store_batch().pk}/undo/", {"all": True, "of": "nonsense"}, format="json")
    assert (response.status_code, list(response.data)) == (400, ["of"])


def test_the_result_belongs_to_its_address(api, ask_for, url, ordered):
    batch, _codes = ordered
    ask_for("sold", batch, tickets="1")
    job = Job.objects.get(kind="sold")
    assert api.get(f"{url}{batch.pk}/undo/{job.pk}/").status_code == 404
    assert api.get(f"{url}{batch.pk}/lost/{job.pk}/").status_code == 404
