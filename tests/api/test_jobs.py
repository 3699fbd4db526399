"""The list of jobs: whoever was cut off before the answer finds what became of the request."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.api.models import OAuthApplication
from pretix.base.models import Device

from pretix_offlinesales.kinds import ISSUE, MAKE_DATA, PRINT, RETURN, UNDO_LOST
from pretix_offlinesales.models import Job
from pretix_offlinesales.tickets.selection import Selection


@pytest.fixture
def listed(api, url):
    """``listed(state="waiting")``: the jobs that are listed with this filter."""

    def listed(**query):
        answer = api.get(f"{url}jobs/", query)
        assert answer.status_code == 200, answer.data
        return answer.json()["results"]

    return listed


def test_a_request_whose_answer_got_lost_is_found_and_followed(api, url, wanted, listed, token):
    asked = api.post(url, wanted | {"comment": "Anna Miller"}, format="json")
    [job] = listed()
    created = Job.objects.get().created
    assert job == {
        "id": str(Job.objects.get().pk),
        "kind": "issue",
        "state": "waiting",
        "progress": 0,
        "amount": 3,
        "batch": None,
        "created": created.isoformat().replace("+00:00", "Z"),
        "started": None,
        "finished": None,
        "message": "",
        "check": asked.data["check"],
        "requested_by": {"type": "token", "name": token.name},
    }


def test_a_batch_that_is_not_complete_is_its_job(listed, store_batch, store_job):
    batch = store_batch(completed=None)
    store_job(batch, state=Job.State.RUNNING)
    assert [(job["state"], job["batch"]) for job in listed()] == [("running", None)]
    batch.completed = now()
    batch.save()
    assert [job["batch"] for job in listed()] == [batch.pk]


def test_each_kind_says_where_to_ask(api, url, make_batch, ask_for, listed, worker, layout):
    batch = make_batch(amount=3)
    with worker():
        download = api.post(f"{url}{batch.pk}/render/", {"tickets": "2-3"}, format="json").data["download"]
    for what in ("return", "undo", "replace"):
        ask_for(what, batch, tickets="1")
    found = listed()
    assert [(job["kind"], job["state"], job["amount"], job["batch"]) for job in found] == [
        ("replace", "succeeded", None, batch.pk),
        ("undo", "succeeded", None, batch.pk),
        ("return", "succeeded", None, batch.pk),
        ("print", "succeeded", 2, batch.pk),
        ("issue", "succeeded", 3, batch.pk),
    ]
    assert found[3]["check"] == download
    assert [api.get(job["check"]).status_code for job in found] == [200] * 5


def test_what_only_the_backend_can_ask_for_has_no_address(event, listed, store_batch, store_job):
    batch = store_batch()
    store_job(batch, MAKE_DATA, request={})
    RETURN.ask(event, Selection.from_json({"lines": ["x"]}), {})
    assert [(job["kind"], job["amount"], job["batch"], job["check"]) for job in listed()] == [
        ("return", None, None, None),
        ("data", 3, batch.pk, None),
    ]


def test_a_print_whose_file_is_gone_has_no_address(listed, store_batch, store_job):
    store_job(store_batch(), PRINT).file.delete()
    assert [(job["amount"], job["check"]) for job in listed()] == [(3, None)]


def test_who_asked(event, user, token, organizer, listed, store_batch, store_job):
    app = OAuthApplication.objects.create(name="App", redirect_uris="https://example.org", user=user)
    device = Device.objects.create(organizer=organizer, name="Till")
    batch = store_batch()
    app_of_user = {"oauth_application": app, "user": user}
    for asked in ({"api_token": token}, {"device": device}, app_of_user, {"user": user}, {}):
        store_job(batch, **asked)
    assert [job["requested_by"] for job in listed()[::-1]] == [
        {"type": "token", "name": "Integration"},
        {"type": "device", "name": "Till"},
        {"type": "app", "name": "App"},
        {"type": "user", "name": user.get_full_name()},
        None,
    ]


def test_failures_say_why_and_results_live_24_hours(listed, store_batch, store_job):
    batch = store_batch(completed=None)
    store_job(batch, state=Job.State.FAILED, message="Sold out.")
    store_job(batch, finished=now() - timedelta(hours=24))
    assert [(job["state"], job["message"]) for job in listed()] == [("failed", "Sold out.")]


def test_filters_and_pages(api, url, listed, store_batch, store_job):
    batch = store_batch()
    for kind, state in ((ISSUE, "waiting"), (ISSUE, "failed"), (RETURN, "waiting"), (UNDO_LOST, "waiting")):
        store_job(batch, kind, state)

    def kinds(**query):
        return [(job["kind"], job["state"]) for job in listed(**query)]

    assert kinds() == [("undo", "waiting"), ("return", "waiting"), ("issue", "failed"), ("issue", "waiting")]
    assert kinds(kind="undo") == [("undo", "waiting")]
    assert kinds(kind="issue", state="waiting") == [("issue", "waiting")]
    assert kinds(ordering="created", page_size=1) == [("issue", "waiting")]
    assert [api.get(f"{url}jobs/", query).status_code for query in ({"kind": "x"}, {"state": "\0"}, {"page": 9})] == [
        400,
        400,
        404,
    ]


def test_jobs_of_other_events_are_not_listed(api, url, event, series, listed, store_batch, store_job):
    store_job(store_batch())
    assert api.get(url.replace("night", series.slug) + "jobs/").json()["results"] == []


def test_nothing_of_the_selection_is_shown(api, url, store_batch, token):
    batch = store_batch()
    api.post(f"{url}{batch.pk}/return/", {"secrets": ["Anna Miller"]}, format="json")
    assert "Miller" not in api.get(f"{url}jobs/").content.decode()


def test_however_many_there_are_the_queries_are_the_same(api, url, user, token, store_batch, store_job):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"{url}jobs/").status_code == 200
        return len(captured)

    queries()
    store_job(store_batch(), user=user)
    few = queries()
    for _ in range(5):
        store_job(store_batch(), PRINT, api_token=token)
        store_job(store_batch(), user=user)
    assert queries() == few
