"""Tickets come back, through the REST API."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.utils.timezone import now
from pretix.base.models import LogEntry

from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.kinds import RETURN
from pretix_offlinesales.models import Job
from tests.support.answers import HOST, NONSENSE, skipped, states


@pytest.fixture
def give_back(ask_for):
    """``give_back(batch, tickets="1-2")``"""
    return partial(ask_for, "return")


def test_asking_answers_where_to_check(api, url, store_batch):
    batch = store_batch()
    response = api.post(f"{url}{batch.pk}/return/", {"all": True}, format="json")
    job = Job.objects.get()
    check = f"{HOST}{url}{batch.pk}/return/{job.pk}/"
    assert (response.status_code, response.data) == (202, {"check": check})


def test_all(give_back, ordered):
    batch, codes = ordered
    assert give_back(batch, all=True) == {"returned": codes, "skipped": []}
    assert states(batch) == ["c"] * 4
    assert give_back(batch, all=True) == {"returned": [], "skipped": []}


def test_ranges_of_numbers(give_back, ordered):
    batch, codes = ordered
    assert give_back(batch, tickets="3, 1-2,9") == {"returned": codes[:3], "skipped": [skipped(None, "9", "unknown")]}
    assert give_back(batch, tickets="3, 1-2,9") == {
        "returned": [],
        "skipped": [
            skipped(codes[0], "1", "already_canceled"),
            skipped(codes[1], "2", "already_canceled"),
            skipped(codes[2], "3", "already_canceled"),
            skipped(None, "9", "unknown"),
        ],
    }
    assert states(batch) == ["c", "c", "c", "p"]


def test_order_codes(give_back, ordered):
    batch, codes = ordered
    assert give_back(batch, orders=[codes[3], "NOPE", codes[1]]) == {
        "returned": [codes[1], codes[3]],
        "skipped": [skipped(None, "NOPE", "unknown")],
    }


def test_ticket_secrets(give_back, ordered):
    batch, codes = ordered
    secrets = [ticket.order.positions.get().secret for ticket in batch.tickets.order_by("number")]
    assert give_back(batch, secrets=[secrets[2], "nope"]) == {
        "returned": [codes[2]],
        "skipped": [skipped(None, "nope", "unknown")],
    }


def test_tickets_that_were_let_in_are_skipped(event, give_back, ordered):
    batch, codes = ordered
    gate = event.checkin_lists.create(name="Gate", all_products=True)
    gate.checkins.create(position=batch.tickets.get(number=2).order.positions.get())
    assert give_back(batch, tickets="2") == {"returned": [], "skipped": [skipped(codes[1], "2", "checked_in")]}


def test_a_trial_changes_nothing(give_back, ordered):
    batch, codes = ordered
    before = LogEntry.objects.count()
    assert give_back(batch, tickets="1,5", dry_run=True) == {
        "returned": codes[:1],
        "skipped": [skipped(None, "5", "unknown")],
    }
    assert (states(batch), LogEntry.objects.count()) == (["p"] * 4, before)


@pytest.mark.parametrize("kind", [None, "unsold", "lost", "damaged"])
def test_the_kind_is_stored_and_who_asked_is_in_the_history(token, give_back, ordered, kind):
    batch, codes = ordered
    give_back(batch, tickets="1", **({"kind": kind} if kind else {}))
    ticket = batch.tickets.get(number=1)
    assert ticket.return_kind == (kind or "unsold")
    entries = ticket.order.all_logentries().exclude(action_type__contains="issued").order_by("pk")[3:]
    assert [(entry.action_type, entry.api_token) for entry in entries] == [
        ("pretix.event.order.canceled", token),
        ("pretix.event.order.refund.created", token),
        ("pretix.event.order.refund.done", token),
        ("pretix_offlinesales.order.returned", token),
    ]


@pytest.mark.parametrize(("body", "fields"), NONSENSE, ids=str)
def test_nonsense_names_the_field(api, url, store_batch, body, fields):
    response = api.post(f"{url}{store_batch().pk}/return/", body, format="json")
    assert (response.status_code, sorted(response.data)) == (400, sorted(fields))
    assert Job.objects.count() == 0


def test_the_message_says_what_is_wrong(api, url, store_batch):
    response = api.post(f"{url}{store_batch().pk}/return/", {"tickets": "1, 5-2"}, format="json")
    assert response.json() == {"tickets": ["“5-2” is not a range of ticket numbers."]}


def test_the_same_idempotency_key_asks_once(api, url, store_batch):
    address, key = f"{url}{store_batch().pk}/return/", {"X-Idempotency-Key": "a"}
    first, again = (api.post(address, {"all": True}, format="json", headers=key) for _ in range(2))
    assert (again.status_code, again.json(), Job.objects.count()) == (202, first.json(), 1)


@pytest.mark.parametrize("completed", [None, "other"])
def test_an_unknown_batch_is_not_found(api, url, store_batch, completed):
    batch = store_batch(completed=None)
    pk = batch.pk + 1 if completed == "other" else batch.pk
    assert api.post(f"{url}{pk}/return/", {"all": True}, format="json").status_code == 404


# Waiting for it


@pytest.fixture
def returning(store_batch, store_job):
    """``returning(state)``: a returning job, and its path below the batches' address."""

    def returning(state=Job.State.SUCCEEDED, **values):
        job = store_job(store_batch(), RETURN, state, selection={"all": True}, **values)
        return job, f"{job.batch_id}/return/{job.pk}/"

    return returning


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_job_that_is_not_done_asks_to_come_back_in_a_second(api, url, returning, state):
    job, path = returning(state)
    with locked(job):
        response = api.get(url + path)
    assert (response.status_code, response.data, response["Retry-After"]) == (409, {"status": state}, "1")


def test_a_job_that_failed_says_why(api, url, returning):
    job, path = returning(Job.State.FAILED, message="The dog ate it.")
    response = api.get(url + path)
    assert (response.status_code, response.data) == (410, {"status": "failed", "message": "The dog ate it."})


@pytest.mark.parametrize(("age", "status"), [(timedelta(hours=23, minutes=59), 200), (timedelta(hours=24), 404)])
def test_results_live_24_hours(api, url, returning, age, status):
    job, path = returning(finished=now() - age)
    assert api.get(url + path).status_code == status


@pytest.mark.parametrize("value", [uuid.UUID(int=1), "x", "%00", "0"])
def test_an_unknown_job_is_not_found(api, url, returning, value):
    job, path = returning()
    assert api.get(f"{url}{job.batch_id}/return/{value}/").status_code == 404
    assert api.get(f"{url}{value}/return/{job.pk}/").status_code == 404


def test_jobs_of_another_batch_event_or_kind_are_not_found(api, url, organizer, series, store_job, returning):
    (job, path), (other, _path) = returning(), returning()
    issuing = store_job(job.batch)
    elsewhere = f"/api/v1/organizers/{organizer.slug}/events/{series.slug}/offlinesalesbatches/"
    assert api.get(elsewhere + path).status_code == 404
    assert api.get(f"{url}{other.batch_id}/return/{job.pk}/").status_code == 404
    assert api.get(f"{url}{job.batch_id}/return/{issuing.pk}/").status_code == 404
    assert api.get(f"{url}check/{job.pk}/").status_code == 404
