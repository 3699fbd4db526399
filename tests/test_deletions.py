"""What a job is about, or who asked for it, is deleted under it: it goes on without, or says what is gone."""

import pytest
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import override
from pretix.base.models import Event, Order, User

from pretix_offlinesales.issuing import request_data as issue_request
from pretix_offlinesales.jobs import runner as jobs
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.data import DataOptions
from pretix_offlinesales.returning import request_data as after_sale_request
from tests.support.after_sale import take_back

DELETED = "Something that this batch should have been made of has been deleted in the meantime."


@pytest.fixture
def asked(event, item, quota, layout, web, make_batch):
    """``asked(kind)``: a job of that kind about five tickets in test mode, that a user has asked for, and its batch."""
    event.testmode = True
    event.save()
    requester = {"user": User.objects.create_user("leaving@example.org")}

    @override("en")
    def asked(kind):
        if kind == Job.Kind.ISSUE:
            wanted = OfflineSalesBatch(
                event=event, item=item, sales_channel=web, layout=layout, testmode=True, amount=5, **requester
            )
            return jobs.create_issuing(event, issue_request(wanted), requester), None
        batch = make_batch(amount=5, layout=layout.pk, testmode=True)
        if kind == Job.Kind.PRINT:
            return jobs.create_printing(batch, requester), batch
        if kind == Job.Kind.DATA:
            return jobs.create_data(batch, DataOptions(), requester), batch
        if kind == Job.Kind.UNDO:
            take_back(batch, "1-5", "unsold")
        request = after_sale_request({"tickets": "1-5"}, job_kind=kind)
        return jobs.create_after_sale(event, kind, request, requester, batch), batch

    return asked


def delete_requester(event, batch):
    User.objects.get(email="leaving@example.org").delete()


def delete_layout(event, batch):
    event.ticket_layouts.get(name="Paper").delete()


def delete_quota(event, batch):
    event.quotas.get().delete()


def delete_orders(*numbers):
    def delete(event, batch):
        for order in Order.objects.filter(offline_sales_ticket__batch=batch, offline_sales_ticket__number__in=numbers):
            with transaction.atomic():
                order.gracefully_delete()

    return delete


def run(job, event):
    """Until nobody needs to look after it any more; at most as often as an interrupted job is tried."""
    for _ in range(jobs.MAX_INTERRUPTIONS):
        jobs.run(Event.objects.get(pk=event.pk), job.pk)
        job = Job.objects.filter(pk=job.pk).first()
        if not job or job.finished:
            return job
        Job.objects.filter(pk=job.pk).update(sent=now())
    return job


@pytest.fixture(params=["while it waits", "while it is worked on"])
def deleting(request, monkeypatch):
    """``deleting(job, act)``: do this to what it is about at that moment."""

    def deleting(job, act):
        if request.param == "while it waits":
            act()
            return
        work = jobs.WORK[job.kind]

        def act_once(job):
            monkeypatch.setitem(jobs.WORK, job.kind, work)
            act()
            work(job)

        monkeypatch.setitem(jobs.WORK, job.kind, act_once)

    return deleting


@pytest.mark.django_db(transaction=True)  # the database looks at what is missing when it is committed
@pytest.mark.parametrize("kind", Job.Kind)
def test_a_job_goes_on_without_who_asked_for_it(asked, deleting, event, kind):
    job, batch = asked(kind)
    deleting(job, lambda: delete_requester(event, batch))
    job = run(job, event)
    assert (job.state, job.message, job.user) == (Job.State.SUCCEEDED, "", None)
    assert Order.objects.count() == 5


@pytest.mark.parametrize("kind", Job.Kind)
@pytest.mark.parametrize(
    ("delete", "messages"),
    [
        pytest.param(delete_layout, {Job.Kind.ISSUE: DELETED}, id="layout"),
        pytest.param(
            delete_quota, {Job.Kind.ISSUE: "This product is not assigned to a quota."}, id="quota"
        ),
    ],
)
def test_what_is_needed_to_issue_is_not_needed_later(asked, event, kind, delete, messages):
    job, batch = asked(kind)
    delete(event, batch)
    job = run(job, event)
    expected = messages.get(kind, "")
    assert (job.state, job.message) == (Job.State.FAILED if expected else Job.State.SUCCEEDED, expected)


ABOUT_TICKETS = [kind for kind in Job.Kind if kind != Job.Kind.ISSUE]


@pytest.mark.parametrize("kind", ABOUT_TICKETS)
def test_orders_that_are_gone_are_left_out(asked, deleting, event, kind):
    job, batch = asked(kind)
    deleting(job, lambda: delete_orders(2, 4)(event, batch))
    job = run(job, event)
    assert (job.state, job.message) == (Job.State.SUCCEEDED, "")
    if job.dealt_with:
        left = list(batch.tickets.order_by("number").values_list("order__code", flat=True))
        assert (len(left), job.data[job.dealt_with]) == (3, left)


@pytest.mark.parametrize("kind", ABOUT_TICKETS)
def test_a_job_goes_with_the_last_order_of_its_batch(asked, deleting, event, kind):
    job, batch = asked(kind)
    deleting(job, lambda: delete_orders(1, 2, 3, 4, 5)(event, batch))
    assert (run(job, event), OfflineSalesBatch.objects.count(), Order.objects.count()) == (None, 0, 0)
