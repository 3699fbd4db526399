"""Moments in the life of a job, to strike at: ``moment(job, attempt)`` waits for one while somebody works on it."""

from pretix_offlinesales.jobs.lock import is_abandoned
from pretix_offlinesales.models import Job

from .processes import wait_until


def job_of(url: str) -> Job:
    """The job behind the address of a check or a download."""
    parts = url.rstrip("/").split("/")
    return Job.objects.get(pk=parts[-2] if "download" in parts else parts[-1])


def _moment(condition):
    def moment(job, attempt=1):
        def reached():
            job.refresh_from_db()
            assert not job.finished, "too late"
            at_work = job.state == Job.State.RUNNING and job.attempts >= attempt
            return at_work and condition(job) and not is_abandoned(job)

        wait_until(reached, pause=0.002)

    return moment


def at(percent):
    return _moment(lambda job: percent <= job.progress < 100)


claimed = _moment(lambda job: True)

#: Everything is drawn, the transaction has begun.
inserting = _moment(lambda job: job.progress == 20 and not job.batch_id)

committed = _moment(lambda job: job.batch_id)
