"""
One batch that a job makes, from the request to its history. What the job's row says of it is written here, so that a
job can make several in the same way, one after the other.
"""

from ..jobs.registry import request_of
from ..models import Job, OfflineSalesBatch
from .request import IssueRequest


class Making:
    """The only batch of a job."""

    def __init__(self, job: Job):
        self.job = job
        self._told_later = job.pending_webhooks

    @property
    def request(self) -> IssueRequest:
        return request_of(self.job)

    @property
    def batch(self) -> OfflineSalesBatch | None:
        """As soon as it is made."""
        return self.job.batch

    def remember(self, batch: OfflineSalesBatch) -> None:
        """That it is made. Call this in the transaction that makes it."""
        self.job.update(batch=batch)

    def tell_later(self, entry: int) -> None:
        """Webhooks are to tell of this log entry. Call this in that transaction, too."""
        self.job.update(pending_webhooks=[*self.job.pending_webhooks, entry])

    def forget(self) -> None:
        """That transaction was rolled back."""
        self.job.batch, self.job.pending_webhooks = None, self._told_later

    def report(self, done: int, total: int) -> None:
        """Let those who wait see how far it is."""
        self.job.report(done, total)
