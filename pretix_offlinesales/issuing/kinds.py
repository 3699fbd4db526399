"""The jobs that make a batch, or several, one after the other."""

import logging
from typing import cast

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext, gettext_lazy as _, ngettext_lazy

from ..jobs.interruptions import MAX_INTERRUPTIONS, is_interruption
from ..jobs.registry import KINDS, Kind
from ..jobs.runner import reason, send_pending_webhooks
from ..models import Job, JobFailed, JobLost, OfflineSalesBatch
from ..models.activation import is_active
from .announce import announce
from .blueprint import simulate
from .insert import insert
from .making import Making
from .request import IssueRequest, checked_again
from .seats import SeatTaken
from .several import KIND, Outcome, SeveralCheckpoint, SeveralRequest, going_on, refusals, requests_of

logger = logging.getLogger(__name__)

#: How often seats that nobody has named are chosen, if others are faster.
MAX_CHOICES = 5


class Issue(Kind):
    """
    Make the tickets that were asked for: check the request once more, let the host simulate one order, copy and insert
    it, tell everybody about it.

    A job that was interrupted after the insert goes on with telling; everything before is done at once or not at all.
    """

    identifier = "issue"
    name = _("Issue tickets")
    Request = IssueRequest
    canceled = _("The batch will not be issued.")
    too_late = _("It is too late to cancel this batch, it is being issued.")
    entry = "issued"
    history = ngettext_lazy(
        "%(amount)s ticket has been issued for offline sales.",
        "%(amount)s tickets have been issued for offline sales.",
        "amount",
    )
    webhook = _("Tickets issued for offline sales")

    def work(self, job: Job) -> None:
        making = Making(job)
        if not making.batch:
            _make(making)
        announce(making)
        with transaction.atomic():
            _complete(making)
            job.succeed()

    def is_committed(self, job: Job) -> bool:
        return job.batch_id is not None

    def amount(self, job: Job) -> int | None:
        return job.request.get("amount")


class IssueSeveral(Kind):
    """
    Make one batch after the other, each as ``Issue`` does. What is made stays made, so one that can't be made is told
    in the end, and the others are made all the same. If none can be, the job fails.
    """

    identifier = KIND
    name = _("Issue several batches")
    Request = SeveralRequest
    Checkpoint = SeveralCheckpoint
    canceled = _("The batches will not be issued.")
    too_late = _("It is too late to cancel these batches, they are being issued.")
    entry, history, webhook = Issue.entry, Issue.history, Issue.webhook

    def work(self, job: Job) -> None:
        requests = requests_of(job)
        if not requests:
            raise ValueError("Nothing was asked for")
        while making := going_on(job, requests):
            if not making.batch and (refusal := _refusal(making)):
                making.refuse(refusal)
                continue
            announce(making)
            with transaction.atomic():
                _complete(making)
                making.done()
            send_pending_webhooks(job)
        refused = refusals(job, requests)
        if not self.is_committed(job):
            raise JobFailed(refused)
        job.succeed(refused)

    def is_committed(self, job: Job) -> bool:
        return bool(job.result.get("made"))

    def amount(self, job: Job) -> int | None:
        asked = job.request.get("batches")
        return sum(each["amount"] for each in asked) if asked else None

    def dealt_with(self, job: Job) -> int:
        requests = requests_of(job)
        return sum(requests[index].amount for index, _batch in Outcome.of(job).made)


ISSUE, ISSUE_SEVERAL = Issue(), IssueSeveral()
KINDS.register(ISSUE, ISSUE_SEVERAL)


def _make(making: Making) -> None:
    """Where nobody has named the seats, and one is sold at that very moment, there may be others."""
    for choices_left in reversed(range(MAX_CHOICES)):
        batch, seats = checked_again(making.request, making.job.event, making.job.requested_by)
        try:
            insert(making, batch, simulate(batch, seats), seats)
            break
        except SeatTaken:
            if not (choices_left and making.request.next_seats):
                raise


def _complete(making: Making) -> None:
    """Everybody knows the tickets. Call this in the transaction in which the job says so, too."""
    batch = cast(OfflineSalesBatch, making.batch)
    batch.completed = now()
    batch.save(update_fields=["completed"])
    making.job.log(batch, ISSUE.action, {"amount": batch.amount})


def _refusal(making: Making) -> str:
    """
    Make it. Returns why it can't be made, empty if it is.

    What others of the same job have made is not given up, so here is decided what ``runner`` decides of a job.

    :raises Exception: if it was interrupted, and the next attempt may succeed
    """
    if making.job.interruptions >= MAX_INTERRUPTIONS:
        return reason(None)
    if not is_active(making.job.event):
        return gettext("The plugin has been switched off for this event in the meantime.")
    try:
        _make(making)
    except JobFailed as error:
        return reason(error)
    except Exception as error:
        if isinstance(error, JobLost) or is_interruption(error):
            raise
        logger.exception("A batch of job %s could not be made", making.job)
        return reason(error)
    return ""
