"""People at the organizer's pages, and what they read there."""

import gettext
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils.timezone import now
from django.utils.translation import trans_real
from pretix.base.models import CachedFile, User

from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.kinds import ISSUE, PRINT
from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.catalogs import compile_catalogs
from tests.support.pages import soup


@pytest.fixture
def anna(client, user, team):
    """The browser of somebody who may do everything."""
    client.force_login(user)
    return client


@pytest.fixture
def ron(organizer):
    """The browser of somebody who may see orders, but not change them."""
    reader = User.objects.create_user("ron@example.org", "correct horse battery staple 1")
    team = organizer.teams.create(name="Readers", all_events=True, limit_event_permissions={"event.orders:read": True})
    team.members.add(reader)
    client = Client()
    client.force_login(reader)
    return client


@pytest.fixture
def pages(event):
    """Where the event's pages begin."""
    return f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/"


@pytest.fixture
def filled_in(item, quota, web):
    """The smallest valid form."""
    return {"itemvar": str(item.pk), "amount": "3", "sales_channel": str(web.pk)}


@pytest.fixture
def make(anna, pages, filled_in, worker):
    """
    ``make(amount=5)``: fill in the form, but for these values as above, and let a worker make the batch. Its numbers
    start with 1 unless something else is said.
    """

    def make(**values):
        values = {"numbering": "from" if "first_number" in values else "again"} | values
        with worker():
            response = anna.post(f"{pages}add", filled_in | values)
        assert response.status_code == 302, soup(response).select(".has-error")
        return OfflineSalesBatch.objects.order_by("pk").last()

    return make


@pytest.fixture
def german(user):
    """Anna reads German."""
    compile_catalogs()
    gettext._translations.clear()
    trans_real._translations.clear()
    user.locale = "de"
    user.save()


@pytest.fixture
def make_job(event, item, quota, web, user):
    """``make_job(state=…)``: what somebody has asked for in the backend, as if a worker had brought it that far."""

    def make_job(state=Job.State.WAITING, amount=3, comment="", **values):
        asked = OfflineSalesBatch(event=event, item=item, sales_channel=web, amount=amount, comment=comment)
        job = ISSUE.create(event, IssueRequest.of(asked), {"user": user})
        if "kind" in values:
            values.setdefault("request", {})
        if state in (Job.State.SUCCEEDED, Job.State.FAILED):
            values.setdefault("finished", now())
        Job.objects.filter(pk=job.pk).update(state=state, **values)
        job.refresh_from_db()
        return job

    return make_job


@pytest.fixture
def store_print(user):
    """``store_print(batch)``: the job of a print that has ended, with its file."""

    def store_print(batch, **values):
        file = CachedFile.objects.create(expires=now() + timedelta(hours=24), filename="x.pdf", type="application/pdf")
        file.file.save("x.pdf", ContentFile(b"%PDF-1.7"))
        values = {"state": Job.State.SUCCEEDED, "finished": now(), "user": user} | values
        values |= {"event": batch.event, "kind": PRINT.identifier, "file": file, "locale": "en"}
        return Job.objects.create(batch=batch, **values)

    return store_print
