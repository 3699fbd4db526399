import pytest

from pretix_offlinesales import jobs
from pretix_offlinesales.issuing import check, request_data
from pretix_offlinesales.models import OfflineSalesBatch


@pytest.fixture
def issued(web):
    """Ask for a batch and work on the job at once, as a worker would. Gives the job as it is afterwards."""

    def issued(event, item, amount=3, seats=(), user=None, numbers_go_on=False, next_seats=False, **values):
        batch = OfflineSalesBatch(event=event, item=item, amount=amount, **{"sales_channel": web, **values})
        if not next_seats:
            check(batch, seats)
        nobody = {"user": user, "api_token": None, "device": None, "oauth_application": None}
        job = jobs.create_issuing(event, request_data(batch, seats, numbers_go_on, next_seats), nobody)
        jobs.run(event, job.pk)
        job.refresh_from_db()
        return job

    return issued
