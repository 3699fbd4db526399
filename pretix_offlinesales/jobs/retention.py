"""What is remembered of jobs that are over, and for how long."""

from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from ..models import RESULT_LIFETIME, Job, JobStep

#: How long a failure is remembered where nobody has dismissed it.
FAILURE_LIFETIME = timedelta(days=30)


def forget_selection(job: Job) -> None:
    """
    To be called when a job is over. What was scanned and typed to say which tickets may be anything, and nobody needs
    it any more but where it is part of the result. What dead workers left is forgotten by ``delete_old``.
    """
    if job.selection is not None:
        job.selection = None
        job.row.update(selection=None)


def delete_old() -> None:
    """
    Jobs whose result can't be fetched any more (the host deletes the files themselves), failures some time later, but
    not what was scanned and typed.
    """
    unfetchable = now() - RESULT_LIFETIME
    over = Q(state=Job.State.SUCCEEDED, finished__lt=unfetchable)
    forgotten = Q(state=Job.State.FAILED, finished__lt=now() - FAILURE_LIFETIME)
    Job.objects.filter(over | forgotten).delete()
    Job.objects.filter(finished__isnull=False, selection__isnull=False).update(selection=None)
    JobStep.objects.filter(job__finished__lt=unfetchable).exclude(skipped=[]).update(skipped=[])
