"""
A statement is settled, so what is on it is paid in pretix, too: each order as the host itself confirms a payment, and
once, whoever dies meanwhile.
"""

import json
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import Event, LogEntry, Order, OrderPayment
from pretix.base.services.checkin import perform_checkin
from pretix.base.signals import order_paid

from pretix_offlinesales import signals, tasks
from pretix_offlinesales.after_sale import attempt, kind as after_sale
from pretix_offlinesales.kinds import RETURN, SETTLE, UNDO_RETURN
from pretix_offlinesales.models import (
    DocumentCounter,
    Job,
    OfflineSalesTicket,
    SellerPayment,
    Statement,
    StatementEntry,
)
from pretix_offlinesales.sellers.accounts import accounts
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.settling import paying, settle as settling
from pretix_offlinesales.tickets.state import State, state_of_ticket, with_state
from tests.support.after_sale import cancel, change, deal_with, report_lost, take_back
from tests.support.consignment import paid, pay_directly, stated
from tests.support.jobs import done, run, skipped
from tests.support.oracle import picture
from tests.support.plugins import receiver_of_a_plugin
from tests.support.receiving import receiving_server
from tests.support.returning import OF_EACH_TICKET, actions, codes, details, orders, position
from tests.support.sellers import NOBODY, handed_over, make_seller
from tests.support.sold import KINDS
from tests.support.workers import Killed, Other, die

pytestmark = pytest.mark.django_db

#: Products that can be sold on consignment. (Test tickets are not handed over.)
PRODUCTS = [name for name in KINDS if "gift_card" not in name and name not in ("free", "medium", "in_test_mode")]


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, "Kiosk", commission_percent=10)


@pytest.fixture
def make_consignment(make_batch):
    """``make_consignment(amount=5)``: a batch whose orders wait to be paid."""
    return partial(make_batch, consignment=True)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(after_sale, "CHUNK", 2)


def ended(*jobs):
    """What comes of them: what was paid, and the reason for each that was not."""
    found = [run(job) for job in jobs]
    assert {(job.state, job.message) for job in found} <= {("succeeded", "")}
    return [code for job in found for code in done(job)], {
        line["order"]: line["reason"] for job in found for line in skipped(job)
    }


def settled(statement, *amount):
    return ended(*paid(statement, *amount))


def fresh(order):
    return Order.objects.get(pk=order.pk)


def states(batch):
    return [state_of_ticket(ticket) for ticket in with_state(batch.tickets.order_by("number"))]


def confirm_as_the_host(order, statement):
    """Staff writes down a payment, and confirms it."""
    order = fresh(order)
    payment = order.payments.create(
        state="created",
        provider="offlinesales",
        amount=order.pending_sum,
        info=json.dumps({"document": statement.pk, "statement": statement.document.number}, sort_keys=True),
    )
    payment.confirm(ignore_date=True, generate_invoice=False, send_mail=False)


# As the host does it


def compare(kiosk, batch):
    """The first two tickets are settled, the host confirms a payment of the third, and both are the same."""
    ours, theirs = orders(batch)[:2], orders(batch)[2]
    statement = stated(kiosk, "1-2", batch)
    batch.tickets.filter(number=3).update(sold=now())  # or the payment would be taken for the customer's
    with freeze_time("2027-05-01 12:00:00"):
        assert settled(statement) == ([order.code for order in ours], {})
        confirm_as_the_host(theirs, statement)
    pictures = [picture(fresh(order), OF_EACH_TICKET) for order in (*ours, theirs)]
    assert pictures == [pictures[2]] * 3
    assert [[payment.provider for payment in order.payments.all()] for order in ours] == [["offlinesales"]] * 2
    assert [fresh(order).pending_sum for order in ours] == [0, 0]
    assert [actions(order) for order in ours] == [[*actions(theirs), "pretix_offlinesales.order.settled"]] * 2
    assert [details(order) for order in ours] == [details(theirs)] * 2
    assert states(batch) == [State.SETTLED] * 2 + [State.SETTLED]


@pytest.mark.parametrize("name", PRODUCTS)
def test_equals_the_hosts_own_confirmation(name, event, item, quota, make_consignment, kiosk):
    wanted = KINDS[name](event, item) or {}
    compare(kiosk, make_consignment(**wanted))


def test_equals_the_hosts_own_confirmation_when_payments_are_late(event, make_consignment, kiosk):
    batch = make_consignment()
    event.settings.payment_term_last = "2026-01-01"
    event.settings.payment_term_accept_late = False
    event.settings.invoice_generate = "True"
    event.quotas.update(size=0)
    compare(kiosk, batch)


def test_a_part_that_somebody_has_paid_is_not_paid_again(make_consignment, kiosk):
    batch = make_consignment()
    for order in orders(batch)[1:]:
        order.payments.create(state="created", provider="manual", amount=Decimal("10.00")).confirm()
    compare_from = orders(batch)[1:]
    statement = stated(kiosk, "1-2", batch)
    with freeze_time("2027-05-01 12:00:00"):
        settled(statement)
        confirm_as_the_host(compare_from[1], statement)
    pictures = [picture(fresh(order), OF_EACH_TICKET | {"created", "payment_date"}) for order in compare_from]
    assert pictures[0] == pictures[1]
    assert [payment.amount for payment in compare_from[0].payments.all()] == [Decimal("10.00"), Decimal("13.00")]


def test_plugins_and_webhooks_hear_of_it_as_when_the_host_does_it(
    event, make_consignment, kiosk, settings, django_capture_on_commit_callbacks
):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    batch = make_consignment()
    statement = stated(kiosk, "1-2", batch)
    heard = []

    def hear(signal, sender, order, **kwargs):
        heard.append((order.code, order.status, kwargs))

    with receiver_of_a_plugin(settings, order_paid, hear), receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        for action in ("payment.confirmed", "paid", "changed.*", "modified"):
            webhook.listeners.create(action_type=f"pretix.event.order.{action}")
        with django_capture_on_commit_callbacks(execute=True):
            settled(statement)
        with django_capture_on_commit_callbacks(execute=True):
            confirm_as_the_host(orders(batch)[2], statement)
    assert heard == [(code, "p", {}) for code in codes(batch)]
    told = {code: sorted(call["action"] for call in received if call["code"] == code) for code in codes(batch)}
    assert told == dict.fromkeys(codes(batch), ["pretix.event.order.paid", "pretix.event.order.payment.confirmed"])
    assert len(received) == len({call["notification_id"] for call in received}) == 6


def test_nobody_gets_a_mail(make_consignment, kiosk, mailoutbox, worker):
    batch = make_consignment()
    Order.objects.update(email="customer@example.org")
    statement = stated(kiosk, "1-3", batch)
    with worker():
        settled(statement)
    assert mailoutbox == []


def test_histories_say_by_which_statement(event, make_consignment, kiosk, team, user, api, url):
    batch = make_consignment()
    [job] = paid(stated(kiosk, "1-3", batch), requested_by=NOBODY | {"user": user})
    assert ended(job) == (codes(batch), {})
    entries = [order.all_logentries().get(action_type=SETTLE.order_action) for order in orders(batch)]
    assert [(str(entry.display()), entry.user) for entry in entries] == [
        ("The ticket has been paid: statement 1.", user)
    ] * 3
    entry = batch.all_logentries().first()
    assert entry.parsed_data == {"amount": 3, "job": str(job.pk), "statement": 1}
    assert "3 tickets have been paid: statement 1." in str(entry.display())
    found = api.get(f"{url}jobs/?kind=settle").data["results"]
    assert [(each["kind"], each["check"], each["batch"]) for each in found] == [("settle", None, None)]


def test_the_payment_says_by_which_statement(event, make_consignment, kiosk, team, user, client, api):
    batch = make_consignment(amount=1)
    statement = stated(kiosk, "1", batch)
    settled(statement)
    [order] = orders(batch)
    assert order.payments.get().info_data == {"statement": 1, "document": statement.pk}
    place = f"organizers/{event.organizer.slug}/events/{event.slug}"
    told = api.get(f"/api/v1/{place}/orders/{order.code}/").data["payments"]
    assert [payment["details"] for payment in told] == [{"statement": 1}]
    client.force_login(user)
    address = f"/control/event/{event.organizer.slug}/{event.slug}/orders/{order.code}/"
    link = f'href="/control/organizer/{event.organizer.slug}/offlinesales/documents/{statement.pk}/"'
    assert link in client.get(address).content.decode()
    team.all_organizer_permissions = False
    team.save()
    page = client.get(address).content.decode()
    assert (link in page, "<dt>Statement</dt>" in page) == (False, True)


@pytest.mark.parametrize("info", [None, "", "{}", "[1]", '{"statement": "x", "document": 1}', '{"statement": 1}'])
def test_a_payment_of_other_origin_says_nothing_of_a_statement(event, make_batch, team, user, client, info):
    [order] = orders(make_batch(amount=1))
    OrderPayment.objects.update(info=info)
    client.force_login(user)
    page = client.get(f"/control/event/{event.organizer.slug}/{event.slug}/orders/{order.code}/")
    assert (page.status_code, b"<dt>Statement</dt>" in page.content) == (200, False)


# What is paid


def test_other_tickets_are_settled_and_their_orders_are_left_as_they_are(make_batch, kiosk):
    batch = make_batch()
    before = [picture(order) for order in orders(batch)]
    statement = stated(kiosk, "1-2", batch)
    assert states(batch) == [State.SOLD, State.SOLD, State.STOCK]
    assert settled(statement) == (codes(batch)[:2], {})
    assert states(batch) == [State.SETTLED, State.SETTLED, State.STOCK]
    assert [picture(order) for order in orders(batch)] == before
    assert "pretix_offlinesales.order.settled" in actions(orders(batch)[0])


def test_nobody_is_told_of_orders_that_were_paid_before(make_batch, make_consignment, kiosk, settings):
    batch, other = make_batch(), make_consignment()
    statement, heard = stated(kiosk, "1-2", batch, other), []

    def hear(signal, sender, order, **kwargs):
        heard.append(order.code)

    with receiver_of_a_plugin(settings, order_paid, hear):
        settled(statement)
    assert heard == codes(other)[:2]


def test_each_event_has_a_job_of_its_own(make_consignment, issued, series, series_item, subevent, kiosk):
    batch = make_consignment()
    other = issued(series, series_item, subevent=subevent, consignment=True).batch
    statement = stated(kiosk, "1-2", batch, other)
    jobs = paid(statement)
    assert {job.event for job in jobs} == {batch.event, other.event}
    assert sorted(ended(*jobs)[0]) == sorted([*codes(batch)[:2], *codes(other)[:2]])
    assert states(batch) == states(other) == [State.SETTLED, State.SETTLED, State.STOCK]


def expire(ticket):
    Order.objects.filter(pk=ticket.order_id).update(status=Order.STATUS_EXPIRED)


def pay_otherwise(ticket):
    pay_directly(ticket.order)


def require_approval(ticket):
    Order.objects.filter(pk=ticket.order_id).update(require_approval=True)


def cancel_ticket_alone(ticket):
    change(ticket.order, lambda manager: manager.add_position(ticket.batch.item, None, Decimal("1.00"), None))
    change(ticket.order, lambda manager: manager.cancel(ticket.order.positions.get(positionid=1)))


def take_off_the_statement(ticket):
    type(ticket).objects.filter(pk=ticket.pk).update(statement=None)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (cancel, "already_canceled"),
        (expire, "already_canceled"),
        (pay_otherwise, "settled"),
        (require_approval, "changed"),
        (cancel_ticket_alone, "changed"),
        (take_off_the_statement, "not_stated"),
    ],
)
def test_what_need_not_be_paid_any_more_is_left_alone(event, quota, make_consignment, kiosk, happens, reason):
    batch = make_consignment()
    jobs = paid(stated(kiosk, "1-3", batch))
    happens(batch.tickets.get(number=2))
    before = picture(orders(batch)[1])
    first, second, third = codes(batch)
    assert ended(*jobs) == ([first, third], {second: reason})
    assert picture(orders(batch)[1]) == before
    assert batch.tickets.get(number=2).settled is None


def test_what_was_stated_is_paid_and_not_what_it_costs_since(event, make_consignment, kiosk):
    batch = make_consignment()
    statement = stated(kiosk, "1-3", batch)
    dearer, cheaper, _same = orders(batch)
    change(dearer, lambda manager: manager.change_price(position(dearer), Decimal("30.00")))
    change(cheaper, lambda manager: manager.change_price(position(cheaper), Decimal("20.00")))
    assert settled(statement) == (codes(batch), {})
    assert [(fresh(order).status, fresh(order).pending_sum) for order in orders(batch)] == [
        ("n", Decimal("7.00")),
        ("p", 0),
        ("p", 0),
    ]
    second = make(kiosk, [event], now(), NOBODY)
    assert second.total == Decimal("4.00")
    assert settled(second) == ([dearer.code], {cheaper.code: "settled"})
    assert [payment.amount for payment in dearer.payments.all()] == [Decimal("23.00"), Decimal("7.00")]
    assert (fresh(dearer).status, fresh(dearer).pending_sum) == ("p", 0)


def test_lost_paper_is_paid_too_and_stays_lost(make_consignment, kiosk, event):
    batch = make_consignment(amount=1)
    statement = stated(kiosk, "1", batch)
    report_lost(batch, "1")
    settled(statement)
    [order] = orders(batch)
    assert (order.status, states(batch)) == ("p", [State.LOST])


def test_a_credit_pays_an_older_statement(event, make_consignment, kiosk):
    batch = make_consignment()
    first = stated(kiosk, "1-2", batch)
    second = stated(kiosk, "3", batch)
    settled(first, second.due)
    assert states(batch) == [State.SOLD] * 3
    take_back(batch, "1", "unsold")
    statement, jobs = paying.state(kiosk, [event], now(), NOBODY)
    assert statement.total == Decimal("-23.00")
    returned, kept, _other = codes(batch)
    assert ended(*jobs) == ([kept], {returned: "already_canceled"})
    assert states(batch) == [State.RETURNED, State.SETTLED, State.SOLD]


def test_nothing_is_paid_in_pretix_before_the_money_has_come_in(event, make_consignment, kiosk):
    """What statements give back is not money: it is taken off older ones, which are still to be paid."""
    batch = make_consignment()
    first = stated(kiosk, "1-2", batch)
    change(orders(batch)[0], lambda manager: manager.change_price(position(orders(batch)[0]), Decimal("20.00")))
    cheaper, jobs = paying.state(kiosk, [event], now(), NOBODY)
    assert (cheaper.total, ended(*jobs), states(batch)[:2]) == (Decimal("-3.00"), ([], {}), [State.SOLD] * 2)
    take_back(batch, "2", "unsold")
    handed_over(batch, kiosk, "3")
    batch.tickets.filter(number=3).update(sold=now())
    exchanged, jobs = paying.state(kiosk, [event], now(), NOBODY)
    assert (exchanged.due, ended(*jobs)) == (0, ([], {}))
    assert states(batch) == [State.SOLD, State.RETURNED, State.SOLD]
    done, left = settled(first, Decimal("38.70"))
    assert (sorted(done), left) == (sorted([codes(batch)[0], codes(batch)[2]]), {})
    assert states(batch) == [State.SETTLED, State.RETURNED, State.SETTLED]
    assert [fresh(order).payment_refund_sum for order in orders(batch)] == [Decimal("20.00"), 0, Decimal("23.00")]


def test_what_waits_for_an_older_statement_is_paid_with_that_one(event, make_consignment, kiosk):
    batch = make_consignment()
    first = stated(kiosk, "1", batch)
    change(orders(batch)[0], lambda manager: manager.change_price(position(orders(batch)[0]), Decimal("20.00")))
    second = stated(kiosk, "2-3", batch)
    assert settled(second) == (codes(batch)[1:], {codes(batch)[0]: "not_stated"})
    assert settled(first) == ([codes(batch)[0]], dict.fromkeys(codes(batch)[1:], "settled"))
    assert states(batch) == [State.SETTLED] * 3


def test_a_negative_payment_opens_the_statement_and_takes_nothing_back(make_consignment, kiosk):
    batch = make_consignment()
    statement = stated(kiosk, "1-3", batch)
    settled(statement)
    before = [picture(order) for order in orders(batch)]
    assert paid(statement, -statement.due) == []
    assert ([picture(order) for order in orders(batch)], states(batch)) == (before, [State.SETTLED] * 3)
    assert Statement.objects.get().settled
    assert paid(statement, statement.due) == []


# The books


def test_what_was_settled_comes_back_and_out_again(event, make_consignment, kiosk):
    batch = make_consignment(amount=1)
    settled(stated(kiosk, "1", batch))
    for turn in range(1, 3):
        take_back(batch, "1", "unsold")
        [order] = orders(batch)
        refunds = list(order.refunds.values_list("payment__local_id", "amount", "state"))
        assert (order.status, order.pending_sum, states(batch)) == ("c", 0, [State.RETURNED])
        assert refunds == [(number, Decimal("23.00"), "done") for number in range(1, turn + 1)]
        credit, jobs = paying.state(kiosk, [event], now(), NOBODY)
        assert (credit.total, jobs) == (Decimal("-23.00"), [])
        deal_with(batch, "1", UNDO_RETURN)
        [order] = orders(batch)
        # It is hers again, so that it is open until a statement says so, which that money pays.
        assert (order.status, order.pending_sum, order.payments.count()) == ("n", Decimal("23.00"), turn)
        assert sum(entry.full_price for entry in order.transactions.all()) == Decimal("23.00")
        ended(*paying.state(kiosk, [event], now(), NOBODY)[1])
    account = accounts([kiosk])[kiosk.pk]
    assert (account.balance, account.unstated, states(batch)) == (0, 0, [State.SETTLED])


# Asked for


def test_there_is_one_job_at_a_time(make_consignment, kiosk):
    statement = stated(kiosk, "1-3", make_consignment())
    [job] = paid(statement)
    assert paying.settle(statement.seller, NOBODY) == [job]
    assert Job.objects.filter(kind="settle").count() == 1
    ended(job)
    assert paying.settle(statement.seller, NOBODY) == []


def test_no_job_where_nothing_is_to_be_paid(make_consignment, kiosk):
    batch = make_consignment()
    statement = stated(kiosk, "1-3", batch)
    for ticket in batch.tickets.all():
        pay_otherwise(ticket)
    assert paid(statement) == []


def switch(event, plugins):
    Event.objects.filter(pk=event.pk).update(plugins=plugins)


@pytest.fixture
def periodically(monkeypatch, worker):
    """``periodically(hours)``: the host's periodic task runs so much later."""

    def periodically(hours):
        moment = now() + timedelta(hours=hours)
        with freeze_time(moment), worker():
            tasks.settle_rest()

    return periodically


def test_what_is_settled_while_the_plugin_is_off_is_paid_later(event, make_consignment, kiosk, worker, periodically):
    batch, plugins = make_consignment(), event.plugins
    switch(event, "pretix.plugins.ticketoutputpdf")
    with worker():
        for job in paid(stated(kiosk, "1-3", batch)):
            tasks.start(job)
    assert Job.objects.get(kind="settle").state == "failed"
    periodically(2)
    assert states(batch) == [State.SOLD] * 3
    switch(event, plugins)
    periodically(0.5)
    assert states(batch) == [State.SOLD] * 3
    periodically(4)
    assert states(batch) == [State.SETTLED] * 3
    assert Job.objects.get(kind="settle").state == "succeeded"


def test_a_job_that_was_deleted_is_asked_for_again(make_consignment, make_batch, kiosk, periodically):
    batch, other = make_consignment(), make_batch()
    for job in paid(stated(kiosk, "1-3", batch, other)):
        job.delete()
    periodically(2)
    assert states(batch) == states(other) == [State.SETTLED] * 3


def test_a_second_job_that_failed_is_tried_again_although_the_first_one_did_not(make_batch, kiosk):
    batch = make_batch()
    statement = stated(kiosk, "1-3", batch)
    settled(statement)
    batch.tickets.update(settled=None)
    [second] = paying.settle(statement.seller, NOBODY)
    assert paying.settle_rest() == []
    Job.objects.filter(pk=second.pk).update(state="failed", finished=now() - timedelta(hours=2))
    [third] = paying.settle_rest()
    ended(third)
    assert states(batch) == [State.SETTLED] * 3


def test_what_a_job_has_left_undone_is_not_asked_for_at_once(make_consignment, kiosk, periodically, monkeypatch):
    batch = make_consignment()
    jobs = paid(stated(kiosk, "1-3", batch))
    monkeypatch.setattr(settling.Settle, "refusal", lambda kind, orders, pk: "busy")
    assert ended(*jobs)[0] == []
    monkeypatch.undo()
    periodically(2)
    assert states(batch) == [State.SOLD] * 3
    Job.objects.filter(kind="settle").delete()  # as old jobs are
    periodically(2)
    assert states(batch) == [State.SETTLED] * 3


def test_looking_for_what_is_left_takes_two_queries(make_consignment, kiosk, django_assert_num_queries):
    for number in range(1, 4):
        for job in paid(stated(kiosk, str(number), make_consignment())):
            if number < 3:
                run(job)
    with django_assert_num_queries(2), freeze_time(now() + timedelta(hours=2)):
        assert paying.settle_rest() == []


def test_the_host_asks_for_what_is_left(monkeypatch):
    asked = []
    monkeypatch.setattr(paying, "settle_rest", lambda: asked.append(1) or [])
    signals.settle_rest(None)
    assert asked == [1]


# In chunks, by workers that die


@pytest.mark.django_db(transaction=True)
def test_queries_do_not_grow_with_the_amount(make_consignment, kiosk):
    def queries(amount):
        [job] = paid(stated(kiosk, f"1-{amount}", make_consignment(amount=amount)))
        with CaptureQueriesContext(connection) as captured:
            assert len(ended(job)[0]) == amount
        return [query["sql"] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]

    queries(1)  # fills caches
    few, many = queries(2), queries(12)
    assert len(many) == len(few), many


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_worker_that_dies_pays_each_order_once(make_consignment, make_batch, kiosk, monkeypatch, settings, chunk):
    monkeypatch.setattr(after_sale, "CHUNK", 2)
    batch, other = make_consignment(amount=3), make_batch(amount=2)
    [job] = paid(stated(kiosk, "1-2", batch, other))
    fetch, calls, heard = attempt.fetch, [], []

    def fetch_until(*args, **kwargs):
        calls.append(args)
        if len(calls) == chunk:
            raise Killed
        return fetch(*args, **kwargs)

    def hear(signal, sender, order, **kwargs):
        heard.append(order.code)

    with receiver_of_a_plugin(settings, order_paid, hear):
        monkeypatch.setattr(attempt, "fetch", fetch_until)
        if chunk < 3:
            assert die(job) == "waiting"
        assert ended(job) == (codes(batch)[:2] + codes(other)[:2], {})
    assert [order.payments.count() for order in orders(batch)] == [1, 1, 0]
    assert heard == codes(batch)[:2]
    assert [actions(order).count("pretix.event.order.paid") for order in orders(batch)] == [1, 1, 0]
    assert batch.all_logentries().filter(action_type=SETTLE.action).count() == 1


@pytest.mark.parametrize("dies_at", range(1, 5))
def test_a_worker_that_dies_while_it_tells_others_tells_all(make_consignment, kiosk, settings, dies_at, small_chunks):
    batch = make_consignment(amount=4)
    [job] = paid(stated(kiosk, "1-4", batch))
    heard = []

    def hear(signal, sender, order, **kwargs):
        heard.append(order.code)
        if len(heard) == dies_at:
            raise Killed

    with receiver_of_a_plugin(settings, order_paid, hear):
        assert die(job) == "waiting"
        assert ended(job) == (codes(batch), {})
    assert set(heard) == set(codes(batch))
    assert [order.payments.count() for order in orders(batch)] == [1] * 4


# At the same time


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_whoever_comes_while_the_ticket_is_settled_is_let_in(event, make_consignment, kiosk, monkeypatch):
    """After a moment: the host writes into the order of whoever is let in."""
    batch, gate = make_consignment(amount=2), event.checkin_lists.create(name="Gate", all_products=True)
    [job] = paid(stated(kiosk, "1-2", batch))
    mark_paid, scans = settling.mark_paid, []

    def while_scanned(*args, **kwargs):
        scans.append(Other(lambda: perform_checkin(position(orders(batch)[0]), gate, {})))
        assert scans[0].waits_for_a_lock()
        return mark_paid(*args, **kwargs)

    monkeypatch.setattr(settling, "mark_paid", while_scanned)
    assert ended(job) == (codes(batch), {})
    [scan] = scans
    scan.join()
    assert (scan.result, position(orders(batch)[0]).checkins.count()) == (None, 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_who_is_being_let_in_is_waited_for(event, make_consignment, kiosk):
    batch, gate = make_consignment(amount=2), event.checkin_lists.create(name="Gate", all_products=True)
    [job] = paid(stated(kiosk, "1-2", batch))
    with transaction.atomic():
        perform_checkin(position(orders(batch)[0]), gate, {})
        worker = Other(lambda: ended(job))
        assert worker.waits_for_a_lock()
    worker.join()
    assert worker.result == (codes(batch), {})


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_what_comes_back_at_the_same_time_comes_back_or_is_paid_before(
    make_consignment, kiosk, monkeypatch, small_chunks
):
    monkeypatch.setattr(attempt, "BACK_OFF", (0.05,) * 100)
    batch = make_consignment(amount=20)
    [job] = paid(stated(kiosk, "1-20", batch))
    back = RETURN.ask(batch.event, settling.Selection.numbered("1-20"), NOBODY, batch)
    both = [Other(lambda job=job: run(job)) for job in (job, back)]
    for one in both:
        one.join()
    assert {one.result.state for one in both} == {"succeeded"}
    for order in orders(batch):
        assert (order.status, order.pending_sum) == ("c", 0)
        assert order.payments.count() == order.refunds.count()


class Deadly:
    """The process dies at a certain statement, counted from 1."""

    def __init__(self, step):
        self.left = step

    def __call__(self, execute, *args):
        self.left -= 1
        if not self.left:
            raise Killed
        return execute(*args)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["state", "pay"])
def test_whoever_dies_at_any_step_leaves_nothing_half_done(event, make_consignment, kiosk, what):
    """… and no gap in the numbers."""
    batch = make_consignment()
    statement = stated(kiosk, "1", batch)
    handed_over(batch, kiosk, "2")
    batch.tickets.filter(number=2).update(sold=now())
    before, moment = everything(), now()

    def act():
        if what == "state":
            paying.state(kiosk, [event], moment, NOBODY)
        else:
            paid(statement)

    for step in count(1):
        try:
            with connection.execute_wrapper(Deadly(step)):
                act()
            break
        except Killed:
            if everything() != before:
                break  # all of it is done, and only those have to be told who want to hear of it
    assert step > 10
    account = accounts([kiosk])[kiosk.pk]
    assert (account.unstated, account.balance) == ((0, 2 * statement.due) if what == "state" else (statement.due, 0))
    assert [each.document.number for each in Statement.objects.all()] == ([1, 2] if what == "state" else [1])
    assert Job.objects.filter(kind="settle").count() == (what == "pay")


def everything():
    models = (Statement, StatementEntry, SellerPayment, DocumentCounter, OfflineSalesTicket, Job, LogEntry)
    return [list(model.objects.order_by("pk").values_list()) for model in models]
