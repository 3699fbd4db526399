"""What Celery runs: fetch, call, report."""

import logging

from django.db import transaction
from pretix.base.models import Event
from pretix.base.services.tasks import ProfiledEventTask
from pretix.celery_app import app

from . import jobs
from .models import Job

logger = logging.getLogger(__name__)


@app.task(base=ProfiledEventTask)
def run_job(event: Event, job: str) -> None:
    jobs.run(event, job)


def start(job: Job) -> None:
    """
    Hand the job to a worker once it is committed; without Celery it runs here and now.

    A broker that is down doesn't fail the request: the job waits.
    """

    def send():
        try:
            run_job.apply_async(kwargs={"event": job.event_id, "job": str(job.pk)})
        except Exception:
            logger.exception("Job %s could not be handed to a worker and waits", job)

    transaction.on_commit(send)
