"""The job that makes a batch."""

from typing import cast

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from ..jobs.registry import KINDS, Kind, request_of
from ..models import Job, OfflineSalesBatch
from .announce import announce
from .blueprint import simulate
from .insert import insert
from .request import IssueRequest, checked_again
from .seats import SeatTaken

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
        if not job.batch:
            _make(job)
        announce(job)
        batch = cast(OfflineSalesBatch, job.batch)
        with transaction.atomic():
            batch.completed = now()
            batch.save(update_fields=["completed"])
            job.log(batch, self.action, {"amount": batch.amount})
            job.succeed()

    def is_committed(self, job: Job) -> bool:
        return job.batch_id is not None

    def amount(self, job: Job) -> int | None:
        return job.request.get("amount")


ISSUE = Issue()
KINDS.register(ISSUE)


def _make(job: Job) -> None:
    """Where nobody has named the seats, and one is sold at that very moment, there may be others."""
    for choices_left in reversed(range(MAX_CHOICES)):
        batch, seats = checked_again(job)
        try:
            insert(job, batch, simulate(batch, seats), seats)
            break
        except SeatTaken:
            if not (choices_left and request_of(job).next_seats):
                raise
