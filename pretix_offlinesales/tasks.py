"""What Celery runs: fetch, call, report."""

import logging
from typing import Any
from uuid import UUID

from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from django_scopes import scopes_disabled
from pretix.base.models import Event

from .db.queries import drop_broken_connection
from .host.tasks import ProfiledEventTask, ProfiledTask, app
from .jobs import queries, runner
from .jobs.registry import kind_of
from .models import Job
from .settling import deadlines, paying

logger = logging.getLogger(__name__)

#: One of the host's own queues, since no worker listens to others.
QUEUE = settings.CONFIG_FILE.get("pretix_offlinesales", "queue", fallback="background")


@app.task(base=ProfiledEventTask, queue=QUEUE)
def run_job(event: Event, job: str) -> None:
    runner.run(event, UUID(job))
    for follower in queries.followers(UUID(job)):
        start(follower)


@app.task(base=ProfiledTask, queue=QUEUE)
@scopes_disabled()
def recover_jobs() -> None:
    for job in queries.unfinished():
        try:
            recover(job)
        except Exception:
            logger.exception("Job %s could not be recovered", job)
    for job in queries.with_pending_webhooks():
        runner.send_pending_webhooks(job)


@scopes_disabled()
def pass_deadlines() -> None:
    """What sellers still hold counts as sold, or the team hears of it."""
    for job in deadlines.pass_deadlines():
        start(job)


@scopes_disabled()
def settle_rest() -> None:
    """What was settled, and not paid in pretix yet."""
    for job in paying.settle_rest():
        start(job)


@worker_ready.connect(dispatch_uid="offlinesales_worker_ready")
def on_worker_ready(**kwargs: Any) -> None:
    """A worker that starts often takes the place of one that died."""
    recover_jobs.apply_async()


def start(job: Job) -> None:
    """
    Hand the job to a worker once it is committed; without Celery it runs here and now.

    A broker that is down doesn't fail the request: the job waits.
    """

    def send():
        try:
            for _worker in range(kind_of(job).workers_wanted(job) if settings.HAS_CELERY else 1):
                run_job.apply_async(kwargs={"event": job.event_id, "job": str(job.pk)})
        except Exception:
            logger.exception("Job %s could not be handed to a worker and waits", job)
        # Without Celery, the database may have gone away while the job was done here. Whoever asked is answered.
        drop_broken_connection()

    transaction.on_commit(send)


def recover(job: Job) -> None:
    """Whoever looks at a job calls this first: it is not left waiting for something that won't happen any more."""
    if job.state in Job.UNFINISHED and runner.recover(job):
        start(job)
        job.refresh_from_db()
