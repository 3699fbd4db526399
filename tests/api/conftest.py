"""Batches and jobs as issuing and printing leave them, for tests that are not about issuing and printing."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils.timezone import now
from pretix.base.models import CachedFile

from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.kinds import ISSUE, PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch


@pytest.fixture
def store_batch(event, item, web):
    """``store_batch(amount=5)``: a completed batch, without its tickets."""

    def store_batch(**values):
        values = {"event": event, "item": item, "sales_channel": web, "amount": 3, "completed": now()} | values
        return OfflineSalesBatch.objects.create(**values)

    return store_batch


@pytest.fixture
def store_job():
    """``store_job(batch, kind, state)``: a job of the batch's event, with a file if it prints."""

    def store_job(batch, kind=ISSUE, state=Job.State.SUCCEEDED, **values):
        if kind == ISSUE:
            values.setdefault("request", IssueRequest.of(batch).data)
        if kind == PRINT:
            file = CachedFile.objects.create(
                expires=now() + timedelta(hours=24), filename="tickets.pdf", type="application/pdf"
            )
            file.file.save(file.filename, ContentFile(b"%PDF-1.7"))
            values.setdefault("file", file)
        if state in (Job.State.SUCCEEDED, Job.State.FAILED):
            values.setdefault("finished", now())
        values |= {"event": batch.event, "kind": kind.identifier, "state": state, "locale": "en"}
        return Job.objects.create(batch=batch, **values)

    return store_job


@pytest.fixture
def ordered(make_batch):
    """A batch of four tickets, and their order codes."""
    batch = make_batch(amount=4)
    return batch, [ticket.order.code for ticket in batch.tickets.order_by("number")]


@pytest.fixture
def ask_for(api, url, worker):
    """``ask_for("return", batch, tickets="1-2")``: ask, let a worker do it, and get the answer to the check."""

    def ask_for(what, batch, **values):
        with worker():
            response = api.post(f"{url}{batch.pk}/{what}/", values, format="json")
        assert (response.status_code, list(response.data)) == (202, ["check"]), response.data
        response = api.get(response.data["check"])
        assert response.status_code == 200, response.data
        return response.data

    return ask_for
