"""What a worker does with a job, and what has become of it then."""

from pretix.base.models import Event

from pretix_offlinesales.after_sale.examine import Result
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.models import Job


def run(job: Job) -> Job:
    """A worker works on it. It is returned as it is then."""
    runner.run(Event.objects.get(pk=job.event_id), job.pk)
    job.refresh_from_db()
    return job


def done(job: Job) -> list[str]:
    """The codes of the orders that it has dealt with."""
    return Result.of(job).done


def skipped(job: Job) -> list[dict]:
    """What it has left alone."""
    return Result.of(job).skipped
