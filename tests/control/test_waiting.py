"""Waiting for a job with the host's dialog, which polls, or without it."""

import pytest

from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job
from tests.support.pages import alerts


@pytest.fixture
def state(anna, pages):
    """``state(job)``: what the dialog is told about this job."""

    def state(job):
        response = anna.get(f"{pages}add", {"async_id": str(job.pk), "ajax": "1"})
        assert response.status_code == 200
        return response.json()

    return state


def test_the_dialog_learns_where_to_ask(anna, pages, filled_in):
    answer = anna.post(f"{pages}add", filled_in | {"ajax": "1"}).json()
    job = Job.objects.get()
    assert answer == {
        "async_id": str(job.pk),
        "check_url": f"{pages}add?async_id={job.pk}&ajax=1",
        "ready": False,
        "started": False,
    }


def test_the_dialog_is_told_how_far_it_is(state, make_job, pages):
    job = make_job(Job.State.RUNNING, progress=40)
    with locked(job):
        told = state(job)
    assert told == {
        "async_id": str(job.pk),
        "check_url": f"{pages}add?async_id={job.pk}&ajax=1",
        "ready": False,
        "started": True,
        "percentage": 40,
    }


def test_however_often_the_dialog_asks_the_ending_is_told_once(anna, state, make):
    make()
    job = Job.objects.get()
    assert state(job) == state(job)
    assert alerts(anna.get(state(job)["redirect"], follow=True)) == ["The tickets have been issued."]


def test_the_dialog_ends_on_the_page_of_the_batch(anna, state, make, pages):
    batch, job = make(), Job.objects.get()
    assert state(job) == {
        "async_id": str(job.pk),
        "check_url": f"{pages}add?async_id={job.pk}&ajax=1",
        "ready": True,
        "success": True,
        "redirect": f"{pages}add?async_id={job.pk}",
        "message": "The tickets have been issued.",
    }
    assert anna.get(state(job)["redirect"])["Location"] == f"{pages}{batch.pk}/"


def test_the_dialog_ends_where_the_failure_is_shown(state, make_job, pages):
    job = make_job(Job.State.FAILED, message="Too few.")
    assert state(job) == {
        "async_id": str(job.pk),
        "check_url": f"{pages}add?async_id={job.pk}&ajax=1",
        "ready": True,
        "success": False,
        "redirect": f"{pages}add?async_id={job.pk}",
        "message": "Too few.",
    }


@pytest.mark.django_db(transaction=True)
def test_without_celery_it_is_done_in_the_request(anna, pages, filled_in):
    answer = anna.post(f"{pages}add", filled_in | {"ajax": "1"}).json()
    batch = Job.objects.get().batch
    response = anna.get(answer["redirect"])
    assert (answer["ready"], response["Location"]) == (True, f"{pages}{batch.pk}/")


def test_whoever_reloads_meanwhile_gets_the_hosts_waiting_page(anna, pages, make_job):
    job = make_job(Job.State.RUNNING, progress=40)
    with locked(job):
        response = anna.get(f"{pages}add", {"async_id": str(job.pk)})
    assert [template.name for template in response.templates][0] == "pretixpresale/waiting.html"
    assert "progress-bar-40" in response.content.decode()


def test_whoever_has_no_script_is_sent_there(anna, pages, filled_in):
    response = anna.post(f"{pages}add", filled_in)
    job = Job.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{pages}add?async_id={job.pk}")


@pytest.mark.parametrize("job", ["", "nonsense", "29891ede-196f-4942-9e26-d055a36e98b8"])
def test_unknown_jobs(anna, pages, job):
    assert anna.get(f"{pages}add", {"async_id": job, "ajax": "1"}).status_code == 404


def test_jobs_of_another_kind_or_batch(anna, pages, make, store_print):
    batch, other = make(), make()
    printing = store_print(batch)
    issuing = Job.objects.filter(kind=ISSUE.identifier).first()
    asked = {
        f"{pages}add": printing,
        f"{pages}{batch.pk}/print": issuing,
        f"{pages}{other.pk}/print": printing,
    }
    assert [anna.get(url, {"async_id": str(job.pk)}).status_code for url, job in asked.items()] == [404, 404, 404]


def test_a_print_that_fails_is_told_on_the_page_of_the_batch(anna, pages, make, store_print):
    batch = make()
    job = store_print(batch, state=Job.State.FAILED, message="The printer is out of order.")
    response = anna.get(f"{pages}{batch.pk}/print", {"async_id": str(job.pk)}, follow=True)
    assert response.redirect_chain == [(f"{pages}{batch.pk}/#offlinesales-print", 302)]
    assert alerts(response) == ["The printer is out of order."]
