"""What is done with tickets that others sold."""

from pretix_offlinesales import jobs
from pretix_offlinesales.models import Job
from pretix_offlinesales.returning import request_data


def take_back(batch, tickets, kind):
    """``take_back(batch, "1-3, 7", "unsold")``: a worker returns these tickets."""
    request = request_data({"tickets": tickets}, kind)
    jobs.run(batch.event, jobs.create_after_sale(batch.event, Job.Kind.RETURN, request, {}, batch).pk)
