"""What a job is about, or who asked for it, is deleted under it: it goes on without, or says what is gone."""

from dataclasses import replace

import pytest
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import override
from pretix.base.models import Event, Order, User

from pretix_offlinesales.after_sale.kind import AfterSale
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.issuing.several import SeveralRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.jobs.interruptions import MAX_INTERRUPTIONS
from pretix_offlinesales.jobs.registry import all_kinds, kind_of
from pretix_offlinesales.kinds import (
    ISSUE,
    ISSUE_SEVERAL,
    MAKE_DATA,
    PRINT,
    PRINT_FOR_SELLERS,
    SETTLE,
    STATE_ALL,
    UNDO_LOST,
    UNDO_RETURN,
    UNDO_SOLD,
)
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.data import DataOptions
from pretix_offlinesales.printing.for_sellers import SellersRequest
from pretix_offlinesales.tickets.selection import Selection
from tests.support.after_sale import report_lost, take_back
from tests.support.consignment import paid, stated
from tests.support.jobs import done
from tests.support.sellers import handed_over, make_seller

NO_QUOTA = "This product is not assigned to a quota."
DELETED = "Something that this batch should have been made of has been deleted in the meantime."


def each(reason):
    return f"2 batches could not be issued: 2 × Ticket: {reason} · 3 × Ticket: {reason}"


@pytest.fixture
def asked(event, item, quota, layout, web, make_batch):
    """``asked(kind)``: a job of that kind about five tickets in test mode, that a user has asked for, and its batch."""
    event.testmode = True
    event.save()
    requester = {"user": User.objects.create_user("leaving@example.org")}

    @override("en")
    def asked(kind):
        wanted = OfflineSalesBatch(
            event=event, item=item, sales_channel=web, layout=layout, testmode=True, amount=5, **requester
        )
        if kind == ISSUE:
            return ISSUE.create(event, IssueRequest.of(wanted), requester), None
        if kind == ISSUE_SEVERAL:
            amounts = [replace(IssueRequest.of(wanted), amount=amount).data for amount in (2, 3)]
            return ISSUE_SEVERAL.create(event, SeveralRequest(amounts), requester), None
        if kind == STATE_ALL:
            return stating(make_batch(amount=5, consignment=True), requester)
        if kind == SETTLE:
            return settling(make_batch(amount=5, consignment=True), requester)
        batch = make_batch(amount=5, layout=layout.pk, testmode=True)
        if kind == PRINT:
            return PRINT.ask(batch, requester), batch
        if kind == PRINT_FOR_SELLERS:
            seller = make_seller(event.organizer)
            batch.tickets.update(seller=seller)
            return PRINT_FOR_SELLERS.ask_for(event, SellersRequest.of(event, [seller]), requester), batch
        if kind == MAKE_DATA:
            return MAKE_DATA.ask(batch, DataOptions(), requester), batch
        if kind == UNDO_RETURN:
            take_back(batch, "1-5", "unsold")
        if kind == UNDO_LOST:
            report_lost(batch, "1-5")
        if kind == UNDO_SOLD:
            batch.tickets.update(sold=now())
        return kind.ask(event, Selection.from_json({"tickets": "1-5"}), requester, batch), batch

    return asked


def stating(batch, requester):
    handed_over(batch, make_seller(batch.event.organizer), "1-5")
    batch.tickets.update(sold=now())
    in_test_mode()
    return STATE_ALL.ask_for([batch.event], now(), requester), batch


def settling(batch, requester):
    [job] = paid(stated(make_seller(batch.event.organizer), "1-5", batch))
    job.row.update(**requester)
    in_test_mode()
    return job, batch


def in_test_mode():
    """Tickets in test mode are not handed over, and others can't be deleted."""
    OfflineSalesBatch.objects.update(testmode=True)
    Order.objects.update(testmode=True)


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
    for _ in range(MAX_INTERRUPTIONS):
        runner.run(Event.objects.get(pk=event.pk), job.pk)
        job = Job.objects.filter(pk=job.pk).first()
        if not job or job.finished:
            return job
        Job.objects.filter(pk=job.pk).update(queued=now())
    return job


@pytest.fixture(params=["while it waits", "while it is worked on"])
def deleting(request, monkeypatch):
    """``deleting(job, act)``: do this to what it is about at that moment."""

    def deleting(job, act):
        if request.param == "while it waits":
            act()
            return
        kind = kind_of(job)
        work = kind.work

        def act_once(job):
            monkeypatch.setattr(kind, "work", work)
            act()
            work(job)

        monkeypatch.setattr(kind, "work", act_once)

    return deleting


@pytest.mark.django_db(transaction=True)  # the database looks at what is missing when it is committed
@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.identifier)
def test_a_job_goes_on_without_who_asked_for_it(asked, deleting, event, kind):
    job, batch = asked(kind)
    deleting(job, lambda: delete_requester(event, batch))
    job = run(job, event)
    assert (job.state, job.message, job.user) == (Job.State.SUCCEEDED, "", None)
    assert Order.objects.count() == 5


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.identifier)
@pytest.mark.parametrize(
    ("delete", "messages"),
    [
        pytest.param(delete_layout, {ISSUE: DELETED, ISSUE_SEVERAL: each(DELETED)}, id="layout"),
        pytest.param(delete_quota, {ISSUE: NO_QUOTA, ISSUE_SEVERAL: each(NO_QUOTA)}, id="quota"),
    ],
)
def test_what_is_needed_to_issue_is_not_needed_later(asked, event, kind, delete, messages):
    job, batch = asked(kind)
    delete(event, batch)
    job = run(job, event)
    expected = messages.get(kind, "")
    assert (job.state, job.message) == (Job.State.FAILED if expected else Job.State.SUCCEEDED, expected)


ABOUT_TICKETS = [kind for kind in all_kinds() if kind not in (ISSUE, ISSUE_SEVERAL)]


@pytest.mark.parametrize("kind", ABOUT_TICKETS)
def test_orders_that_are_gone_are_left_out(asked, deleting, event, kind):
    job, batch = asked(kind)
    deleting(job, lambda: delete_orders(2, 4)(event, batch))
    job = run(job, event)
    assert (job.state, job.message) == (Job.State.SUCCEEDED, "")
    if isinstance(kind, AfterSale):
        left = list(batch.tickets.order_by("number").values_list("order__code", flat=True))
        assert (len(left), done(job)) == (3, left)


#: Settling is about a statement, and stating about a seller, who stay.
@pytest.mark.parametrize("kind", [kind for kind in ABOUT_TICKETS if kind not in (SETTLE, STATE_ALL)])
def test_a_job_goes_with_the_last_order_of_its_batch(asked, deleting, event, kind):
    job, batch = asked(kind)
    deleting(job, lambda: delete_orders(1, 2, 3, 4, 5)(event, batch))
    assert (run(job, event), OfflineSalesBatch.objects.count(), Order.objects.count()) == (None, 0, 0)
