"""Tickets whose paper is lost, through the REST API. The selectors are those of returns."""

import pytest
from pretix.base.models import LogEntry, OrderPosition

from pretix_offlinesales.models import Job
from tests.support.answers import HOST, NONSENSE, skipped, states

BLOCK = "offlinesales:lost"


def blocked(batch):
    return [ticket.order.positions.get().blocked for ticket in batch.tickets.order_by("number")]


def test_asking_answers_where_to_check(api, url, store_batch):
    batch = store_batch()
    response = api.post(f"{url}{batch.pk}/lost/", {"all": True}, format="json")
    job = Job.objects.get()
    assert (response.status_code, response.data) == (202, {"check": f"{HOST}{url}{batch.pk}/lost/{job.pk}/"})
    listed = api.get(f"{url}jobs/?kind=lost").data["results"]
    assert [(each["kind"], each["amount"], each["check"]) for each in listed] == [
        ("lost", None, response.data["check"])
    ]


@pytest.mark.parametrize("what", ["tickets", "orders", "secrets", "all"])
def test_lost_and_found_again(ask_for, ordered, what):
    batch, codes = ordered
    scanned = list(OrderPosition.objects.filter(order__code__in=codes[1:3]).values_list("secret", flat=True))
    ask_for("return", batch, orders=[codes[0], codes[3]])
    named = {"tickets": "2-3", "orders": codes[1:3], "secrets": scanned, "all": True}
    asked = {what: named[what]}
    assert ask_for("lost", batch, **asked) == {"lost": codes[1:3], "skipped": []}
    assert (blocked(batch), states(batch)) == ([None, [BLOCK], [BLOCK], None], ["c", "p", "p", "c"])
    assert ask_for("undo", batch, of="lost", **asked) == {"undone": codes[1:3], "skipped": []}
    assert (blocked(batch), states(batch)) == ([None] * 4, ["c", "p", "p", "c"])


def test_each_undo_undoes_one_thing_only(ask_for, ordered):
    batch, codes = ordered
    ask_for("lost", batch, tickets="1-2")
    ask_for("return", batch, tickets="2-3", kind="lost")
    first, second, third, fourth = codes
    assert ask_for("undo", batch, of="lost", tickets="1-4", dry_run=True) == {
        "undone": [first],
        "skipped": [
            skipped(second, "2", "already_canceled"),
            skipped(third, "3", "already_canceled"),
            skipped(fourth, "4", "not_lost"),
        ],
    }
    for values in ({}, {"of": "return"}):
        assert ask_for("undo", batch, tickets="1-4", dry_run=True, **values) == {
            "undone": [second, third],
            "skipped": [skipped(first, "1", "not_canceled"), skipped(fourth, "4", "not_canceled")],
        }
    assert blocked(batch) == [[BLOCK], [BLOCK], None, None]
    assert ask_for("undo", batch, all=True)["undone"] == [second, third]
    assert ask_for("undo", batch, of="lost", all=True)["undone"] == [first, second]
    assert (blocked(batch), states(batch)) == ([None] * 4, ["p"] * 4)


def test_what_is_left_alone_is_named(event, ask_for, ordered):
    batch, codes = ordered
    first, second, third, fourth = codes
    gate = event.checkin_lists.create(name="Gate", all_products=True)
    gate.checkins.create(position=batch.tickets.get(number=1).order.positions.get())
    ask_for("return", batch, tickets="2")
    ask_for("lost", batch, tickets="3")
    assert ask_for("lost", batch, tickets="1-5") == {
        "lost": [fourth],
        "skipped": [
            skipped(first, "1", "checked_in"),
            skipped(second, "2", "already_canceled"),
            skipped(third, "3", "already_lost"),
            skipped(None, "5", "unknown"),
        ],
    }
    assert ask_for("replace", batch, tickets="3") == {"replaced": [], "skipped": [skipped(third, "3", "lost")]}


@pytest.mark.parametrize(("what", "values"), [("lost", {}), ("undo", {"of": "lost"})])
def test_a_trial_changes_nothing(ask_for, ordered, what, values):
    batch, codes = ordered
    ask_for("lost", batch, tickets="1")
    before = blocked(batch), LogEntry.objects.count()
    answer = ask_for(what, batch, tickets="1-2", dry_run=True, **values)
    assert [len(lines) for lines in answer.values()] == [1, 1]
    assert (blocked(batch), LogEntry.objects.count()) == before


@pytest.mark.parametrize(("what", "values"), [("lost", {}), ("undo", {"of": "lost"})])
def test_who_asked_is_in_the_history(token, ask_for, ordered, what, values):
    batch, _codes = ordered
    ask_for("lost", batch, tickets="1")
    if what == "undo":
        ask_for(what, batch, tickets="1", **values)
    entries = batch.tickets.get(number=1).order.all_logentries().order_by("-pk")[:2]
    change, name = {"lost": ("add_block", "lost"), "undo": ("remove_block", "undone.lost")}[what]
    assert [(entry.action_type, entry.api_token) for entry in entries] == [
        (f"pretix_offlinesales.order.{name}", token),
        (f"pretix.event.order.changed.{change}", token),
    ]
    entry = batch.all_logentries().order_by("-pk")[0]
    assert (entry.action_type, entry.api_token) == (f"pretix_offlinesales.batch.{name}", token)


def test_nonsense_names_the_field(api, url, store_batch):
    batch = store_batch()
    others = [({"all": True, "of": "lost"}, ["of"]), ({"all": True, "kind": "lost"}, ["kind"])]
    for body, fields in [*NONSENSE[::9], *others]:
        if "kind" in fields or "kind" not in body:
            response = api.post(f"{url}{batch.pk}/lost/", body, format="json")
            assert (response.status_code, sorted(response.data)) == (400, sorted(fields)), body
    assert Job.objects.count() == 0


@pytest.mark.parametrize("of", [None, "", "replace", "Lost", "sold out", 1, True, [], ["lost"], {"lost": 1}])
def test_an_unknown_thing_can_not_be_undone(api, url, store_batch, of):
    response = api.post(f"{url}{store_batch().pk}/undo/", {"all": True, "of": of}, format="json")
    assert (response.status_code, list(response.data)) == (400, ["of"])
    assert Job.objects.count() == 0


def test_tickets_of_others_are_unknown(ask_for, make_batch, ordered, series, api):
    batch, codes = ordered
    other = make_batch(amount=1)
    [elsewhere] = [ticket.order.code for ticket in other.tickets.all()]
    assert ask_for("lost", batch, orders=[elsewhere]) == {
        "lost": [],
        "skipped": [skipped(None, elsewhere, "unknown")],
    }
    place = f"/api/v1/organizers/{series.organizer.slug}/events/{series.slug}/offlinesalesbatches/{batch.pk}/"
    assert api.post(f"{place}lost/", {"all": True}, format="json").status_code == 404
    assert api.post(f"{place}undo/", {"all": True, "of": "lost"}, format="json").status_code == 404
    assert (blocked(batch), blocked(other)) == ([None] * 4, [None])


def test_the_result_of_one_is_not_that_of_another(api, url, ordered, worker):
    batch, codes = ordered
    with worker():
        check = api.post(f"{url}{batch.pk}/lost/", {"all": True}, format="json").data["check"]
    assert api.get(check).data == {"lost": codes, "skipped": []}
    for other in ("undo", "return", "replace"):
        assert api.get(check.replace("/lost/", f"/{other}/")).status_code == 404
