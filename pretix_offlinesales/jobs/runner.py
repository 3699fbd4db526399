"""
A worker takes a job from the request to its end.

The job's row is the truth: whoever runs it claims the row first, and the end is written together with the result.
Nothing here knows Celery; ``tasks`` calls ``run``.
"""

import gc
import logging
from datetime import timedelta
from functools import cache
from time import monotonic
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.i18n import language
from pretix.base.models import Event, LogEntry

from ..db.queries import drop_broken_connection
from ..host.errors import INTERNAL
from ..host.webhooks import send_webhooks
from ..models import REQUESTER, Job, JobFailed, JobLost
from ..models.activation import is_active
from . import files
from .interruptions import MAX_INTERRUPTIONS, has_lost_reference, is_interruption
from .lock import is_abandoned, locked
from .registry import is_committed, is_known, kind_of
from .retention import forget_selection

logger = logging.getLogger(__name__)

#: How long a waiting job is left to the broker, before somebody who looks at it asks for a worker again.
PATIENCE = timedelta(minutes=1)

#: How long it is waited after an interruption, if it is the first one in a row, or another one: what has gone away may
#: need some time to come back. (A worker that died is replaced at once.)
PAUSES = (timedelta(seconds=5), timedelta(minutes=1))


def run(event: Event, pk: UUID) -> None:
    """
    Work on a waiting job of the event until its end. A job that isn't waiting any more is left alone: its task may be
    delivered twice, at once or later. But a job that is shared can be joined.
    """
    job = _whole().filter(pk=pk, event=event).first()
    if not job:
        logger.warning("There is no job %s of event %s any more", pk, event.pk)
        return
    if not is_known(job):
        logger.error("Nobody here knows what to do for job %s, so it waits for a newer worker", job)
        return
    if job.state != Job.State.WAITING and not _can_be_joined(job):
        return
    try:
        with locked(job) as check_lock:
            again = _claim(job) or _can_be_joined(job)
            while again:
                job.check_lock = check_lock
                job.event = event
                again = _attempt(job) and _claim(job)
    except JobLost as reason:
        logger.warning("%s, so this attempt stops", reason)


def _whole():
    """With all that work needs; who asked may be deleted in the middle of it."""
    return Job.objects.select_related("batch", "file", *REQUESTER)


def _can_be_joined(job: Job) -> bool:
    job.refresh_from_db(fields=["state", "attempts"])
    return job.state == Job.State.RUNNING and kind_of(job).is_shared


def _claim(job: Job) -> bool:
    """What the row says now is what we go by."""
    if not job.claim():
        return False
    job.refresh_from_db(from_queryset=_whole())
    return True


def _attempt(job: Job) -> bool:
    """Returns whether the next attempt may begin at once."""
    kind = kind_of(job)
    if job.batch:
        job.batch.event = job.event
    try:
        with language(job.locale, job.event.settings.region):
            if not kind.is_committed(job) and not is_active(job.event):
                raise JobFailed(_("The plugin has been switched off for this event in the meantime."))
            start = monotonic()
            _leave_alone_what_is_there()
            kind.work(job)
            if job.state == Job.State.SUCCEEDED:  # else another worker brings it to its end
                send_pending_webhooks(job)
                logger.info(
                    "Job %s is done: batch %s of %s/%s, %d tickets, %.1f seconds, attempt %d",
                    *(job, job.batch or "any", job.event.organizer.slug, job.event.slug, kind.dealt_with(job)),
                    *(monotonic() - start, job.attempts),
                )
            return False
    except JobLost:
        raise
    except Exception as error:
        drop_broken_connection()
        # If the database is still away, the job is left as it is, until somebody notices.
        return _end_attempt(job, error)


@cache
def _leave_alone_what_is_there() -> None:
    """
    A job makes many objects, so Python often looks for garbage: among all objects that there are, and pretix alone is a
    lot, which never becomes garbage. Once in a process, since that begins anew to count when to look: after one small
    job after the other, nobody ever would.
    """
    gc.collect()
    gc.freeze()


def _end_attempt(job: Job, error: Exception | None = None) -> bool:
    """
    An attempt is over without a result. What becomes of the job is decided here, whatever its kind and the reason.
    Returns whether the next attempt may begin at once.

    If something of it is committed, it never fails: it goes on, or waits until it can. Else it is tried again after an
    interruption, until there were too many in a row; and what is wrong is a failure.

    :param error: none, if it was left by its worker
    """
    with transaction.atomic(), language(job.locale):  # not with the event's region: its settings may be what is away
        # By the row, since what the attempt knows may have been rolled back. Whoever has locked it still works on it.
        row = job.row.select_for_update(skip_locked=error is None).first()
        if not row or row.state != Job.State.RUNNING or row.attempts != job.attempts:
            return False
        interrupted = error is None or is_interruption(error)
        row.interruptions += interrupted
        if is_committed(row) or (interrupted and row.interruptions < MAX_INTERRUPTIONS):
            pause = _pause(row, error, interrupted)
            row.requeue(queued=now() - PATIENCE + pause)
            logger.log(
                logging.WARNING if interrupted else logging.ERROR,
                *("Job %s was interrupted in attempt %d and is tried again", job, job.attempts),
                exc_info=error,
            )
        else:
            row.fail(reason(error))
            logger.log(
                logging.INFO if isinstance(error, JobFailed) else logging.ERROR,
                *("Job %s of %s/%s failed: %s", job, job.event.organizer.slug, job.event.slug, row.message),
                exc_info=None if isinstance(error, JobFailed) else error,
            )
    if row.state == Job.State.WAITING:
        return not pause
    _clear_away(row)
    return False


def _pause(job: Job, error: Exception | None, interrupted: bool) -> timedelta:
    if error is None or (has_lost_reference(error) and job.interruptions < MAX_INTERRUPTIONS):
        return timedelta()
    return PAUSES[min(job.interruptions, len(PAUSES)) - 1] if interrupted else PATIENCE


def reason(error: Exception | None) -> str:
    """
    Why something has come to nothing, for people.

    :param error: none, if a worker has left it
    """
    if isinstance(error, JobFailed):
        return str(error)
    if error is None or (is_interruption(error) and not has_lost_reference(error)):
        return _("This was interrupted again and again, and has been given up. Please try again later.")
    return str(INTERNAL)


def _clear_away(job: Job) -> None:
    """Delete what was stored for a job that came to nothing."""
    forget_selection(job)
    made = kind_of(job).files(job) if is_known(job) else []
    files.discard([*made, *files.drafts(job.pk)])


def recover(job: Job) -> bool:
    """
    To be called by whoever finds an unfinished job. Returns whether a worker must be asked to do it (again).

    A job whose worker died waits for the next attempt; before its tickets are made, only so often. A job that waits for
    long was forgotten by the broker.
    """
    if job.state == Job.State.RUNNING and is_abandoned(job):
        _end_attempt(job)
        job.refresh_from_db()
    overdue = job.row.filter(state=Job.State.WAITING, queued__lt=now() - PATIENCE)
    return bool(overdue.update(queued=now()))


def cancel(job: Job) -> bool:
    """Give up a job that still waits, and of which nothing is committed. Returns whether it did."""
    with transaction.atomic():
        row = job.row.select_for_update(skip_locked=True).first()
        if not row or row.state != Job.State.WAITING or is_committed(row):
            return False
        row.give_up(_("Canceled."))
    _clear_away(row)
    return True


def send_pending_webhooks(job: Job) -> None:
    """
    About what the job has written into the histories of batches (``Job.log``), once that is committed: whoever hears of
    a batch can ask for it. If it fails, or the worker dies, it is done later: see ``queries.with_pending_webhooks``.
    """
    forget_selection(job)
    if job.pending_webhooks:
        try:
            send_webhooks(job.event, LogEntry.objects.filter(pk__in=job.pending_webhooks))
        except Exception:
            logger.exception("Webhooks of job %s could not be sent yet", job)
        else:
            job.pending_webhooks = []
            job.row.update(pending_webhooks=[])
