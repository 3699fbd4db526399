"""What is done with tickets that others sold."""

from pretix_offlinesales import jobs
from pretix_offlinesales.models import Job
from pretix_offlinesales.returning import request_data


def take_back(batch, tickets, kind):
    """``take_back(batch, "1-3, 7", "unsold")``: a worker returns these tickets."""
    _deal_with(batch, Job.Kind.RETURN, request_data({"tickets": tickets}, kind))


def report_lost(batch, tickets):
    """A worker blocks them."""
    _deal_with(batch, Job.Kind.LOST, request_data({"tickets": tickets}, job_kind=Job.Kind.LOST))


def _deal_with(batch, kind, request):
    jobs.run(batch.event, jobs.create_after_sale(batch.event, kind, request, {}, batch).pk)
