"""Several batches by one job: each once and whole, whatever dies, and what can't be made is told."""

from dataclasses import replace

import pytest
from django.db import OperationalError, transaction
from django.utils.timezone import now
from pretix.base.models import LogEntry, Order
from pretix.base.signals import order_paid, order_placed

from pretix_offlinesales.issuing import kinds
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.issuing.several import SeveralRequest, forget
from pretix_offlinesales.jobs import announcing, runner
from pretix_offlinesales.jobs.interruptions import MAX_INTERRUPTIONS
from pretix_offlinesales.kinds import ISSUE, ISSUE_SEVERAL
from pretix_offlinesales.models import Document, Job, OfflineSalesBatch, OfflineSalesTicket
from pretix_offlinesales.sellers import records
from tests.support.jobs import run
from tests.support.sellers import make_seller
from tests.support.workers import Killed, die

State = Job.State

SOLD_OUT = 'There is not enough quota available on quota "House" to perform the operation.'


@pytest.fixture
def asked(event, item, quota, web, user):
    """``asked(2, 3)``: a job for batches of so many tickets."""

    def asked(*amounts, **values):
        one = IssueRequest.of(OfflineSalesBatch(event=event, item=item, sales_channel=web, amount=1))
        requests = [replace(one, amount=amount, numbers_go_on=True, **values) for amount in amounts]
        return ISSUE_SEVERAL.create(event, SeveralRequest([each.data for each in requests]), {"user": user})

    return asked


@pytest.fixture
def heard(hear):
    """The codes of the orders that others have heard of."""
    codes = []
    hear(order_placed, lambda signal, sender, order, **kwargs: codes.append(order.code))
    return codes


def batches():
    """Of each how many tickets it has, its first number, and whether it is complete."""
    found = OfflineSalesBatch.objects.order_by("pk")
    return [(each.tickets.count(), each.numbers[0], each.completed is not None) for each in found]


def end(job):
    return job.state, job.message


def made(job):
    return [index for index, _batch in job.result.get("made", [])]


def all_codes():
    return sorted(Order.objects.values_list("code", flat=True))


def test_each_is_made_and_announced_as_if_it_was_alone(asked, event, heard, user):
    job = run(asked(2, 3, 1))
    assert (end(job), job.progress, job.batch) == ((State.SUCCEEDED, ""), 100, None)
    assert batches() == [(2, 1, True), (3, 3, True), (1, 6, True)]
    assert sorted(heard) == all_codes()
    assert job.result == {"made": [[index, batch.pk] for index, batch in enumerate(OfflineSalesBatch.objects.all())]}
    assert (ISSUE_SEVERAL.amount(job), ISSUE_SEVERAL.dealt_with(job)) == (6, 6)
    issued = LogEntry.objects.filter(action_type=ISSUE.action).order_by("pk")
    assert [(entry.content_object.pk, entry.parsed_data, entry.user) for entry in issued] == [
        (batch.pk, {"amount": batch.amount}, user) for batch in OfflineSalesBatch.objects.order_by("pk")
    ]


def test_progress_is_that_of_all_of_them(asked, monkeypatch):
    job, seen = asked(1, 3), []
    report = Job.report

    def watch(job, done, total):
        report(job, done, total)
        seen.append(job.progress)

    monkeypatch.setattr(Job, "report", watch)
    run(job)
    assert seen == [5, 25, 40, 100]


def test_one_that_is_sold_out_meanwhile_is_told_and_the_others_are_made(asked, quota):
    job = asked(4, 5, 3)
    quota.size = 8
    quota.save()
    job = run(job)
    assert end(job) == (State.SUCCEEDED, f"1 batch could not be issued: 5 × Ticket: {SOLD_OUT}")
    assert (batches(), made(job)) == ([(4, 1, True), (3, 5, True)], [0, 2])
    assert (ISSUE_SEVERAL.amount(job), ISSUE_SEVERAL.dealt_with(job)) == (12, 7)


def test_if_none_can_be_made_the_job_fails(asked, quota):
    job = asked(4, 5)
    quota.size = 3
    quota.save()
    job = run(job)
    reasons = f"4 × Ticket: {SOLD_OUT} · 5 × Ticket: {SOLD_OUT}"
    assert (end(job), batches()) == ((State.FAILED, f"2 batches could not be issued: {reasons}"), [])


def test_what_is_told_has_an_end(asked, quota):
    job = asked(*[1] * 12)
    quota.size = 1
    quota.save()
    job = run(job)
    assert (job.message.count(SOLD_OUT), job.message[:31]) == (10, "11 batches could not be issued:")
    assert job.message.endswith(" · …")


@pytest.mark.parametrize("moment", range(3))
def test_a_worker_that_dies_before_one_is_made_is_replaced(asked, heard, monkeypatch, moment):
    job, insert, deaths = asked(2, 3, 1), kinds.insert, []

    def die_once(*args):
        if len(batches()) == moment and not deaths:
            deaths.append(moment)
            raise Killed
        insert(*args)

    monkeypatch.setattr(kinds, "insert", die_once)
    assert die(job) == State.WAITING
    job = run(job)
    assert (end(job), made(job), job.attempts) == ((State.SUCCEEDED, ""), [0, 1, 2], 2)
    assert batches() == [(2, 1, True), (3, 3, True), (1, 6, True)]
    assert sorted(heard) == all_codes()


@pytest.mark.parametrize("moment", range(6))
def test_a_worker_that_dies_while_others_are_told_goes_on_there(asked, hear, monkeypatch, moment):
    """Nothing is made twice, and everybody hears of each at least once."""
    monkeypatch.setattr(announcing, "CHUNK", 1)
    heard, deaths = [], []

    def listen(signal, sender, order, **kwargs):
        if len(heard) == moment and not deaths:
            deaths.append(order.code)
            raise Killed
        heard.append(order.code)

    hear(order_paid, listen)
    job = asked(2, 3, 1)
    assert die(job) == State.WAITING
    assert len(batches()) == (1, 1, 2, 2, 2, 3)[moment]
    job = run(job)
    assert (end(job), made(job)) == ((State.SUCCEEDED, ""), [0, 1, 2])
    assert batches() == [(2, 1, True), (3, 3, True), (1, 6, True)]
    assert (sorted(heard), len(set(heard))) == (all_codes(), 6)
    assert LogEntry.objects.filter(action_type=ISSUE.action).count() == 3


def test_one_that_no_worker_survives_is_given_up_once_something_is_made(asked, monkeypatch):
    """Before that, the job is given up as any other."""
    insert = kinds.insert

    def die_of_three(making, *args):
        if making.request.amount == 3:
            raise Killed
        insert(making, *args)

    monkeypatch.setattr(kinds, "insert", die_of_three)
    job = asked(2, 3, 1)
    assert [die(job) for _death in range(MAX_INTERRUPTIONS)] == [State.WAITING] * MAX_INTERRUPTIONS
    job = run(job)
    assert end(job) == (
        State.SUCCEEDED,
        "1 batch could not be issued: 3 × Ticket: This was interrupted again and again, and has been given up. Please "
        "try again later.",
    )
    assert batches() == [(2, 1, True), (1, 3, True)]
    job = asked(3, 1)
    assert [die(job) for _death in range(MAX_INTERRUPTIONS)] == [State.WAITING, State.WAITING, State.FAILED]


@pytest.mark.parametrize(
    ("error", "state", "batches_made"),
    [(ValueError, State.SUCCEEDED, 2), (OperationalError, State.WAITING, 1)],
)
def test_what_nobody_foresaw_ends_one_and_what_was_away_is_waited_for(
    asked, monkeypatch, caplog, error, state, batches_made
):
    insert = kinds.insert

    def fail_at_three(making, *args):
        if making.request.amount == 3:
            raise error("no")
        insert(making, *args)

    monkeypatch.setattr(kinds, "insert", fail_at_three)
    job = run(asked(2, 3, 1))
    assert (job.state, len(batches())) == (state, batches_made)
    assert error.__name__ in caplog.text


def test_what_is_made_is_finished_without_the_plugin_and_nothing_more_is_made(asked, event, hear):
    def die_once(signal, sender, order, **kwargs):
        if type(event).objects.filter(pk=event.pk, plugins__contains="offlinesales").exists():
            type(event).objects.filter(pk=event.pk).update(plugins="")
            raise Killed

    hear(order_paid, die_once)
    job = asked(2, 3)
    assert die(job) == State.WAITING
    job = run(job)
    off = "The plugin has been switched off for this event in the meantime."
    assert end(job) == (State.SUCCEEDED, f"1 batch could not be issued: 3 × Ticket: {off}")
    assert batches() == [(2, 1, True)]


def test_a_batch_that_is_deleted_while_others_are_told_of_it_holds_nothing_up(asked, hear):
    deaths = []

    def die_once(signal, sender, order, **kwargs):
        if not deaths:
            deaths.append(order.code)
            raise Killed

    hear(order_paid, die_once)
    job = asked(2, 3)
    assert die(job) == State.WAITING
    Order.objects.update(testmode=True)
    for order in Order.objects.all():
        with transaction.atomic():
            order.gracefully_delete()
    assert batches() == []
    job = run(job)
    assert (end(job), made(job), batches()) == ((State.SUCCEEDED, ""), [0, 1], [(3, 1, True)])


@pytest.mark.parametrize("moment", range(3))
def test_each_is_handed_over_once_as_it_is_made(asked, organizer, monkeypatch, worker, moment):
    kiosk, complete, deaths = make_seller(organizer), kinds._complete, []

    def die_once(making):
        if len(batches()) == moment + 1 and not deaths:
            deaths.append(moment)
            raise Killed
        complete(making)

    monkeypatch.setattr(kinds, "_complete", die_once)
    job = asked(2, 3, 1, seller_id=kiosk.pk)
    assert die(job) == State.WAITING
    job = run(job)
    assert (end(job), job.pending_webhooks) == ((State.SUCCEEDED, ""), [])
    documents = Document.objects.order_by("number")
    assert [(each.number, each.target, each.count) for each in documents] == [
        (1, kiosk, 2),
        (2, kiosk, 3),
        (3, kiosk, 1),
    ]
    assert OfflineSalesTicket.objects.filter(seller=kiosk).count() == 6
    assert LogEntry.objects.filter(action_type="pretix_offlinesales.handed_over").count() == 3


def test_a_seller_whose_limit_is_reached_meanwhile_gets_no_more(asked, organizer):
    kiosk = make_seller(organizer, credit_limit=100)  # of 23 each
    job = run(asked(2, 3, 1, seller_id=kiosk.pk))
    too_much = "The seller would hold or owe €115.00, and the credit limit is €100.00."
    assert end(job) == (State.SUCCEEDED, f"1 batch could not be issued: 3 × Ticket, Kiosk: {too_much}")
    assert batches() == [(2, 1, True), (1, 3, True)]


def test_webhooks_tell_of_each_as_soon_as_it_is_made(asked, organizer, monkeypatch):
    told, kiosk = [], make_seller(organizer)
    monkeypatch.setattr(
        runner, "send_webhooks", lambda event, entries: told.append(sorted(each.pk for each in entries))
    )
    run(asked(2, 3, seller_id=kiosk.pk))
    actions = (ISSUE.action, "pretix_offlinesales.handed_over")
    entries = list(LogEntry.objects.filter(action_type__in=actions).order_by("pk").values_list("pk", flat=True))
    assert told == [entries[:2], entries[2:]]


def test_it_can_be_canceled_as_long_as_nothing_is_made(asked, hear):
    job = asked(2, 3)
    assert runner.cancel(job)
    job.refresh_from_db()
    assert (end(job), batches()) == ((State.FAILED, "Canceled."), [])

    def die(signal, sender, order, **kwargs):
        raise Killed

    job = asked(2, 3)
    hear(order_paid, die)
    with pytest.raises(Killed):
        run(job)
    job.row.update(state=State.WAITING, queued=now())
    assert not runner.cancel(job)


@pytest.mark.parametrize("seller_is", ["erased", "deleted"])
def test_what_could_not_be_made_is_told_without_the_name_of_who_is_forgotten(asked, organizer, seller_is):
    miller, kiosk = (make_seller(organizer, name, credit_limit=1) for name in ("Anna Miller", "Kiosk"))
    job, other = (run(asked(1, seller_id=seller.pk)) for seller in (miller, kiosk))
    told, told_of_other = job.message, other.message
    assert "1 × Ticket, Anna Miller: " in told
    key = miller.pk
    if seller_is == "erased":
        records.erase(miller, {})
    else:
        records.delete(miller, {})
    forget(organizer, key)
    job.refresh_from_db()
    other.refresh_from_db()
    name = f", Deleted seller {key}" if seller_is == "erased" else ""
    assert job.message == told.replace(", Anna Miller", name)
    assert other.message == told_of_other
