"""``python -m pretix offlinesales_jobs``, for those who run the server."""

import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.models import Job

State = Job.State


@pytest.fixture
def job(api, url, wanted):
    """A waiting job, that was asked for two minutes ago."""
    api.post(url, wanted, format="json")
    Job.objects.update(created=now() - timedelta(minutes=2))
    return Job.objects.get()


@pytest.fixture
def offlinesales_jobs(capsys):
    def offlinesales_jobs(*arguments):
        call_command("offlinesales_jobs", *arguments)
        return capsys.readouterr().out

    return offlinesales_jobs


def test_nothing_to_do(offlinesales_jobs, db):
    assert offlinesales_jobs() == ""


def test_unfinished_and_failed_jobs_are_listed(offlinesales_jobs, job):
    begin = f"issue {job.pk}  museum/night"
    assert offlinesales_jobs() == f"{begin}  waiting  asked 0:02:00 ago, attempts: 0\n"
    Job.objects.update(state=State.RUNNING, attempts=2, progress=55)
    with locked(job):
        assert offlinesales_jobs() == f"{begin}  running 55%  asked 0:02:00 ago, attempts: 2\n"
    Job.objects.update(state=State.FAILED, message="Sold out.")
    assert offlinesales_jobs() == f"{begin}  failed  asked 0:02:00 ago, attempts: 2  Sold out.\n"
    Job.objects.update(state=State.SUCCEEDED)
    assert offlinesales_jobs() == ""


def test_abandoned_jobs_are_recovered(offlinesales_jobs, job, worker):
    Job.objects.update(state=State.RUNNING, attempts=1, heartbeat=now() - timedelta(hours=1))
    assert "  running (abandoned)  " in offlinesales_jobs()
    with worker():
        assert "  waiting  " in offlinesales_jobs("--recover")
    assert Job.objects.get().state == State.SUCCEEDED


def test_a_waiting_job_is_canceled(offlinesales_jobs, job):
    assert "  failed  " in offlinesales_jobs("--cancel", str(job.pk))


def test_what_can_not_be_canceled(offlinesales_jobs, job):
    Job.objects.update(state=State.RUNNING)
    with pytest.raises(CommandError, match="can't be canceled"):
        offlinesales_jobs("--cancel", str(job.pk))
    with pytest.raises(CommandError, match="There is no job"):
        offlinesales_jobs("--cancel", str(uuid.uuid4()))
