"""
Jobs, from the request to their end.

A job's row is the truth: whoever runs it claims the row first, and the end is written together with the result. Nothing
here knows Celery; ``tasks`` calls ``run``.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from time import monotonic
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import get_language, gettext as _
from pretix.base.i18n import language
from pretix.base.models import Event, LogEntry, Seat

from ..db.queries import drop_broken_connection
from ..db.rows import sent
from ..host.errors import INTERNAL
from ..issuing import issue
from ..issuing.blueprint import draw
from ..models import RESULT_LIFETIME, Job, JobFailed, JobLost, OfflineSalesBatch, PrintPart
from ..printing.data import DataOptions
from ..printing.look import Look
from ..printing.plan import Plan
from ..printing.specimen import print_first_sheet, print_specimen
from ..printing.work import make_data_file, print_tickets
from ..returning import replace_tickets, report_lost, return_tickets, undo_tickets
from ..webhooks import send_webhooks
from . import files
from .interruptions import MAX_INTERRUPTIONS, has_lost_reference, is_interruption
from .lock import is_abandoned, working_on

logger = logging.getLogger(__name__)

UNFINISHED = (Job.State.WAITING, Job.State.RUNNING)

#: How long a waiting job is left to the broker, before somebody who looks at it asks for a worker again.
PATIENCE = timedelta(minutes=1)

#: How long it is waited after an interruption, if it is the first one in a row, or another one: what has gone away may
#: need some time to come back. (A worker that died is replaced at once.)
PAUSES = (timedelta(seconds=5), timedelta(minutes=1))

#: How long a failure is remembered where nobody has dismissed it.
FAILURE_LIFETIME = timedelta(days=30)

#: How many workers one job may keep busy, so that others' jobs get their turn.
MAX_WORKERS = 4

#: How many unfinished jobs an event may have.
MAX_UNFINISHED = 20


def create_issuing(event: Event, request: dict, requested_by: dict, pk: UUID | None = None) -> Job:
    """
    :param request: of ``issuing.request_data``
    :param requested_by: values for the fields of ``Requested``
    :param pk: the job's key, where the same request may come twice: then there is one job
    """
    values = {"event": event, "kind": Job.Kind.ISSUE, "data": request, "locale": get_language(), **requested_by}
    job, _created = Job.objects.get_or_create(pk=pk or uuid4(), defaults=values)
    return job


def create_printing(batch: OfflineSalesBatch, requested_by: dict, request: dict | None = None) -> Job:
    """
    :param request: of ``printing.request_data``; without it, all tickets are printed on pages of their own
    """
    look = Look.of(batch)
    with transaction.atomic():
        job = _create_file_job(
            Job.Kind.PRINT, batch, requested_by, "pdf", files.PDF, data=request or {}, look=look.data
        )
        PrintPart.objects.bulk_create(
            PrintPart(job=job, first=units[0], last=units[-1]) for units in Plan(batch, job.data).parts()
        )
    return job


@transaction.atomic
def create_data(batch: OfflineSalesBatch, options: DataOptions, requested_by: dict) -> Job:
    """As for a print, but nothing is made in parts: rows take less time than pages."""
    look = Look.of(batch, with_backgrounds=False)
    return _create_file_job(
        Job.Kind.DATA, batch, requested_by, options.suffix, options.mime_type, data=options.data, look=look.data
    )


def _create_file_job(kind: Job.Kind, batch, requested_by: dict, suffix: str, mime_type: str, **values) -> Job:
    """
    The job's file exists from the start, without content, since its id is part of the download's address. It is that of
    the job, so that it is the same again should the host delete the row while the job waits.
    """
    job = Job(event=batch.event, kind=kind, batch=batch, locale=get_language(), **requested_by, **values)
    job.file = files.reserve(job.pk, files.filename(batch, suffix), mime_type)
    job.save(force_insert=True)
    return job


def create_after_sale(
    event: Event, kind: Job.Kind, request: dict, requested_by: dict, batch: OfflineSalesBatch | None = None
) -> Job:
    """
    Return tickets, report them lost, undo one of both, or replace some.

    :param request: of ``returning.request_data``
    :param batch: what all the tickets must belong to; without it, those of the whole event are looked at
    """
    job = Job(event=event, kind=kind, batch=batch, locale=get_language(), **requested_by, **request)
    with transaction.atomic():
        job.selection = sent(request["selection"])
        job.save(force_insert=True)
    job.selection = request["selection"]
    return job


def proof(batch: OfflineSalesBatch, seats: Sequence[Seat] = ()) -> bytes:
    """
    A PDF of one page that shows what the batch's tickets will look like.

    :param batch: unsaved and checked, on these seats
    :raises JobFailed: if the host would not make such an order, or if the layout can't be used
    """
    blueprint, output = draw(batch, seats), BytesIO()
    print_specimen(batch, blueprint.order, blueprint.positions, output)
    return output.getvalue()


def proof_of_sheet(batch: OfflineSalesBatch, request: dict) -> bytes:
    """
    A PDF of the first sheet that this request would print, with its back if it has one. No job is made.

    :param request: of ``printing.request_data``
    :raises JobFailed: if there is nothing to print, or if the layout can't be used
    """
    output = BytesIO()
    print_first_sheet(batch, request, output)
    return output.getvalue()


def being_issued(event: Event) -> QuerySet[Job]:
    return Job.objects.filter(event=event, kind=Job.Kind.ISSUE, state__in=UNFINISHED)


def failures(event: Event) -> QuerySet[Job]:
    """
    Batches that were asked for in the backend and could not be made, and nobody has seen it. (The user may be gone
    meanwhile.) API clients are told by their request.
    """
    return Job.objects.filter(
        event=event,
        kind=Job.Kind.ISSUE,
        state=Job.State.FAILED,
        dismissed=False,
        api_token=None,
        device=None,
        oauth_application=None,
    )


def unfinished_prints(batch: OfflineSalesBatch, kind: Job.Kind = Job.Kind.PRINT) -> QuerySet[Job]:
    """
    :param kind: also for the two below: ``PRINT`` or ``DATA``
    """
    return Job.objects.filter(batch=batch, kind=kind, state__in=UNFINISHED)


def failed_print(batch: OfflineSalesBatch, kind: Job.Kind = Job.Kind.PRINT) -> Job | None:
    """The job that ended last, if it failed. No longer than a file would live, since later ones go with theirs."""
    ended = Job.objects.filter(
        batch=batch, kind=kind, finished__gt=now() - RESULT_LIFETIME, dismissed=False
    )
    newest = ended.order_by("finished").last()
    return newest if newest and newest.state == Job.State.FAILED else None


def last_print(batch: OfflineSalesBatch, kind: Job.Kind = Job.Kind.PRINT) -> Job | None:
    """The job whose file is the newest one, as long as it can be fetched."""
    prints = Job.objects.filter(
        batch=batch,
        kind=kind,
        state=Job.State.SUCCEEDED,
        finished__gt=now() - RESULT_LIFETIME,
        file__isnull=False,
    )
    return prints.select_related("file", "user", "api_token", "device", "oauth_application").order_by("finished").last()


def find(event: Event, kind: Job.Kind, pk: UUID, **filters) -> Job:
    """:raises Job.DoesNotExist: if there is no such job of the event, or if its result is too old to be fetched"""
    return remembered(event).select_related("batch", "file").get(kind=kind, pk=pk, **filters)


def remembered(event: Event) -> QuerySet[Job]:
    """Jobs that are unfinished, or whose result can still be fetched."""
    recent = Q(finished__isnull=True) | Q(finished__gt=now() - RESULT_LIFETIME)
    return Job.objects.filter(recent, event=event).defer("look")


def run(event: Event, pk: UUID) -> None:
    """
    Work on a waiting job of the event until its end. A job that isn't waiting any more is left alone: its task may be
    delivered twice, at once or later. But a job that is shared can be joined.
    """
    job = _whole().filter(pk=pk, event=event).first()
    if not job:
        logger.warning("There is no job %s of event %s any more", pk, event.pk)
        return
    if job.state != Job.State.WAITING and not _can_be_joined(job):
        return
    try:
        with working_on(job) as check_lock:
            again = _claim(job) or _can_be_joined(job)
            while again:
                job.check_lock = check_lock
                job.event = event
                again = _work(job) and _claim(job)
    except JobLost as reason:
        logger.warning("%s, so this attempt stops", reason)


def _whole() -> QuerySet[Job]:
    """With all that work needs; who asked may be deleted in the middle of it."""
    return Job.objects.select_related("batch", "file", "user", "api_token", "device", "oauth_application")


def _can_be_joined(job: Job) -> bool:
    job.refresh_from_db(fields=["state", "attempts"])
    return job.is_shared and job.state == Job.State.RUNNING


def _claim(job: Job) -> bool:
    """Make this attempt the one that may write the job's end. What the row says now is what we go by."""
    waiting = job.row.filter(state=Job.State.WAITING)
    if not waiting.update(
        state=Job.State.RUNNING, started=now(), heartbeat=now(), attempts=F("attempts") + 1, progress=0
    ):
        return False
    job.refresh_from_db(from_queryset=_whole())
    return True


def _work(job: Job) -> bool:
    """One attempt. Returns whether the next one may begin at once."""
    if job.batch:
        job.batch.event = job.event
    try:
        with language(job.locale, job.event.settings.region):
            if not job.is_committed and "pretix_offlinesales" not in job.event.get_plugins():
                raise JobFailed(_("The plugin has been switched off for this event in the meantime."))
            start = monotonic()
            WORK[job.kind](job)
            if job.state == Job.State.SUCCEEDED:  # else somebody else brings it to its end
                tell(job)
                logger.info(
                    "Job %s is done: batch %s of %s/%s, %d tickets, %.1f seconds, attempt %d",
                    *(job, job.batch or "any", job.event.organizer.slug, job.event.slug, _amount(job)),
                    *(monotonic() - start, job.attempts),
                )
            return False
    except JobLost:
        raise
    except Exception as error:
        drop_broken_connection()
        # If the database is still away, the job is left as it is, until somebody notices.
        return _end_attempt(job, error)


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
        if row.is_committed or (interrupted and row.interruptions < MAX_INTERRUPTIONS):
            pause = _pause(row, error, interrupted)
            row.wait(sent=now() - PATIENCE + pause)
            logger.log(
                logging.WARNING if interrupted else logging.ERROR,
                *("Job %s was interrupted in attempt %d and is tried again", job, job.attempts),
                exc_info=error,
            )
        else:
            row.fail(_reason(error))
            logger.log(
                logging.INFO if isinstance(error, JobFailed) else logging.ERROR,
                *("Job %s of %s/%s failed: %s", job, job.event.organizer.slug, job.event.slug, row.message),
                exc_info=None if isinstance(error, JobFailed) else error,
            )
    if row.state == Job.State.WAITING:
        return not pause
    forget_selection(row)
    _discard(row)
    return False


def _pause(job: Job, error: Exception | None, interrupted: bool) -> timedelta:
    if error is None or (has_lost_reference(error) and job.interruptions < MAX_INTERRUPTIONS):
        return timedelta()
    return PAUSES[min(job.interruptions, len(PAUSES)) - 1] if interrupted else PATIENCE


def _reason(error: Exception | None) -> str:
    """For people."""
    if isinstance(error, JobFailed):
        return str(error)
    if error is None or (is_interruption(error) and not has_lost_reference(error)):
        return _("This was interrupted again and again, and has been given up. Please try again later.")
    return str(INTERNAL)


def _amount(job: Job) -> int:
    """How many tickets it was about."""
    return len(job.data[job.dealt_with]) if job.dealt_with else job.batch.amount


def _discard(job: Job) -> None:
    """Delete what was stored for a job that came to nothing."""
    parts = job.parts.select_related("file")
    files.discard([job.file, *(part.file for part in parts), *files.drafts(job.pk)])


def look_after(job: Job) -> bool:
    """
    To be called by whoever finds an unfinished job. Returns whether a worker must be asked to do it (again).

    A job whose worker died waits for the next attempt; before its tickets are made, only so often. A job that waits for
    long was forgotten by the broker.
    """
    if job.state == Job.State.RUNNING and is_abandoned(job):
        _end_attempt(job)
        job.refresh_from_db()
    overdue = job.row.filter(state=Job.State.WAITING, sent__lt=now() - PATIENCE)
    return bool(overdue.update(sent=now()))


def tell(job: Job) -> None:
    """
    Webhooks, about what the job has written down (``Job.write_down``), once that is committed: whoever hears of a batch
    can ask for it. If it fails, or the worker dies, it is done later: see ``untold``.
    """
    forget_selection(job)
    if entries := job.data.get("untold"):
        try:
            send_webhooks(job.event, LogEntry.objects.filter(pk__in=entries))
        except Exception:
            logger.exception("Nobody could be told yet what job %s has done", job)
        else:
            del job.data["untold"]
            job.row.update(data=job.data)


def forget_selection(job: Job) -> None:
    """
    To be called when a job is over. What was scanned and typed to say which tickets may be anything, and nobody needs
    it any more but where it is part of the result. What dead workers left is forgotten by ``forget_old``.
    """
    if job.selection is not None:
        job.selection = None
        job.row.update(selection=None)


def forget_old() -> None:
    """
    A failure is remembered longer than its result can be fetched, but not what was scanned and typed; nor that of jobs
    whose worker did not live to forget it.
    """
    Job.objects.filter(finished__isnull=False, selection__isnull=False).update(selection=None)
    old = Job.objects.filter(
        kind__in=Job.DEALT_WITH, finished__lt=now() - RESULT_LIFETIME, data__has_key="skipped"
    )
    for job in old.iterator(chunk_size=20):
        del job.data["skipped"]
        job.row.update(data=job.data)


def untold() -> QuerySet[Job]:
    """Jobs that are over, and whose worker did not live to tell. Of all events."""
    return Job.objects.filter(data__has_key="untold", finished__lt=now() - PATIENCE)


def workers_wanted(job: Job) -> int:
    """How many workers can do something useful for it at the same time."""
    return min(job.parts.count(), MAX_WORKERS) if job.is_shared else 1


def unfinished() -> QuerySet[Job]:
    """Of all events."""
    return Job.objects.filter(state__in=UNFINISHED).select_related("event__organizer")


def too_many(event: Event) -> bool:
    """Has so much been asked for that nobody should ask for more, before some of it is done?"""
    return Job.objects.filter(event=event, state__in=UNFINISHED).count() >= MAX_UNFINISHED


def cancel(job: Job) -> bool:
    """Give up a job that still waits, and of which nothing is committed. Returns whether it did."""
    with transaction.atomic():
        row = job.row.select_for_update(skip_locked=True).first()
        if not row or row.state != Job.State.WAITING or row.is_committed:
            return False
        row.row.update(state=Job.State.FAILED, message=_("Canceled."), finished=now())
    forget_selection(row)
    _discard(row)
    return True


def delete_old() -> None:
    """Jobs whose result can't be fetched any more (the host deletes the files themselves), failures some time later."""
    over = Q(state=Job.State.SUCCEEDED, finished__lt=now() - RESULT_LIFETIME)
    forgotten = Q(state=Job.State.FAILED, finished__lt=now() - FAILURE_LIFETIME)
    Job.objects.filter(over | forgotten).delete()
    forget_old()


#: What is done for each kind of job, with the job as its argument.
WORK = {
    Job.Kind.ISSUE: issue,
    Job.Kind.PRINT: print_tickets,
    Job.Kind.RETURN: return_tickets,
    Job.Kind.DATA: make_data_file,
    Job.Kind.UNDO: undo_tickets,
    Job.Kind.REPLACE: replace_tickets,
    Job.Kind.LOST: report_lost,
}
