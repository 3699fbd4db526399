"""
Tickets that come back: canceled as the host itself cancels an order, thousands at once, each of them once.

The host is the oracle: it cancels an order of the same batch by itself, and writes the refund that we owe the books.
"""

import json
import logging
import re

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import GiftCard, LogEntry, Order, Quota, SeatingPlan
from pretix.base.services.checkin import CheckInError, perform_checkin
from pretix.base.services.orders import _cancel_order, error_messages, reactivate_order
from pretix.base.signals import order_canceled, order_changed, order_reactivated

from pretix_offlinesales.after_sale import attempt, kind as after_sale
from pretix_offlinesales.after_sale.kind import all_offered
from pretix_offlinesales.db import rows
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.jobs.interruptions import MAX_INTERRUPTIONS
from pretix_offlinesales.jobs.registry import kind_of
from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN
from pretix_offlinesales.models import Job, JobStep
from pretix_offlinesales.returning import kinds
from pretix_offlinesales.tickets.selection import Selection
from tests.support.jobs import done, run, skipped
from tests.support.oracle import history, picture
from tests.support.receiving import receiving_server
from tests.support.returning import (
    OF_EACH_TICKET,
    actions,
    asked,
    codes,
    dealt_with,
    details,
    orders,
    position,
    returned,
    revocations,
    secrets,
    undone,
)
from tests.support.sold import (
    KINDS,
    LEFT_ALONE,
    bundle,
    cancel_plainly,
    cancel_with_fee,
    check_in,
    gift_card,
    signed,
)
from tests.support.workers import Killed, Other, die

pytestmark = pytest.mark.django_db


@pytest.fixture
def hear(settings):
    """Connect a receiver of another plugin to ``order_canceled`` for the length of the test."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or it would be switched off
    connected = []

    def hear(receiver):
        order_canceled.connect(receiver, weak=False)
        connected.append(receiver)

    yield hear
    for receiver in connected:
        order_canceled.disconnect(receiver)


def remember(job, dealt_with, **checkpoint):
    """As if it had done so much before."""
    JobStep.objects.create(job=job, done=dealt_with)
    job.row.update(checkpoint={"amount": len(dealt_with), **checkpoint})


def cancel_as_the_host(order):
    """… and refund our payment, as the host writes a refund that is done."""
    order = Order.objects.get(pk=order.pk)
    _cancel_order(order, send_mail=False)
    for payment in order.payments.filter(provider="offlinesales"):
        refund = order.refunds.create(
            payment=payment,
            source="admin",
            state="created",
            amount=payment.amount,
            provider="offlinesales",
            comment="Returned (unsold)",
        )
        order.log_action("pretix.event.order.refund.created", {"local_id": 1, "provider": "offlinesales"})
        refund.done()


# As the host does it


def compare(batch):
    """Return the first two tickets, let the host cancel the third, and compare."""
    ours, theirs = orders(batch)[:2], orders(batch)[2]
    with freeze_time("2027-05-01 12:00:00"):
        assert returned(batch, {"tickets": "1-2"}) == ([order.code for order in ours], [])
        cancel_as_the_host(theirs)

    pictures = [picture(Order.objects.get(pk=order.pk), OF_EACH_TICKET) for order in (*ours, theirs)]
    assert pictures == [pictures[2]] * 3
    assert [Order.objects.get(pk=order.pk).pending_sum for order in ours] == [0, 0]
    theirs_and_ours = sorted([*actions(theirs), "pretix_offlinesales.order.returned"])
    assert [sorted(actions(order)) for order in ours] == [theirs_and_ours] * 2
    assert [details(order) for order in ours] == [details(theirs)] * 2
    assert [revocations(order) for order in ours] == [revocations(theirs)] * 2


@pytest.mark.parametrize("name", KINDS)
def test_equals_the_hosts_own_cancellation(name, event, item, quota, make_batch):
    wanted = KINDS[name](event, item) or {}
    compare(make_batch(**wanted))


@pytest.mark.parametrize("name", ["plain", "with_tax_rounded_over_the_order", "bundle", "variation", "signed_bundle"])
@pytest.mark.parametrize("is_paid", [False, True])
def test_on_consignment_equals_the_hosts_own_cancellation(name, event, item, quota, make_batch, is_paid):
    batch = make_batch(consignment=True, **(KINDS[name](event, item) or {}))
    with freeze_time("2027-04-01 12:00:00"):
        for order in orders(batch) if is_paid else []:
            order.payments.create(provider="offlinesales", amount=order.total).confirm()
    compare(batch)
    assert {order.refunds.count() for order in orders(batch)} == {int(is_paid)}


def test_equals_the_hosts_own_cancellation_with_seats(event, item, quota, make_batch):
    event.seating_plan = SeatingPlan.objects.create(organizer=event.organizer, name="Hall", layout="{}")
    event.save()
    event.seat_category_mappings.create(layout_category="Stalls", product=item)
    for number in range(3):
        event.seats.create(seat_number=number, product=item, seat_guid=f"A{number}")
    batch = make_batch(seats=["A0", "A1", "A2"])
    compare(batch)
    assert [seat.is_available() for seat in event.seats.order_by("seat_guid")] == [True] * 3


def test_equals_the_hosts_own_cancellation_on_a_date(series, series_item, subevent, web, api, worker):
    url = f"/api/v1/organizers/{series.organizer.slug}/events/{series.slug}/offlinesalesbatches/"
    wanted = {"item": series_item.pk, "subevent": subevent.pk, "amount": 3, "sales_channel": "web"}
    with worker():
        api.post(url, wanted, format="json")
    compare(series.offline_sales_batches.get())


def test_invoices_requests_and_open_payments_go_as_the_host_lets_them_go(event, item, quota, make_batch):
    from pretix.base.services.invoices import generate_invoice

    event.enable_plugin("pretix.plugins.manualpayment")
    event.save()
    batch = make_batch()
    with freeze_time("2027-05-01 11:00:00"):
        for order in orders(batch):
            generate_invoice(order)
            order.cancellation_requests.create(cancellation_fee=0)
            order.payments.create(provider="manual", state="created", amount=1)
    compare(batch)
    order = orders(batch)[0]
    assert [order.invoices.count(), order.cancellation_requests.count()] == [2, 0]
    assert [payment.state for payment in order.payments.all()] == ["refunded", "canceled"]


def test_the_quota_is_free_again(quota, make_batch):
    batch = make_batch(amount=100)
    assert quota.availability()[1] == 0
    returned(batch, {"tickets": "1-40"})
    assert Quota.objects.get(pk=quota.pk).availability()[1] == 40


@pytest.mark.parametrize(("of_our_payment", "state"), [(True, "refunded"), (False, "confirmed")])
def test_what_was_refunded_by_hand_is_not_refunded_again(make_batch, of_our_payment, state):
    batch = make_batch(amount=1)
    [order] = orders(batch)
    payment = order.payments.get() if of_our_payment else None
    order.refunds.create(payment=payment, source="admin", state="done", amount=5, provider="manual")
    returned(batch)
    refunds = list(order.refunds.values_list("local_id", "provider", "amount"))
    assert refunds == [(1, "manual", 5), (2, "offlinesales", 18)]
    assert (Order.objects.get(pk=order.pk).pending_sum, order.payments.get().state) == (0, state)


def test_no_mail_is_sent_to_anyone(make_batch, user, team, mailoutbox):
    user.notification_settings.create(
        action_type="pretix.event.order.canceled", event=None, method="mail", enabled=True
    )
    batch = make_batch()
    returned(batch)
    assert [message.subject for message in mailoutbox] == []


def test_webhooks_are_sent_for_all_that_happens(event, item, quota, make_batch, settings, worker):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    gift_card(event, item)
    batch = make_batch(amount=2)
    canceled = ["pretix.event.order.canceled", "pretix.event.order.refund.created", "pretix.event.order.refund.done"]
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        for action in ("pretix.event.order.placed", "pretix.giftcards.transaction.*", *canceled):
            webhook.listeners.create(action_type=action)
        with worker():
            returned(batch)
    heard = [(call["action"], call.get("code", call.get("giftcard"))) for call in received]
    cards = GiftCard.objects.values_list("pk", flat=True)
    assert sorted(heard, key=str) == sorted(
        [(action, code) for action in canceled for code in codes(batch)]
        + [("pretix.giftcards.transaction.manual", card) for card in cards],
        key=str,
    )


def test_orders_are_touched_after_they_could_be_seen(make_batch):
    """A scanner that synced between stamp and commit asks again from the newest stamp that it saw."""
    batch = make_batch()
    returned(batch)
    assert [order.last_modified > order.cancellation_date for order in orders(batch)] == [True] * 3


# Kinds, and where they show


@pytest.mark.parametrize(("kind", "word"), [("unsold", "unsold"), ("lost", "lost or stolen"), ("damaged", "damaged")])
def test_the_kind_is_stored_and_shown(kind, word, make_batch, user):
    batch = make_batch()
    before = now()
    returned(batch, {"tickets": "2"}, kind=kind, user=user)
    assert list(batch.tickets.values_list("number", "return_kind")) == [(1, ""), (2, kind), (3, "")]
    times = list(batch.tickets.values_list("returned", flat=True))
    assert (times[0], times[2], before < times[1] < now()) == (None, None, True)
    result = f"/control/event/museum/night/offlinesales/results/{Job.objects.get(kind='return').pk}/"
    entries = [orders(batch)[1].all_logentries().first(), batch.all_logentries().first()]
    assert [(entry.display(), entry.user) for entry in entries] == [
        (f"The ticket has been returned ({word}).", user),
        (f'1 ticket has been returned ({word}). <a href="{result}">Show result</a>', user),
    ]


def test_the_hosts_pages_show_a_returned_ticket(event, team, user, client, make_batch):
    batch = make_batch(amount=1)
    [order] = orders(batch)
    returned(batch, kind="damaged", user=user)
    client.force_login(user)
    page = client.get(f"/control/event/{event.organizer.slug}/{event.slug}/orders/{order.code}/")
    assert page.status_code == 200
    assert "The ticket has been returned (damaged)." in page.content.decode()


# Which ones


def test_all_that_are_still_out(make_batch):
    batch = make_batch(amount=4)
    _cancel_order(orders(batch)[1], send_mail=False)
    first, _canceled, third, fourth = codes(batch)
    assert returned(batch) == ([first, third, fourth], [])
    assert returned(batch) == ([], [])


def test_ranges_of_numbers(make_batch):
    batch = make_batch(amount=6)
    code = codes(batch)
    assert returned(batch, {"tickets": "6, 2-3,9\n007, 99999999999"}) == (
        [code[1], code[2], code[5]],
        [(None, "007", "unknown"), (None, "9", "unknown"), (None, "99999999999", "unknown")],
    )
    assert returned(batch, {"tickets": "1 – 3"}) == (
        [code[0]],
        [(code[1], "2", "already_canceled"), (code[2], "3", "already_canceled")],
    )


def test_numbers_of_a_batch_that_goes_on_where_another_ended(make_batch):
    batch = make_batch(first_number=50)
    assert returned(batch, {"tickets": "49-51"}) == (codes(batch)[:2], [(None, "49", "unknown")])


def test_order_codes_in_ticket_order_and_unknown_ones_last(make_batch):
    batch, other = make_batch(), make_batch(amount=1)
    first, second, third = codes(batch)
    [foreign] = codes(other)
    wanted = ["NOPE", third, foreign, f" {first.lower()} ", third]
    assert returned(batch, {"orders": wanted}) == (
        [first, third],
        [(None, "NOPE", "unknown"), (None, foreign, "unknown")],
    )


def test_secrets_of_any_position_as_a_scanner_types_them(event, item, quota, make_batch):
    bundle(event, item)
    batch = make_batch()
    first, second, third = ([each.secret for each in order.positions.all()] for order in orders(batch))
    wanted = [third[1], "nonsense", f"{first[0]}\n", first[2]]
    assert returned(batch, {"secrets": wanted}) == (
        [codes(batch)[0], codes(batch)[2]],
        [(None, "nonsense", "unknown")],
    )


@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_a_second_scan_says_that_the_ticket_is_already_canceled(event, generator, make_batch):
    event.settings.ticket_secret_generator = generator
    batch = make_batch(amount=2)
    code, secret = codes(batch)[0], position(orders(batch)[0]).secret
    assert returned(batch, {"secrets": [secret]}) == ([code], [])
    assert returned(batch, {"secrets": [secret]}) == ([], [(code, secret, "already_canceled")])


def test_a_trial_says_what_would_happen_and_changes_nothing(make_batch):
    batch = make_batch()
    _cancel_order(orders(batch)[0], send_mail=False)
    before = [picture(order) for order in orders(batch)], LogEntry.objects.count()
    first, second, third = codes(batch)
    would_be = ([second, third], [(first, "1", "already_canceled"), (None, "4", "unknown")])
    assert returned(batch, {"tickets": "1-4"}, dry_run=True) == would_be
    assert ([picture(order) for order in orders(batch)], LogEntry.objects.count()) == before
    assert returned(batch, {"tickets": "1-4"}) == would_be


# Which ones are left alone


@pytest.mark.parametrize("happens", LEFT_ALONE, ids=lambda happens: happens.__name__)
def test_left_alone_with_the_reason(happens, gate, make_batch):
    batch = make_batch()
    happens(orders(batch)[1], gate)
    before = picture(orders(batch)[1])
    first, second, third = codes(batch)
    assert returned(batch, {"tickets": "1-3"}) == ([first, third], [(second, "2", LEFT_ALONE[happens])])
    assert picture(orders(batch)[1]) == before


def test_a_ticket_whose_gift_card_was_used_is_left_alone(event, item, quota, make_batch):
    gift_card(event, item)
    batch = make_batch()
    card = GiftCard.objects.get(issued_in__order=orders(batch)[1])
    card.transactions.create(value=-1, acceptor=event.organizer)
    first, second, third = codes(batch)
    assert returned(batch) == ([first, third], [(second, "2", "gift_card_used")])
    assert [GiftCard.objects.get(issued_in__order=order).value for order in orders(batch)] == [0, 22, 0]


def test_what_does_not_concern_the_sale_is_no_change(make_batch, gate):
    batch = make_batch(amount=2)
    for order in orders(batch):
        order.comment, order.email, order.checkin_attention = "VIP", "somebody@example.org", True
        order.save()
    failed = position(orders(batch)[0])
    failed.all_checkins.create(list=gate, successful=False, error_reason="rules")
    assert returned(batch) == (codes(batch), [])


def test_an_order_that_somebody_has_set_to_pending_or_expired_can_be_returned(make_batch):
    batch = make_batch(amount=2)
    for order, status in zip(orders(batch), "ne", strict=True):
        Order.objects.filter(pk=order.pk).update(status=status)
    assert returned(batch) == (codes(batch), [])
    assert [order.status for order in orders(batch)] == ["c", "c"]


# Once, whatever happens


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(after_sale, "CHUNK", 2)
    monkeypatch.setattr(attempt, "BACK_OFF", (0, 0))


def test_each_order_is_announced_once_and_no_longer_valid_then(make_batch, hear, small_chunks):
    heard = []
    hear(lambda signal, sender, order, **kwargs: heard.append((sender.slug, order.code, order.status)))
    batch = make_batch(amount=5)
    returned(batch)
    returned(batch)
    assert heard == [("night", code, "c") for code in codes(batch)]


def test_a_receiver_that_raises_is_logged_and_holds_nobody_up(make_batch, hear, caplog):
    def broken(signal, sender, order, **kwargs):
        raise ValueError("broken plugin")

    hear(broken)
    batch = make_batch()
    with caplog.at_level(logging.ERROR):
        assert returned(batch) == (codes(batch), [])
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [str(record.exc_info[1]) for record in errors] == ["broken plugin"] * 3


def test_an_interrupted_job_goes_on_where_it_was(make_batch, hear, small_chunks, monkeypatch):
    heard = []
    hear(lambda signal, sender, order, **kwargs: heard.append(order.code))
    batch = make_batch(amount=5)
    job, cancel = asked(batch), kinds.cancel

    def cancel_only_two(*args, **kwargs):
        written = cancel(*args, **kwargs)
        if heard:
            raise Killed  # within the second transaction
        return written

    monkeypatch.setattr(kinds, "cancel", cancel_only_two)
    assert die(job) == "waiting"
    assert [order.status for order in orders(batch)] == ["c", "c", "p", "p", "p"]

    monkeypatch.setattr(kinds, "cancel", cancel)
    run(job)
    assert (job.state, done(job), skipped(job)) == ("succeeded", codes(batch), [])
    assert heard == codes(batch)
    assert [order.refunds.count() for order in orders(batch)] == [1] * 5
    assert json.loads(batch.all_logentries().first().data) == {
        "amount": 5,
        "job": str(job.pk),
        "kind": "unsold",
    }


def test_what_was_canceled_but_not_announced_is_announced_by_the_next_attempt(make_batch, hear, small_chunks):
    heard = []

    def deadly_once(signal, sender, order, **kwargs):
        heard.append(order.code)
        if len(heard) == 2:
            raise Killed

    hear(deadly_once)
    batch = make_batch(amount=3)
    job = asked(batch)
    assert die(job) == "waiting"
    run(job)
    first, second, third = codes(batch)
    assert heard == [first, second, first, second, third]
    assert done(job) == codes(batch)


def test_an_order_that_no_worker_survives_is_skipped_when_it_is_announced(make_batch, hear, caplog):
    heard = []
    batch = make_batch()
    first, second, third = codes(batch)

    def deadly(signal, sender, order, **kwargs):
        if order.code == second:
            raise Killed
        heard.append(order.code)

    hear(deadly)
    job = asked(batch)
    assert [die(job) for _death in range(6)] == ["waiting"] * 6
    run(job)
    assert (job.state, done(job)) == ("succeeded", [first, second, third])
    assert (set(heard), heard[-1]) == ({first, third}, third)
    assert f"Nobody was told of {second} by job {job}: no worker survived it" in caplog.messages


def test_a_job_that_is_interrupted_again_and_again_is_given_up_between_two_chunks(make_batch, monkeypatch):
    def deadly(*args, **kwargs):
        raise Killed

    monkeypatch.setattr(kinds, "cancel", deadly)
    batch = make_batch()
    job = asked(batch)
    assert [die(job) for _attempt in range(3)] == ["waiting", "waiting", "failed"]
    assert [order.status for order in orders(batch)] == ["p"] * 3


def test_a_job_that_has_returned_something_is_never_given_up(make_batch, monkeypatch):
    cancel, batch = kinds.cancel, make_batch()
    monkeypatch.setattr(after_sale, "CHUNK", 1)
    first = batch.tickets.get(order__code=codes(batch)[0]).order_id

    def deadly(orders, accepted, *args, **kwargs):
        if accepted != [first]:
            raise Killed
        return cancel(orders, accepted, *args, **kwargs)

    monkeypatch.setattr(kinds, "cancel", deadly)
    job = asked(batch)
    assert [die(job) for _attempt in range(5)] == ["waiting"] * 5
    assert not runner.cancel(job)
    monkeypatch.setattr(kinds, "cancel", cancel)
    run(job)
    assert (job.state, done(job)) == ("succeeded", codes(batch))
    entries = batch.all_logentries().filter(action_type="pretix_offlinesales.batch.returned")
    assert [entry.parsed_data for entry in entries] == [{"amount": 3, "job": str(job.pk), "kind": "unsold"}]


@pytest.mark.parametrize("wrong", [(2,), (1, 5), (1, 2, 3, 4, 5)])
def test_tickets_that_something_is_wrong_with_are_skipped_and_no_others(make_batch, monkeypatch, caplog, wrong):
    cancel, batch = kinds.cancel, make_batch(amount=5)
    numbers = dict(batch.tickets.values_list("order_id", "number"))

    def fails(orders, accepted, *args, **kwargs):
        if set(wrong) & {numbers[pk] for pk in accepted}:
            raise ValueError("Nobody foresaw this")
        return cancel(orders, accepted, *args, **kwargs)

    monkeypatch.setattr(kinds, "cancel", fails)
    job = asked(batch)
    run(job)
    assert (job.state, job.attempts) == ("succeeded", 1)
    assert [numbers[order.pk] for order in orders(batch) if order.status == "p"] == list(wrong)
    failed = [codes(batch)[number - 1] for number in wrong]
    assert [(line["order"], line["reason"]) for line in skipped(job)] == [(code, "failed") for code in failed]
    assert "Nobody foresaw this" in caplog.text


@pytest.mark.parametrize("wrong", [1, 2, 5])
@pytest.mark.parametrize("error", [ConnectionError, IntegrityError])
def test_what_looks_like_an_interruption_again_and_again_is_the_ticket_s_fault(make_batch, monkeypatch, wrong, error):
    """Such as a plugin that can't reach its server, or has a constraint of its own."""
    cancel, batch = kinds.cancel, make_batch(amount=5)
    numbers = dict(batch.tickets.values_list("order_id", "number"))

    def fails(orders, accepted, *args, **kwargs):
        if wrong in {numbers[pk] for pk in accepted}:
            raise error
        return cancel(orders, accepted, *args, **kwargs)

    monkeypatch.setattr(kinds, "cancel", fails)
    monkeypatch.setattr(after_sale, "CHUNK", 2)
    job = asked(batch)
    remember(job, ["WHAT-WAS-BEFORE"], announced=1)
    for _attempt in range(3 * MAX_INTERRUPTIONS):
        run(job)
    assert job.state == "succeeded"
    assert [(line["order"], line["reason"]) for line in skipped(job)] == [(codes(batch)[wrong - 1], "failed")]
    assert [numbers[order.pk] for order in orders(batch) if order.status == "p"] == [wrong]


def test_nobody_is_to_blame_for_what_is_away_for_long(make_batch, monkeypatch):
    """In two hours, hardly more tickets are skipped than there were attempts; in the first minutes, none."""

    def fails(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(kinds, "cancel", fails)
    batch = make_batch(amount=5)
    job = asked(batch)
    remember(job, ["WHAT-WAS-BEFORE"], announced=1)
    so_far = []
    for _attempt in range(8):
        run(job)
        so_far.append(len(skipped(job)))
    assert (job.state, so_far) == ("waiting", [0, 0, 0, 0, 0, 0, 1, 2])


def test_a_return_of_which_nothing_works_fails(make_batch, monkeypatch):
    def fails(*args, **kwargs):
        raise ValueError

    monkeypatch.setattr(kinds, "cancel", fails)
    monkeypatch.setattr(attempt, "MAX_FAILED", 3)
    batch = make_batch(amount=5)
    job = asked(batch)
    run(job)
    assert (job.state, job.message) == ("failed", str(error_messages["internal"]))
    assert {order.status for order in orders(batch)} == {"p"}


def test_a_job_that_was_begun_can_be_canceled_as_long_as_nothing_is_returned(make_batch):
    batch = make_batch()
    job = asked(batch)
    remember(job, codes(batch)[:1])
    assert not runner.cancel(job)
    JobStep.objects.all().delete()
    job.row.update(attempts=1, checkpoint={})
    assert runner.cancel(job)


def test_an_attempt_that_has_lost_its_job_cancels_nothing(make_batch, monkeypatch):
    batch = make_batch()
    job, fetch = asked(batch), attempt.fetch

    def fetch_and_lose(*args, **kwargs):
        Job.objects.filter(pk=job.pk).update(attempts=7)
        return fetch(*args, **kwargs)

    monkeypatch.setattr(attempt, "fetch", fetch_and_lose)
    run(job)
    assert [order.status for order in orders(batch)] == ["p"] * 3


@pytest.mark.django_db(transaction=True)
def test_queries_do_not_grow_with_the_amount(event, item, quota, make_batch):
    bundle(event, item)

    def queries(amount):
        batch = make_batch(amount=amount)
        job = asked(batch)
        with CaptureQueriesContext(connection) as captured:
            run(job)
        return [query["sql"] for query in captured]

    queries(1)  # fills caches
    few, many = queries(2), queries(12)
    percents = [sql for sql in many if '"progress" = ' in sql]
    assert len(many) == len(few), (len(percents), many)


@pytest.mark.parametrize("kind", [RETURN, REPLACE], ids=lambda kind: kind.identifier)
def test_what_is_written_grows_as_the_tickets_do_and_not_with_their_square(kind, make_batch, small_chunks, monkeypatch):
    """However many chunks there are, what was scanned is written twice: when it is asked for, and when it is found."""
    sizes = []
    send = rows._send

    def send_and_measure(document):
        sizes.append(len(json.dumps(document)))
        return send(document)

    def measure(execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE")):
            sizes.append(sum(len(str(value)) for value in params or ()))
        return execute(sql, params, many, context)

    monkeypatch.setattr(rows, "_send", send_and_measure)

    def written(amount):
        batch = make_batch(amount=amount)
        secrets = [position(order).secret for order in orders(batch)]
        sizes.clear()
        with connection.execute_wrapper(measure):
            job = run(asked(batch, {"secrets": secrets}, job_kind=kind))
        assert (done(job), job.steps.count()) == (codes(batch), amount // 2)
        return sum(sizes)

    written(2)  # fills caches
    assert written(40) < 2.1 * written(20)


# At the door


@pytest.mark.django_db(transaction=True)
def test_who_is_scanned_while_the_ticket_is_being_returned_is_not_let_in(on_postgresql, make_batch, gate, monkeypatch):
    batch = make_batch(amount=2)
    [order, _other] = orders(batch)
    cancel, scans = kinds.cancel, []

    def cancel_while_scanned(*args, **kwargs):
        scans.append(Other(lambda: perform_checkin(position(order), gate, {})))
        assert scans[0].waits_for_a_lock()
        return cancel(*args, **kwargs)

    monkeypatch.setattr(kinds, "cancel", cancel_while_scanned)
    assert returned(batch) == (codes(batch), [])
    scans[0].join()
    assert isinstance(scans[0].result, CheckInError)
    assert scans[0].result.code in ("canceled", "unpaid")
    assert position(order).checkins.count() == 0


@pytest.mark.django_db(transaction=True)
def test_whose_check_in_comes_first_is_in_and_the_ticket_is_left_alone(on_postgresql, make_batch, gate):
    from django.db import transaction

    batch = make_batch(amount=2)
    [order, other] = orders(batch)
    with transaction.atomic():
        perform_checkin(position(order), gate, {})
        back = Other(lambda: returned(batch))
        assert back.waits_for_a_lock()
    back.join()
    assert back.result == ([other.code], [(order.code, "1", "checked_in")])


@pytest.mark.django_db(transaction=True)
def test_an_order_that_somebody_works_on_is_waited_for(on_postgresql, make_batch, monkeypatch):
    from django.db import transaction

    monkeypatch.setattr(attempt, "BACK_OFF", (0.05,) * 100)
    batch = make_batch(amount=2)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=orders(batch)[0].pk)
        back = Other(lambda: returned(batch))
        back.join(0.5)
        assert back.is_alive()
    back.join()
    assert back.result == (codes(batch), [])


@pytest.mark.django_db(transaction=True)
def test_two_jobs_for_the_same_tickets_return_each_once(on_postgresql, make_batch, small_chunks, monkeypatch):
    monkeypatch.setattr(attempt, "BACK_OFF", (0.05,) * 100)
    batch = make_batch(amount=20)
    both = [Other(lambda: returned(batch)) for _one in range(2)]
    for one in both:
        one.join()
    assert sorted(both[0].result[0] + both[1].result[0]) == sorted(codes(batch))
    assert [order.refunds.count() for order in orders(batch)] == [1] * 20


def test_a_scan_that_was_made_offline_is_recorded_as_the_host_records_it(make_batch, gate):
    batch = make_batch(amount=1)
    returned(batch)
    perform_checkin(position(orders(batch)[0]), gate, {}, force=True)
    assert position(orders(batch)[0]).checkins.count() == 1


# Undo


def test_returned_undone_and_returned_again_the_books_are_even(event, make_batch):
    batch = make_batch(amount=1)
    for _turn in range(3):
        returned(batch)
        assert undone(event, batch) == (codes(batch), {})
    returned(batch, kind="lost")
    [order] = orders(batch)
    assert (order.status, order.pending_sum, order.offline_sales_ticket.return_kind) == ("c", 0, "lost")
    assert list(order.refunds.values_list("local_id", "payment__local_id", "amount", "state")) == [
        (number, number, 23, "done") for number in range(1, 5)
    ]
    assert sum(entry.full_price for entry in order.transactions.all()) == 0


def test_undoing_twice_does_it_once(event, make_batch):
    batch = make_batch()
    first, second, third = codes(batch)
    returned(batch, {"tickets": "1"})
    assert undone(event, batch) == ([first], {second: "not_canceled", third: "not_canceled"})


def keep(order, gate):
    """As it is."""


@pytest.mark.parametrize(
    ("happens", "reason"), [(cancel_plainly, "not_returned"), (cancel_with_fee, "changed"), (keep, "not_canceled")]
)
def test_what_was_not_returned_is_not_undone(make_batch, gate, happens, reason):
    batch = make_batch(amount=2)
    first, second = codes(batch)
    returned(batch, {"tickets": "1"})
    happens(orders(batch)[1], gate)
    before = picture(orders(batch)[1])
    undoing = {"job_kind": UNDO_RETURN}
    assert returned(batch, {"tickets": "1-2"}, **undoing, dry_run=True) == ([first], [(second, "2", reason)])
    assert returned(batch, {"tickets": "1-2"}, **undoing) == ([first], [(second, "2", reason)])
    assert returned(batch, {"all": True}, **undoing) == ([], [])
    assert picture(orders(batch)[1]) == before


def test_what_was_sold_in_the_meantime_can_not_be_undone(event, quota, make_batch):
    batch = make_batch(amount=3)
    returned(batch)
    quota.size = 2
    quota.save()
    before = [history(order) for order in orders(batch)]
    assert undone(event, batch, number=1) == ([codes(batch)[0]], {})
    assert undone(event, batch) == (
        [codes(batch)[1]],
        {codes(batch)[0]: "not_canceled", codes(batch)[2]: "sold_out"},
    )
    order = orders(batch)[2]
    assert (order.status, order.payments.count(), history(order)) == ("c", 1, before[2])


def test_paper_whose_code_was_revoked_can_not_be_undone(event, item, quota, make_batch):
    signed(event, item)
    batch = make_batch(amount=1)
    returned(batch)
    assert undone(event, batch) == ([], {codes(batch)[0]: "revoked"})
    assert orders(batch)[0].status == "c"


def test_nobody_gets_a_mail_when_returns_are_undone_but_webhooks_are_sent(
    make_batch, event, user, team, mailoutbox, settings, worker
):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    actions = ["pretix.event.order.payment.confirmed", "pretix.event.order.reactivated"]
    for action in actions:
        user.notification_settings.create(action_type=action, event=None, method="mail", enabled=True)
    batch = make_batch(amount=2)
    returned(batch)
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        for action in actions:
            webhook.listeners.create(action_type=action)
        with worker():
            assert undone(event, batch) == (codes(batch), {})
    heard = sorted((call["action"], call["code"]) for call in received)
    assert heard == sorted((action, code) for action in actions for code in codes(batch))
    assert [message.subject for message in mailoutbox] == []


@pytest.fixture
def dying_after_two(monkeypatch):
    """The worker deals with two tickets, then it dies."""
    monkeypatch.setattr(after_sale, "CHUNK", 2)
    monkeypatch.setattr(kinds, "CHUNK", 2)
    monkeypatch.setattr(kinds, "UNDO_CHUNK", 2)
    fetch, calls = attempt.fetch, []

    def fetch_twice(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise Killed
        return fetch(*args, **kwargs)

    monkeypatch.setattr(attempt, "fetch", fetch_twice)


@pytest.mark.parametrize("job_kind", [UNDO_RETURN, REPLACE], ids=lambda kind: kind.identifier)
def test_an_interrupted_job_does_each_ticket_once(event, make_batch, request, job_kind):
    batch = make_batch(amount=5)
    if job_kind == UNDO_RETURN:
        returned(batch)
    request.getfixturevalue("dying_after_two")
    job = asked(batch, job_kind=job_kind)
    assert die(job) == "waiting"
    assert (done(job), runner.cancel(job)) == (codes(batch)[:2], False)
    half_way = [secrets(order) for order in orders(batch)]
    run(job)
    assert (job.state, done(job), skipped(job)) == ("succeeded", codes(batch), [])
    assert [secrets(order) for order in orders(batch)][:2] == half_way[:2]
    action = {UNDO_RETURN: "pretix.event.order.reactivated", REPLACE: "pretix.event.order.secret.changed"}[job_kind]
    assert [actions(order).count(action) for order in orders(batch)] == [1] * 5
    entry = batch.all_logentries().first()
    assert (entry.action_type, entry.parsed_data["amount"]) == (kind_of(job).action, 5)


@pytest.mark.parametrize("scanned_as", ["secrets", "lines"])
@pytest.mark.parametrize(
    ("job_kind", "generator"),
    [
        (RETURN, "random"),
        (RETURN, "pretix_sig1"),
        (UNDO_RETURN, "random"),
        (REPLACE, "random"),
        (REPLACE, "pretix_sig1"),
    ],
    ids=lambda value: getattr(value, "identifier", value),
)
def test_an_interrupted_job_knows_what_was_scanned_though_it_is_not_valid_any_more(
    event, make_batch, request, job_kind, generator, scanned_as
):
    event.settings.ticket_secret_generator = generator
    batch = make_batch(amount=3)
    if job_kind == UNDO_RETURN:
        returned(batch)
    scanned = ["nonsense", *(position(order).secret for order in orders(batch))]
    request.getfixturevalue("dying_after_two")
    job = asked(batch, {scanned_as: scanned}, job_kind=job_kind)
    assert die(job) == "waiting"
    assert done(job) == codes(batch)[:2]
    run(job)
    assert (job.state, done(job)) == ("succeeded", codes(batch))
    assert skipped(job) == [{"order": None, "value": "nonsense", "reason": "unknown"}]


@pytest.mark.parametrize("scanned_as", ["secrets", "lines"])
def test_a_code_that_somebody_else_replaces_meanwhile_means_what_it_meant(make_batch, request, scanned_as, event):
    batch = make_batch(amount=3)
    scanned = [position(order).secret for order in orders(batch)]
    request.getfixturevalue("dying_after_two")
    job = asked(batch, {scanned_as: scanned})
    assert die(job) == "waiting"
    assert replaced(event, batch, number=3) == (codes(batch)[2:], {})
    run(job)
    assert (done(job), skipped(job)) == (codes(batch), [])


#: What others may be told of an order that is returned, made valid again, replaced, or reported lost.
HEARD = [
    f"pretix.event.order.{action}"
    for action in (
        *("canceled", "refund.created", "refund.done", "payment.confirmed", "reactivated", "modified"),
        *("changed.add_block", "changed.remove_block"),
    )
]


@pytest.mark.parametrize("job_kind", all_offered(), ids=lambda kind: kind.identifier)
def test_of_each_entry_others_are_told_once_whoever_wrote_it(event, make_batch, hear, settings, worker, job_kind):
    def write(signal, sender, order, **kwargs):
        for each in (order, Order.objects.get(pk=order.pk)):
            each.log_action("pretix.event.order.modified", {})

    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    batch = make_batch(amount=3)
    if job_kind in (UNDO_RETURN, UNDO_LOST):
        returned(batch, job_kind=RETURN if job_kind == UNDO_RETURN else REPORT_LOST)
    job = asked(batch, job_kind=job_kind)
    of_orders = LogEntry.objects.filter(content_type__model="order")
    before = of_orders.latest("pk").pk
    hear(write)
    order_reactivated.connect(write, weak=False)
    order_changed.connect(write, weak=False)
    try:
        with receiving_server() as (url, received):
            webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
            for action in HEARD:
                webhook.listeners.create(action_type=re.sub("changed.*", "changed.*", action))
            with worker():
                for order in orders(batch):  # the host tells of it at once
                    order.log_action("pretix.event.order.payment.confirmed", {})
                run(job)
    finally:
        order_reactivated.disconnect(write)
        order_changed.disconnect(write)
    written = of_orders.filter(pk__gt=before, action_type__in=HEARD).values_list("pk", flat=True)
    known = {RETURN: 6, UNDO_RETURN: 5, REPLACE: 1, REPORT_LOST: 4, UNDO_LOST: 4}
    assert len(written) == known.get(job_kind, 0) * 3 or job_kind not in known
    assert sorted(call["notification_id"] for call in received) == sorted(written)


def test_a_job_of_the_whole_event_takes_tickets_of_any_batch(event, make_batch):
    first, second = make_batch(amount=2), make_batch(amount=2)
    wanted = [codes(second)[0], codes(first)[1]]
    nobody = {"user": None, "api_token": None, "device": None, "oauth_application": None}
    job = run(RETURN.ask(event, Selection.from_json({"lines": wanted}), nobody))
    assert (job.state, done(job)) == ("succeeded", wanted[::-1])
    assert [batch.all_logentries().first().parsed_data["amount"] for batch in (first, second)] == [1, 1]


# Replace


def replaced(event, batch, **numbers):
    return dealt_with(REPLACE, batch, **numbers)


@pytest.mark.parametrize("name", ["plain", "bundle", "medium", "free", "signed", "signed_bundle"])
def test_replaced_tickets_have_new_codes_and_all_else_stays(name, event, item, quota, api, make_batch):
    wanted = KINDS[name](event, item) or {}
    batch = make_batch(**wanted)
    before = [(picture(order, {"last_modified"}), secrets(order)) for order in orders(batch)]
    theirs = orders(batch)[2]
    assert replaced(event, batch, number__lt=3) == (codes(batch)[:2], {})
    url = f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/{theirs.code}/regenerate_secrets/"
    assert api.post(url).status_code == 200

    after = [(picture(order, {"last_modified"}), secrets(order)) for order in orders(batch)]
    assert [values for values, _secrets in after] == [values for values, _secrets in before]
    for (_values, old), (_values, new) in zip(before, after, strict=True):
        old_texts, new_texts = ({text for row in rows for text in row} for rows in (old, new))
        kept = {row[-1] for row in old}  # what the host keeps, too
        assert old_texts & new_texts == kept
    assert [revocations(order) for order in orders(batch)] == [revocations(theirs)] * 3
    assert [actions(order) for order in orders(batch)] == [actions(theirs)] * 3


def test_old_paper_is_refused_and_new_paper_let_in(event, item, quota, make_batch, gate, api):
    batch = make_batch(amount=1)
    old = position(orders(batch)[0]).secret
    replaced(event, batch)
    new = position(orders(batch)[0]).secret
    url = f"/api/v1/organizers/{event.organizer.slug}/checkinrpc/redeem/"
    answers = [api.post(url, {"secret": secret, "lists": [gate.pk]}, format="json") for secret in (old, new)]
    assert [answer.data["status"] for answer in answers] == ["error", "ok"]


def test_what_can_not_be_replaced_is_named(event, item, quota, make_batch, gate):
    gift_card(event, item)
    batch = make_batch(amount=3)
    _cancel_order(orders(batch)[0], send_mail=False)
    check_in(orders(batch)[1], gate)
    before = [secrets(order) for order in orders(batch)]
    first, second, third = codes(batch)
    assert replaced(event, batch) == (
        [],
        {first: "already_canceled", second: "checked_in", third: "gift_card"},
    )
    assert [secrets(order) for order in orders(batch)] == before


def test_a_replaced_ticket_comes_back_by_its_new_code_only(event, item, quota, make_batch):
    signed(event, item)
    batch = make_batch(amount=1)
    old = position(orders(batch)[0]).secret
    replaced(event, batch)
    new = position(orders(batch)[0]).secret
    [code] = codes(batch)
    assert returned(batch, {"secrets": [old]}) == ([], [(code, old, "already_canceled")])
    assert returned(batch, {"secrets": [new]}) == ([code], [])


@pytest.mark.parametrize("scanned_as", ["secrets", "lines"])
@pytest.mark.parametrize("job_kind", [UNDO_RETURN, REPLACE], ids=lambda kind: kind.identifier)
def test_old_paper_can_not_be_made_valid_nor_be_replaced(event, item, quota, make_batch, job_kind, scanned_as):
    signed(event, item)
    batch = make_batch(amount=2)
    old = [position(order).secret for order in orders(batch)]
    replaced(event, batch, number=1)
    returned(batch, {"tickets": "2"})
    dead = [(code, secret, "revoked") for code, secret in zip(codes(batch), old, strict=True)]
    assert returned(batch, {scanned_as: old}, job_kind=job_kind) == ([], dead)


def test_a_secret_that_somebody_has_is_drawn_again(event, make_batch, monkeypatch):
    from pretix.base.secrets import RandomTicketSecretGenerator

    batch = make_batch(amount=2)
    taken = position(orders(batch)[1]).secret
    drawn = [taken, "fresh"]
    monkeypatch.setattr(RandomTicketSecretGenerator, "generate_secret", lambda self, **kwargs: drawn.pop(0))
    replaced(event, batch, number=1)
    assert (position(orders(batch)[0]).secret, drawn) == ("fresh", [])


def test_what_the_host_makes_valid_again_is_not_returned_any_more(event, make_batch):
    batch = make_batch(amount=1)
    returned(batch)
    [order] = orders(batch)
    reactivate_order(order, force=True)
    assert list(batch.tickets.values_list("returned", "return_kind")) == [(None, "")]
