"""Tickets go from hand to hand in the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pretix.base.models import Device, Organizer

from pretix_offlinesales.models import READ_SELLERS, Document
from tests.support.sellers import handed_over, held, make_seller
from tests.support.ways import device


@pytest.fixture
def address(event):
    return f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/offlinesaleshandovers/"


@pytest.fixture
def give(api, address):
    """``give(kiosk, {batch: "1-3"})``: ask for it."""

    def give(seller, tickets, **values):
        numbers = {str(batch.pk): text for batch, text in tickets.items()}
        return api.post(address, {"seller": seller and seller.pk, "tickets": numbers, **values}, format="json")

    return give


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


def test_delivery_transfer_and_taking_back(give, organizer, kiosk, make_batch, series, token):
    batch, other = make_batch(amount=10), make_batch(amount=4)
    office = make_seller(organizer, "Tourist office")
    answer = give(kiosk, {batch: "1-5, 8", other: "2"}, comment="In a blue envelope")
    document = Document.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": document.pk,
            "number": 1,
            "kind": "delivery",
            "seller": kiosk.pk,
            "from": None,
            "to": kiosk.pk,
            "event": "night",
            "created": answer.json()["created"],
            "count": 7,
            "value": "161.00",
            "tickets": {str(batch.pk): "1-5, 8", str(other.pk): "2"},
            "currency": "EUR",
            "comment": "In a blue envelope",
        },
    )
    assert document.api_token == token
    transfer = give(office, {batch: "2,3"}).json()
    assert [transfer[name] for name in ("kind", "from", "to", "seller", "tickets")] == [
        *("transfer", kiosk.pk, office.pk, office.pk, {str(batch.pk): "2-3"})
    ]
    back = give(None, {batch: "8"}).json()
    assert [back[name] for name in ("kind", "from", "to", "seller", "number")] == [
        *("take_back", kiosk.pk, None, kiosk.pk, 1)
    ]
    assert (held(kiosk, batch), held(office, batch), held(kiosk, other)) == ([1, 4, 5], [2, 3], [2])


def test_all_or_nothing(give, organizer, kiosk, make_batch):
    batch, office = make_batch(amount=5), make_seller(organizer, "Tourist office")
    handed_over(batch, office, "2-3")
    answer = give(kiosk, {batch: "1-4, 6, 9"})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "tickets": {str(batch.pk): ["2-3: somewhere else", "6, 9: unknown"]},
            "refused": [
                {"batch": batch.pk, "tickets": "2-3", "reason": "held_elsewhere"},
                {"batch": batch.pk, "tickets": "6, 9", "reason": "unknown"},
            ],
        },
    )
    assert (held(kiosk, batch), Document.objects.count()) == ([], 1)
    assert give(kiosk, {batch: "9"}).json()["refused"] == [{"batch": batch.pk, "tickets": "9", "reason": "unknown"}]


def test_a_dry_run_says_what_would_be(give, organizer, kiosk, make_batch):
    batch, other = make_batch(amount=5), make_batch(amount=2)
    handed_over(batch, make_seller(organizer, "Tourist office"), "2-3")
    answer = give(kiosk, {other: "1-3", batch: "1-4"}, dry_run=True)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "kind": "delivery",
            "from": None,
            "to": kiosk.pk,
            "count": 4,
            "value": "92.00",
            "tickets": {str(batch.pk): "1, 4", str(other.pk): "1-2"},
            "refused": [
                {"batch": batch.pk, "tickets": "2-3", "reason": "held_elsewhere"},
                {"batch": other.pk, "tickets": "3", "reason": "unknown"},
            ],
        },
    )
    assert (held(kiosk, batch), Document.objects.count()) == ([], 1)


@pytest.mark.parametrize("dry_run", [True, False])
def test_sellers_who_can_not_get_them(give, organizer, make_batch, dry_run):
    batch = make_batch()
    retired = make_seller(organizer, active=False)
    foreign = make_seller(organizer, currency="USD")
    poor = make_seller(organizer, credit_limit=40)
    for seller in (retired, foreign, poor):
        answer = give(seller, {batch: "1-2"}, dry_run=dry_run)
        assert (answer.status_code, set(answer.json())) == (400, {"seller"})
    assert not Document.objects.exists()


def test_above_the_credit_limit(give, organizer, make_batch):
    batch, poor = make_batch(), make_seller(organizer, credit_limit=40)
    assert give(poor, {batch: "1-2"}).status_code == 400
    assert give(poor, {batch: "1-2"}, over_limit=True, dry_run=True).status_code == 200
    assert give(poor, {batch: "1-2"}, over_limit=True).status_code == 201
    assert held(poor, batch) == [1, 2]
    assert give(poor, {batch: "3"}, over_limit="x").json() == {"over_limit": ["Must be a valid boolean."]}


def test_who_may_not_change_sellers_confirms_nothing(api, address, organizer, make_batch, team):
    batch, kiosk = make_batch(), make_seller(organizer)
    asked = {"seller": kiosk.pk, "tickets": {str(batch.pk): "1"}, "over_limit": True}
    assert device(organizer).post(address, asked, format="json").status_code == 403
    team.all_organizer_permissions = False
    team.limit_organizer_permissions = {READ_SELLERS: True}
    team.save()
    assert api.post(address, asked, format="json").status_code == 403
    assert api.post(address, asked | {"over_limit": False}, format="json").status_code == 201


def test_sellers_of_others_are_as_unknown_as_those_that_there_are_not(give, api, address, make_batch):
    batch = make_batch()
    other = make_seller(Organizer.objects.create(name="Circus", slug="circus"))
    for pk in (other.pk, other.pk + 1, 0, -1, 10**30):
        answer = api.post(address, {"seller": pk, "tickets": {str(batch.pk): "1"}}, format="json")
        assert (answer.status_code, answer.json()) == (
            400,
            {"seller": [f'Invalid pk "{pk}" - object does not exist.']},
        )


@pytest.mark.parametrize("seller", ["x", "", True, 1.5, [], {}, "1e400"])
def test_what_is_no_seller(api, address, make_batch, seller):
    answer = api.post(address, {"seller": seller, "tickets": {str(make_batch().pk): "1"}}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"seller"})


@pytest.mark.parametrize("tickets", [None, [], {}, "1-3", 5, ["1"]])
def test_what_names_no_tickets(api, address, kiosk, tickets):
    answer = api.post(address, {"seller": kiosk.pk, "tickets": tickets}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"tickets"})
    assert isinstance(answer.json()["tickets"], list)


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "5-2", "0", "1-", "1,,x", "#1: 2", "1; DROP", "1\n#99: 5", "1-99999", 7, None, [], ["1"], "\0"],
)
def test_bad_numbers_name_their_batch(api, address, kiosk, make_batch, text):
    batch, good = make_batch(), make_batch()
    answer = api.post(address, {"seller": kiosk.pk, "tickets": {str(batch.pk): text, str(good.pk): "1"}}, format="json")
    assert (answer.status_code, list(answer.json()), list(answer.json()["tickets"])) == (
        400,
        ["tickets"],
        [str(batch.pk)],
    )
    assert not Document.objects.exists()


def test_too_many(api, address, kiosk, make_batch):
    batch, other = str(make_batch().pk), str(make_batch().pk)
    for tickets in ({batch: "1-9999", other: "1-9999"}, {batch: ",".join(["1-10000"] * 20)}):
        answer = api.post(address, {"seller": kiosk.pk, "tickets": tickets}, format="json")
        assert (answer.status_code, list(answer.json())) == (400, ["tickets"])


def test_batches_that_are_not_of_this_event(api, address, kiosk, make_batch, store_batch, series, series_item):
    of_other_event = store_batch(event=series, item=series_item)
    unfinished = store_batch(completed=None)
    keys = [str(of_other_event.pk), str(unfinished.pk), "0", "-1", "x", "", "1.0", "9" * 30, "١"]
    tickets = dict.fromkeys(keys, "1") | {str(make_batch().pk): "1"}
    answer = api.post(address, {"seller": kiosk.pk, "tickets": tickets}, format="json")
    unknown = ["There is no such batch in this event."]
    assert (answer.status_code, answer.json()) == (400, {"tickets": dict.fromkeys(keys, unknown)})
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("comment", 5), ("comment", None), ("dry_run", "true"), ("dry_run", 1), ("dryrun", True)]
)
def test_nonsense_names_the_field(give, kiosk, make_batch, field, value):
    answer = give(kiosk, {make_batch(): "1"}, **{field: value})
    assert (answer.status_code, set(answer.json())) == (400, {field})
    assert not Document.objects.exists()


def test_all_that_is_missing(api, address):
    answer = api.post(address, {}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"seller", "tickets"})
    assert api.post(address, "[]", content_type="application/json").status_code == 400


def test_the_same_idempotency_key_hands_over_once(api, address, kiosk, make_batch):
    body = {"seller": kiosk.pk, "tickets": {str(make_batch().pk): "1"}}
    headers = {"X-Idempotency-Key": "a"}
    first, again = (api.post(address, body, format="json", headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert Document.objects.count() == 1
    assert api.post(address, body, format="json", headers={"X-Idempotency-Key": "b"}).status_code == 400


def test_a_device_is_told_whom(organizer, address, kiosk, make_batch):
    body = {"seller": kiosk.pk, "tickets": {str(make_batch().pk): "1"}}
    assert device(organizer).post(address, body, format="json").status_code == 201
    assert Document.objects.get().device == Device.objects.get()


def test_it_can_only_be_posted(api, address):
    assert [getattr(api, method)(address).status_code for method in ("get", "put", "patch", "delete")] == [405] * 4


def test_more_tickets_and_batches_cost_no_more_queries(give, kiosk, make_batch):
    def queries(tickets):
        with CaptureQueriesContext(connection) as captured:
            assert give(kiosk, tickets).status_code == 201
        return len(captured)

    batches = [make_batch(amount=10) for _each in range(4)]
    queries({batches[0]: "1"})
    assert queries({batches[0]: "2"}) == queries(dict.fromkeys(batches[1:], "1-3, 5, 7-10"))
