"""Returns that are undone, and tickets that get new codes, through the REST API. The selectors are those of returns."""

import pytest

from pretix_offlinesales.models import Job
from tests.support.answers import NONSENSE, skipped, states

KINDS = ("undo", "replace")


def secrets(batch):
    return [ticket.order.positions.get().secret for ticket in batch.tickets.order_by("number")]


def test_undo_all_that_were_returned(ask_for, ordered):
    batch, codes = ordered
    ask_for("return", batch, tickets="2-3")
    before = secrets(batch)
    assert ask_for("undo", batch, all=True) == {"undone": codes[1:3], "skipped": []}
    assert (states(batch), secrets(batch)) == (["p"] * 4, before)
    assert ask_for("undo", batch, all=True) == {"undone": [], "skipped": []}


def test_undo_some(ask_for, ordered):
    batch, codes = ordered
    ask_for("return", batch, tickets="1-2")
    assert ask_for("undo", batch, tickets="2-3,9") == {
        "undone": codes[1:2],
        "skipped": [skipped(codes[2], "3", "not_canceled"), skipped(None, "9", "unknown")],
    }


def test_replace(ask_for, ordered, event):
    batch, codes = ordered
    gate = event.checkin_lists.create(name="Gate", all_products=True)
    gate.checkins.create(position=batch.tickets.get(number=2).order.positions.get())
    before = secrets(batch)
    assert ask_for("replace", batch, orders=codes[:2]) == {
        "replaced": codes[:1],
        "skipped": [skipped(codes[1], codes[1], "checked_in")],
    }
    assert [old == new for old, new in zip(before, secrets(batch), strict=True)] == [False, True, True, True]


@pytest.mark.parametrize("what", KINDS)
def test_a_trial_changes_nothing(ask_for, ordered, what):
    batch, codes = ordered
    ask_for("return", batch, tickets="1")
    before = states(batch), secrets(batch)
    answer = ask_for(what, batch, tickets="1-2", dry_run=True)
    assert {len(line) for line in answer.values()} == {1}
    assert (states(batch), secrets(batch)) == before


@pytest.mark.parametrize("what", KINDS)
def test_nonsense_names_the_field(api, url, store_batch, what):
    batch = store_batch()
    for body, fields in [*NONSENSE[::9], ({"all": True, "kind": "lost"}, ["kind"])]:
        if "kind" in fields or "kind" not in body:
            response = api.post(f"{url}{batch.pk}/{what}/", body, format="json")
            assert (response.status_code, sorted(response.data)) == (400, sorted(fields)), body
    assert Job.objects.count() == 0


def test_the_result_of_one_is_not_that_of_another(api, url, ordered):
    batch, _codes = ordered
    check = api.post(f"{url}{batch.pk}/undo/", {"all": True}, format="json").data["check"]
    assert api.get(check).status_code == 409
    assert api.get(check.replace("/undo/", "/replace/")).status_code == 404
    assert api.get(check.replace("/undo/", "/return/")).status_code == 404
