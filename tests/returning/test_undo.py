"""
Returns that are undone: orders as the host itself reactivates them, thousands at once, and shoppers who notice nothing.

The host is the oracle: it reactivates an order of the same batch by itself, or all of them one after the other.
"""

import logging
import random
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from itertools import takewhile

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from freezegun import freeze_time
from pretix.base.models import GiftCard, Invoice, Order, Seat
from pretix.base.services.invoices import generate_invoice
from pretix.base.services.locking import pg_lock_key
from pretix.base.services.orders import OrderError, reactivate_order
from pretix.base.services.quotas import QuotaAvailability
from pretix.base.signals import order_paid, order_reactivated
from pretix.testutils.middleware import debugflags_var

from pretix_offlinesales.after_sale import attempt
from pretix_offlinesales.after_sale.pace import Pace
from pretix_offlinesales.jobs import patience
from pretix_offlinesales.jobs.announcing import Audience
from pretix_offlinesales.jobs.registry import checkpoint, checkpoint_of
from pretix_offlinesales.kinds import UNDO_RETURN
from pretix_offlinesales.returning import kinds
from tests.support.jobs import done
from tests.support.oracle import picture
from tests.support.products import IN_SHOP, KINDS as PRODUCTS
from tests.support.returning import (
    OF_EACH_TICKET,
    actions,
    asked,
    codes,
    details,
    orders,
    position,
    returned,
    revocations,
    run,
    undone,
)
from tests.support.sold import KINDS

undo = import_module("pretix_offlinesales.returning.undo")

pytestmark = pytest.mark.django_db


def again(order):
    """As the database has it."""
    return Order.objects.get(pk=order.pk)


def reactivate_as_the_host(order, user=None):
    """… which goes by the books, so what the return took is paid first."""
    order = again(order)
    if taken := sum(refund.amount for refund in order.refunds.filter(provider="offlinesales")):
        payment = order.payments.create(
            provider="offlinesales", state="confirmed", amount=taken, payment_date=now(), info="{}"
        )
        data = {"local_id": payment.local_id, "provider": payment.provider}
        order.log_action("pretix.event.order.payment.confirmed", data, user=user)
    reactivate_order(order, user=user)


def compare(batch, user, told=details):
    """
    Undo the return of the first two tickets, let the host reactivate the third, and compare.

    :param told: what its log entries are to say, too
    """
    issued = [picture(order, OF_EACH_TICKET) for order in orders(batch)]
    ours, theirs = orders(batch)[:2], orders(batch)[2]
    with freeze_time("2027-05-01 12:00:00"):
        returned(batch)
        assert returned(batch, {"tickets": "1-2"}, user=user, job_kind=UNDO_RETURN) == (codes(batch)[:2], [])
        reactivate_as_the_host(theirs, user)

    pictures = [picture(order, OF_EACH_TICKET) for order in orders(batch)]
    assert pictures == [pictures[2]] * 3
    assert [order["positions"] for order in pictures] == [order["positions"] for order in issued]
    assert [actions(order) for order in ours] == [actions(theirs)] * 2
    assert [told(order) for order in ours] == [told(theirs)] * 2
    assert [who_wrote(order) for order in ours] == [who_wrote(theirs)] * 2
    assert [revocations(order) for order in ours] == [revocations(theirs)] * 2
    assert list(batch.tickets.values_list("returned", "return_kind")) == [(None, "")] * 3


def who_wrote(order):
    cards = GiftCard.objects.filter(issued_in__order=order)
    return sorted(
        (entry.action_type, entry.user_id or 0, entry.webhook_type is None)
        for logged in (order, *cards)
        for entry in logged.all_logentries()
    )


#: Whatever can be issued, and come back without its code being revoked.
ALL_PRODUCTS = {
    **{name: kind for name, kind in KINDS.items() if not name.startswith("signed")},
    **PRODUCTS,
    **IN_SHOP,
}


@pytest.mark.parametrize("name", ALL_PRODUCTS)
def test_equals_the_hosts_own_reactivation(name, event, item, quota, user, make_batch):
    wanted = ALL_PRODUCTS[name](event, item) or {}
    if variation := wanted.get("variation"):
        wanted["variation"] = getattr(variation, "pk", variation)
    compare(make_batch(**wanted), user)


@pytest.mark.parametrize(
    "name", ["plain", "with_tax_rounded_over_the_order", "bundle", "variation", "payment_deadline"]
)
def test_on_consignment_equals_the_hosts_own_reactivation(name, event, item, quota, user, make_batch):
    """… but for when the host says that it expires: we set that again. Nobody has paid, so nobody has now."""
    batch = make_batch(consignment=True, **(ALL_PRODUCTS[name](event, item) or {}))
    compare(batch, user, told=actions)
    assert {(order.status, order.valid_if_pending, order.payments.count()) for order in orders(batch)} == {
        ("n", True, 0)
    }
    assert {order.expires.isoformat() for order in orders(batch)} == {"2028-05-08T18:00:00+00:00"}
    [entry, *_others] = orders(batch)[0].all_logentries().filter(action_type="pretix.event.order.reactivated")
    assert entry.parsed_data == {"expires": "2028-05-08T18:00:00Z"}


def test_what_was_paid_on_consignment_is_paid_again(event, item, quota, user, make_batch):
    batch = make_batch(consignment=True)
    with freeze_time("2027-04-01 12:00:00"):
        for order in orders(batch):
            order.payments.create(provider="offlinesales", amount=order.total).confirm()
    compare(batch, user)
    assert {(again(order).status, again(order).pending_sum) for order in orders(batch)} == {("p", 0)}


def test_equals_the_hosts_own_reactivation_on_a_date(series, subevent, series_item, user, api, worker):
    """Payments are due before the date."""
    from pretix.base.reldate import RelativeDate, RelativeDateWrapper

    series.settings.payment_term_last = RelativeDateWrapper(
        RelativeDate(days=2, time=None, base_date_name="date_from", minutes=None, is_after=False)
    )
    url = f"/api/v1/organizers/{series.organizer.slug}/events/{series.slug}/offlinesalesbatches/"
    wanted = {"item": series_item.pk, "subevent": subevent.pk, "amount": 3, "sales_channel": "web"}
    with worker():
        api.post(url, wanted, format="json")
    batch = series.offline_sales_batches.get()
    compare(batch, user)
    assert {order.expires.date().isoformat() for order in orders(batch)} == {"2027-05-06"}


@pytest.fixture
def hall(event, item, quota):
    """A row of twelve seats, a metre apart."""
    event.seat_category_mappings.create(layout_category="Stalls", product=item)
    return [
        event.seats.create(seat_number=str(x), row_name="A", seat_guid=f"A{x}", product=item, x=float(x), y=0.0)
        for x in range(12)
    ]


def test_equals_the_hosts_own_reactivation_with_seats(hall, user, make_batch):
    compare(make_batch(seats=["A0", "A1", "A2"]), user)
    assert [seat.is_available() for seat in Seat.objects.order_by("x")] == [False] * 3 + [True] * 9


def test_memberships_are_valid_again(event, item, quota, user, make_batch):
    kind = event.organizer.membership_types.create(name="Friends")
    customer = event.organizer.customers.create(email="friend@example.org")
    batch = make_batch()
    for order in orders(batch):
        Order.objects.filter(pk=order.pk).update(customer=customer)
        customer.memberships.create(
            membership_type=kind, granted_in=position(order), date_start=now(), date_end=now() + timedelta(days=9)
        )
    compare(batch, user)
    assert [membership.canceled for membership in customer.memberships.all()] == [False] * 3


def test_an_invoice_that_the_return_has_canceled_is_made_again_once(event, quota, make_batch, monkeypatch):
    batch = make_batch(amount=2)
    generate_invoice(orders(batch)[0])
    returned(batch)
    job = asked(batch, job_kind=UNDO_RETURN)
    run(job)
    job.row.update(state="waiting", checkpoint=checkpoint(job, announced=0))
    run(job)  # everybody hears of it once more
    made = Invoice.objects.order_by("pk").values_list("order__code", "is_cancellation")
    assert list(made) == [(codes(batch)[0], is_cancellation) for is_cancellation in (False, True, False)]


# Payments: what the return took, and no more


@pytest.mark.parametrize("amount", ["4.00", "23.00"])
@pytest.mark.parametrize("of_our_payment", [True, False])
@pytest.mark.parametrize("provider", ["manual", "offlinesales"])
def test_what_was_refunded_by_hand_before_the_return_stays_refunded(make_batch, amount, of_our_payment, provider):
    batch = make_batch(amount=1)
    [order] = orders(batch)
    order.refunds.create(
        payment=order.payments.get() if of_our_payment else None,
        source="admin",
        state="done",
        execution_date=now(),
        amount=Decimal(amount),
        provider=provider,
    )
    before = again(order).payment_refund_sum
    for _turn in range(3):
        assert returned(batch) == (codes(batch), [])
        assert again(order).payment_refund_sum == 0
        assert returned(batch, job_kind=UNDO_RETURN) == (codes(batch), [])
        assert again(order).payment_refund_sum == before == Decimal("23.00") - Decimal(amount)
        # As the host has it, an order of which something is open is not paid.
        assert (again(order).status, again(order).pending_sum) == ("n", Decimal(amount))
    assert sum(line.full_price for line in order.transactions.all()) == 23


def test_what_is_refunded_by_hand_after_the_return_is_not_paid_again(make_batch):
    """A refund too much, which the host's own page would call an overpaid one the other way round."""
    batch = make_batch(amount=1)
    [order] = orders(batch)
    returned(batch)
    order.refunds.create(source="admin", state="done", execution_date=now(), amount=5, provider="manual")
    returned(batch, job_kind=UNDO_RETURN)
    assert list(order.payments.values_list("local_id", "amount")) == [(1, 23), (2, 23)]
    assert (again(order).payment_refund_sum, again(order).status) == (18, "n")


def test_what_somebody_paid_besides_stays_paid(make_batch):
    batch = make_batch(amount=1)
    [order] = orders(batch)
    order.payments.create(provider="manual", state="confirmed", amount=5, payment_date=now(), info="{}")
    returned(batch)
    assert again(order).payment_refund_sum == 5
    returned(batch, job_kind=UNDO_RETURN)
    assert list(order.payments.values_list("provider", "amount", "state")) == [
        ("offlinesales", 23, "refunded"),
        ("manual", 5, "confirmed"),
        ("offlinesales", 23, "confirmed"),
    ]
    assert (again(order).payment_refund_sum, again(order).status) == (28, "p")


def test_an_order_that_was_not_paid_is_not_paid_then(make_batch):
    batch = make_batch(amount=1)
    [order] = orders(batch)
    order.payments.update(state="canceled")
    Order.objects.filter(pk=order.pk).update(status="n")
    returned(batch)
    assert returned(batch, job_kind=UNDO_RETURN) == (codes(batch), [])
    assert (again(order).status, order.payments.count(), order.refunds.count()) == ("n", 1, 0)


# Places: as many as there are, in the order of the tickets


def reactivated_by_the_host(batch):
    """The tickets for which the host finds places, one after the other. Nothing of it remains."""
    fitting = []
    with transaction.atomic():
        for order in orders(batch):
            try:
                reactivate_as_the_host(order)
            except OrderError:
                continue
            fitting.append(order.code)
        transaction.set_rollback(True)
    return fitting


@pytest.mark.parametrize("seed", range(6))
def test_as_many_fit_as_the_host_finds_places_for_one_after_the_other(seed, event, item, quota, make_batch):
    chance = random.Random(seed)
    drink = event.items.create(name="Drink", default_price=Decimal("3.00"))
    bar = event.quotas.create(name="Bar", size=100)
    bar.items.add(drink)
    first = make_batch(amount=5)
    item.bundles.create(bundled_item=drink, count=2, designated_price=Decimal("2.50"))
    second = make_batch(amount=5)
    returned(first)
    returned(second)
    mixed = list(first.tickets.all()) + list(second.tickets.all())
    chance.shuffle(mixed)
    for number, ticket in enumerate(mixed, start=1):  # one batch of two kinds
        ticket.batch, ticket.number = first, 100 + number
        ticket.save()
    quota.size, bar.size = chance.choice([0, 3, 6, 9, None]), chance.choice([0, 3, 6, 9, None])
    quota.save()
    bar.save()
    expected = reactivated_by_the_host(first)
    sold_out = {code: "sold_out" for code in codes(first) if code not in expected}
    assert undone(event, first) == (expected, sold_out)
    assert [order.code for order in orders(first) if order.status == "p"] == expected


@pytest.mark.parametrize("distance", [0, 1.5])
def test_who_has_no_seat_any_more_stays_out(event, hall, web, make_batch, distance):
    """One is sold, one is blocked, one is in a cart; the last two have the same one."""
    batch = make_batch(amount=6, seats=["A0", "A2", "A4", "A6", "A8", "A10"])
    returned(batch)
    twice = make_batch(amount=1, seats=["A10"])
    returned(twice)
    twice.tickets.update(batch=batch, number=7)
    make_batch(amount=1, seats=["A0"])
    Seat.objects.filter(seat_guid="A2").update(blocked=True)
    soon = now() + timedelta(hours=1)
    event.cartposition_set.create(item=batch.item, price=23, cart_id="customer", expires=soon, seat=hall[4])
    Seat.objects.filter(seat_guid="A8").update(x=7)
    event.settings.seating_minimal_distance = distance
    expected = reactivated_by_the_host(batch)
    assert undone(event, batch) == (expected, {code: "sold_out" for code in codes(batch) if code not in expected})
    _sold, _blocked, _in_cart, fourth, fifth, sixth, _same = codes(batch)
    assert expected == ([fourth, sixth] if distance else [fourth, fifth, sixth])


def test_what_the_waiting_list_waits_for_is_given_back_but_not_what_is_in_a_cart(event, item, quota, make_batch):
    batch = make_batch(amount=3)
    returned(batch)
    quota.size = 3
    quota.save()
    event.waitinglistentries.create(item=item, email="customer@example.org")
    event.cartposition_set.create(item=item, price=23, cart_id="customer", expires=now() + timedelta(hours=1))
    assert reactivated_by_the_host(batch) == codes(batch)[:2]
    assert undone(event, batch) == (codes(batch)[:2], {codes(batch)[2]: "sold_out"})


def test_a_cart_that_becomes_an_order_while_places_are_counted_is_counted(
    event, item, quota, web, make_batch, monkeypatch
):
    batch = make_batch(amount=2)
    returned(batch)
    quota.size = 2
    quota.save()
    soon = now() + timedelta(hours=1)
    event.cartposition_set.create(item=item, price=23, cart_id="customer", expires=soon)
    count_carts = QuotaAvailability._compute_carts

    def check_out(*args):
        if cart := event.cartposition_set.first():
            order = event.orders.create(status="p", total=23, sales_channel=web, expires=soon)
            order.positions.create(item=item, price=23)
            cart.delete()
        count_carts(*args)

    monkeypatch.setattr(QuotaAvailability, "_compute_carts", check_out)
    assert undone(event, batch) == (codes(batch)[:1], {codes(batch)[1]: "sold_out"})


@pytest.mark.parametrize("why", ["closed", "in no quota", "needs a membership"])
def test_what_the_host_would_not_sell_again_stays_canceled(event, item, quota, make_batch, why):
    batch = make_batch(amount=2)
    returned(batch)
    if why == "closed":
        quota.closed = True
        quota.save()
    elif why == "in no quota":
        quota.items.clear()
    else:
        item.require_membership = True
        item.save()
    before = [picture(order) for order in orders(batch)]
    assert reactivated_by_the_host(batch) == []
    assert undone(event, batch) == ([], dict.fromkeys(codes(batch), "sold_out"))
    assert [picture(order) for order in orders(batch)] == before


def test_an_order_that_the_host_fails_with_stays_canceled_and_is_named(event, item, quota, make_batch, monkeypatch):
    batch = make_batch(amount=3)
    returned(batch)
    first, second, third = codes(batch)
    create = Order.create_transactions

    def fail(order, *args, **kwargs):
        if order.code == second:
            raise ValueError("broken")
        return create(order, *args, **kwargs)

    monkeypatch.setattr(Order, "create_transactions", fail)
    assert undone(event, batch) == ([first, third], {second: "failed"})
    assert [order.status for order in orders(batch)] == ["p", "c", "p"]


# Others: locks, and who hears of it


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(attempt, "BACK_OFF", (0, 0))


@pytest.fixture
def locked():
    """The host's locks can't be had, until ``locked()``."""
    flags = debugflags_var.set(("fail-locking",))

    def unlock():
        debugflags_var.set(())

    yield unlock
    debugflags_var.reset(flags)


def test_quotas_that_stay_locked_leave_the_tickets_canceled_and_say_busy(event, make_batch, impatient, request):
    batch = make_batch(amount=2)
    returned(batch)
    before = [picture(order) for order in orders(batch)]
    request.getfixturevalue("locked")
    assert undone(event, batch) == ([], dict.fromkeys(codes(batch), "busy"))
    assert [picture(order) for order in orders(batch)] == before


def test_quotas_that_are_locked_for_a_while_are_waited_for(event, make_batch, impatient, request, monkeypatch):
    batch = make_batch(amount=2)
    returned(batch)
    unlock, tries = request.getfixturevalue("locked"), []

    def wait(seconds):
        tries.append(seconds)
        if len(tries) == 2:
            unlock()

    monkeypatch.setattr(patience.time, "sleep", wait)
    assert undone(event, batch) == (codes(batch), {})
    assert [order.payments.count() for order in orders(batch)] == [2, 2]


@pytest.fixture
def hear(settings):
    """What other plugins hear, the host's own way or ours: ``(signal, order, status)``."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or they would be switched off
    heard = []

    def on_reactivated(sender, order, **kwargs):
        heard.append(("reactivated", order.code, order.status))

    def on_paid(sender, order, **kwargs):
        heard.append(("paid", order.code, order.status))

    order_reactivated.connect(on_reactivated)
    order_paid.connect(on_paid)
    yield heard
    order_reactivated.disconnect(on_reactivated)
    order_paid.disconnect(on_paid)


def test_others_hear_of_each_order_what_the_host_tells_them(event, make_batch, hear):
    batch = make_batch(amount=3)
    Order.objects.filter(pk=orders(batch)[1].pk).update(require_approval=True)
    first, second, third = codes(batch)
    for tell in (lambda: undone(event, batch), lambda: [reactivate_as_the_host(order) for order in orders(batch)]):
        returned(batch)
        hear.clear()
        tell()
        assert hear == [
            *(("reactivated", first, "p"), ("paid", first, "p")),
            ("reactivated", second, "n"),
            *(("reactivated", third, "p"), ("paid", third, "p")),
        ]


def test_another_plugin_that_chokes_is_logged_and_holds_nobody_up(event, make_batch, hear, caplog):
    batch = make_batch(amount=2)
    returned(batch)
    hear.clear()

    def broken(sender, order, **kwargs):
        raise ValueError("broken plugin")

    order_reactivated.connect(broken)
    try:
        with caplog.at_level(logging.ERROR):
            assert undone(event, batch) == (codes(batch), {})
    finally:
        order_reactivated.disconnect(broken)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [str(record.exc_info[1]) for record in errors] == ["broken plugin"] * 2
    assert hear == [(signal, code, "p") for code in codes(batch) for signal in ("reactivated", "paid")]


def test_a_ticket_that_came_back_again_before_others_heard_of_it_stays_returned(event, make_batch, hear, monkeypatch):
    batch = make_batch(amount=2)
    returned(batch)
    hear.clear()
    announce = attempt.announce

    def return_first(kind, job, dealt_with):
        if kind == UNDO_RETURN and dealt_with and not checkpoint_of(job).announced:
            returned(batch, {"tickets": "1"}, kind="damaged")
        announce(kind, job, dealt_with)

    monkeypatch.setattr(attempt, "announce", return_first)
    undone(event, batch)
    assert list(batch.tickets.values_list("return_kind", flat=True)) == ["damaged", ""]
    assert hear == [("reactivated", codes(batch)[1], "p"), ("paid", codes(batch)[1], "p")]


def test_scanners_hear_of_orders_after_they_could_be_seen(event, make_batch, monkeypatch):
    batch = make_batch()
    returned(batch)
    reactivate = undo.reactivate
    with freeze_time("2027-05-01 12:00:00") as clock:

        def take_a_while(*args):
            result = reactivate(*args)
            clock.tick(10)
            return result

        monkeypatch.setattr(undo, "reactivate", take_a_while)
        undone(event, batch)
    assert {order.last_modified.isoformat() for order in orders(batch)} == {"2027-05-01T12:00:10+00:00"}


# For many at once


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL has such locks")
def test_others_wait_for_a_count_and_for_the_status_only(event, item, quota, make_batch):
    """However many tickets these are: all other rows are there before the quota is locked, and it is locked once."""

    def under_the_lock(amount):
        batch = make_batch(amount=amount)
        returned(batch)
        with CaptureQueriesContext(connection) as queries:
            assert undone(event, batch) == (codes(batch), {})
        statements = [query["sql"] for query in queries]
        [locked] = [number for number, sql in enumerate(statements) if f"_lock({pg_lock_key(quota)})" in sql]
        # The inner transaction ends with the first, the outer one, in a test, with the second.
        rest = iter(statements[locked + 1 :])
        return [sql for _part in range(2) for sql in takewhile(lambda sql: not sql.startswith("RELEASE"), rest)]

    few, many = under_the_lock(1), under_the_lock(30)
    assert len(few) == len(many)
    written = [sql.split()[1] for sql in many if sql.split()[0] not in ("SELECT", "SET")]
    assert written == ['"pretixbase_order"', "INTO", '"pretix_offlinesales_job"']  # what the job remembers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["plain", "bundle", "gift_card"])
def test_queries_do_not_grow_with_the_amount(name, event, item, quota, make_batch, monkeypatch):
    """(Apart from what the host's own receivers ask for gift cards.)"""
    wanted = KINDS[name](event, item) or {}
    monkeypatch.setattr(Audience, "hear", lambda *args, **kwargs: None)

    def queries(amount):
        batch = make_batch(amount=amount, **wanted)
        returned(batch)
        job = asked(batch, job_kind=UNDO_RETURN)
        with CaptureQueriesContext(connection) as captured:
            run(job)
        assert done(job) == codes(batch)
        return [query["sql"] for query in captured]

    queries(1)  # fills caches
    few, many = queries(2), queries(12)
    assert len(many) == len(few), many


@pytest.mark.django_db(transaction=True)
def test_plain_tickets_are_announced_without_a_query_for_each(event, item, quota, make_batch):
    def queries(amount):
        batch = make_batch(amount=amount)
        returned(batch)
        job = asked(batch, job_kind=UNDO_RETURN)
        with CaptureQueriesContext(connection) as captured:
            run(job)
        return [query["sql"] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]

    queries(1)  # fills caches
    few, many = queries(2), queries(12)
    assert len(many) == len(few), many


@pytest.mark.parametrize(
    ("amount", "seconds", "size"), [(400, 0.25, 800), (1_000, 1, 500), (1_000, 100, 250), (400, 0.001, 2_000)]
)
def test_a_chunk_is_what_others_wait_for_half_a_second(amount, seconds, size):
    pace = Pace(100, most=2_000)
    pace._adjust(amount, seconds)
    assert pace.size == size


@pytest.mark.django_db(transaction=True)
def test_the_first_chunk_tells_how_large_the_next_may_be(event, make_batch, monkeypatch):
    monkeypatch.setattr(kinds, "CHUNK", 2)
    batch = make_batch(amount=20)
    returned(batch)
    job, chunks = asked(batch, job_kind=UNDO_RETURN), []
    reactivate = undo.reactivate

    def write_down(orders, pks, *args):
        chunks.append(len(pks))
        return reactivate(orders, pks, *args)

    monkeypatch.setattr(undo, "reactivate", write_down)
    run(job)
    assert (chunks, done(job)) == ([2, 18], codes(batch))
