"""Batches and jobs as issuing and printing leave them, for tests that are not about issuing and printing."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils.timezone import now
from pretix.base.models import CachedFile

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

    def store_job(batch, kind=Job.Kind.ISSUE, state=Job.State.SUCCEEDED, **values):
        if kind == Job.Kind.PRINT:
            file = CachedFile.objects.create(
                expires=now() + timedelta(hours=24), filename="tickets.pdf", type="application/pdf"
            )
            file.file.save(file.filename, ContentFile(b"%PDF-1.7"))
            values.setdefault("file", file)
        if state in (Job.State.SUCCEEDED, Job.State.FAILED):
            values.setdefault("finished", now())
        return Job.objects.create(event=batch.event, batch=batch, kind=kind, state=state, locale="en", **values)

    return store_job
