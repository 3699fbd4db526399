"""
Jobs, from the request to their end.

A job's row is the truth: whoever runs it claims the row first, and the end is written together with the result. Nothing
here knows Celery; ``tasks`` calls ``run``.
"""

import logging
import tempfile
from uuid import UUID

from django.core.files import File
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import get_language, gettext as _
from pretix.base.i18n import language
from pretix.base.models import CachedFile, Event
from pretix.base.services.orders import error_messages

from .issuing import issue
from .models import RESULT_LIFETIME, Job, JobFailed, OfflineSalesBatch
from .printing import print_batch

logger = logging.getLogger(__name__)


def create_issuing(event: Event, request: dict, requested_by: dict) -> Job:
    """
    :param request: of ``issuing.request_data``
    :param requested_by: values for the fields of ``Requested``
    """
    return Job.objects.create(
        event=event, kind=Job.Kind.ISSUE, data=request, locale=get_language(), **requested_by
    )


def create_printing(batch: OfflineSalesBatch, requested_by: dict) -> Job:
    """The job's file exists from the start, without content, since its id is part of the download's address."""
    moment = now()
    file = CachedFile.objects.create(
        date=moment,
        expires=moment + RESULT_LIFETIME,
        filename=f"{batch.event.slug}-offlinesales-{batch.pk}.pdf",
        type="application/pdf",
        web_download=False,
    )
    return Job.objects.create(
        event=batch.event, kind=Job.Kind.PRINT, batch=batch, file=file, locale=get_language(), **requested_by
    )


def find(event: Event, kind: Job.Kind, pk: UUID, **filters) -> Job:
    """:raises Job.DoesNotExist: if there is no such job of the event, or if its result is too old to be fetched"""
    recent = Q(finished__isnull=True) | Q(finished__gt=now() - RESULT_LIFETIME)
    return Job.objects.select_related("batch", "file").get(recent, event=event, kind=kind, pk=pk, **filters)


def run(event: Event, pk: UUID) -> None:
    """Work on a waiting job of the event until its end. A job that isn't waiting any more is left alone."""
    if not _claim(event, pk):
        return
    job = Job.objects.select_related("batch", "file", "user", "api_token", "device", "oauth_application").get(pk=pk)
    job.event = event
    if job.batch:
        job.batch.event = event
    with language(job.locale, event.settings.region):
        try:
            if "pretix_offlinesales" not in event.get_plugins():
                raise JobFailed(_("The plugin has been switched off for this event in the meantime."))
            WORK[job.kind](job)
        except JobFailed as error:
            job.fail(str(error))
        except Exception:
            logger.exception("Job %s was interrupted by an error", job)
            if job.is_committed:
                job.hand_back()
            else:
                job.fail(str(error_messages["internal"]))


def _claim(event: Event, pk: UUID) -> bool:
    """The task may be delivered twice; only one delivery finds the job waiting."""
    return bool(
        Job.objects.filter(event=event, pk=pk, state=Job.State.WAITING).update(
            state=Job.State.RUNNING, started=now(), attempts=F("attempts") + 1
        )
    )


def _print(job: Job) -> None:
    with tempfile.TemporaryFile() as output:
        print_batch(job.batch, output, job.report)
        output.seek(0)
        job.file.file.save(job.file.filename, File(output))
    job.succeed()


#: What is done for each kind of job, with the job as its argument.
WORK = {
    Job.Kind.ISSUE: issue,
    Job.Kind.PRINT: _print,
}
