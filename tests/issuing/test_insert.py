"""All of a batch, or nothing: quotas, locks, and codes that somebody else takes."""

import time
from datetime import timedelta
from itertools import takewhile

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import LogEntry, Order, OrderPayment, OrderPosition, SalesChannel, Transaction, User
from pretix.base.secrets import RandomTicketSecretGenerator
from pretix.base.services.locking import pg_lock_key
from pretix.base.services.quotas import QuotaAvailability
from pretix.base.signals import register_ticket_secret_generators
from pretix.testutils.middleware import debugflags_var

from pretix_offlinesales.issuing.blueprint import simulate
from pretix_offlinesales.issuing.insert import insert
from pretix_offlinesales.issuing.making import Making
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.jobs.interruptions import MAX_INTERRUPTIONS
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job, OfflineSalesBatch, OfflineSalesTicket
from pretix_offlinesales.tickets import codes
from tests.support.workers import Other, holding_up

pytestmark = pytest.mark.django_db

MODELS = (OfflineSalesBatch, OfflineSalesTicket, Order, OrderPosition, OrderPayment, Transaction, LogEntry)


def rows():
    return {model.__name__: model._base_manager.count() for model in MODELS}


def too_few(quota):
    return ("failed", f'There is not enough quota available on quota "{quota}" to perform the operation.')


def outcome(job):
    return (job.state, job.message)


def left(quota):
    return quota.availability()[1]


def test_takes_exactly_the_amount_from_the_quota(issued, event, item, quota):
    assert outcome(issued(event, item, amount=100)) == ("succeeded", "")
    assert left(quota) == 0


def test_one_too_few_makes_nothing(issued, event, item, quota):
    before = rows()
    assert outcome(issued(event, item, amount=101)) == too_few("House")
    assert rows() == before
    assert left(quota) == 100


def test_the_tightest_of_several_quotas_counts(issued, event, item, quota):
    tight = event.quotas.create(name="Balcony", size=2)
    tight.items.add(item)
    assert outcome(issued(event, item, amount=3)) == too_few("Balcony")
    assert outcome(issued(event, item, amount=2)) == ("succeeded", "")
    assert (left(quota), left(tight)) == (98, 0)


def test_an_unlimited_quota_has_enough(issued, event, item, quota):
    quota.size = None
    quota.save()
    assert outcome(issued(event, item, amount=500)) == ("succeeded", "")


def test_a_closed_quota_has_none(issued, event, item, quota):
    quota.closed = True
    quota.save()
    assert outcome(issued(event, item, amount=1)) == too_few("House")


def test_what_vouchers_carts_and_the_waiting_list_block_is_not_taken(issued, event, item, quota):
    soon = now() + timedelta(hours=1)
    event.vouchers.create(item=item, block_quota=True, max_usages=10, code="BLOCK")
    event.cartposition_set.create(item=item, price=23, cart_id="customer", expires=soon)
    event.waitinglistentries.create(item=item, email="customer@example.org")
    assert left(quota) == 88
    assert outcome(issued(event, item, amount=89)) == too_few("House")
    assert outcome(issued(event, item, amount=88)) == ("succeeded", "")


def test_a_cart_that_becomes_an_order_while_quotas_are_counted_is_counted(issued, event, item, quota, web, monkeypatch):
    """
    The host counts orders before carts, and shoppers check out without a lock. Here one does at every count. (See
    ``tests/host/test_quotas.py``, too, where others do it.)
    """
    soon = now() + timedelta(hours=1)
    for customer in range(5):
        event.cartposition_set.create(item=item, price=23, cart_id=f"customer {customer}", expires=soon)
    count_carts = QuotaAvailability._compute_carts

    def check_out(*args):
        if cart := event.cartposition_set.first():
            order = event.orders.create(status="p", total=23, sales_channel=web, expires=soon)
            order.positions.create(item=item, price=23)
            cart.delete()
        count_carts(*args)

    monkeypatch.setattr(QuotaAvailability, "_compute_carts", check_out)
    assert outcome(issued(event, item, amount=96)) == too_few("House")
    assert outcome(issued(event, item, amount=95)) == ("succeeded", "")


def test_quotas_that_are_never_left_in_peace_make_nothing(issued, event, item, quota, patient, monkeypatch):
    """At every count, a cart is gone, perhaps for an order, and there is another one."""
    count_carts = QuotaAvailability._compute_carts

    def exchange(*args):
        event.cartposition_set.all().delete()
        event.cartposition_set.create(item=item, price=23, cart_id="customer", expires=now() + timedelta(hours=1))
        count_carts(*args)

    monkeypatch.setattr(QuotaAvailability, "_compute_carts", exchange)
    state, message = outcome(issued(event, item, amount=99))
    assert (state, "the server was too busy" in message) == ("failed", True)
    assert (OfflineSalesBatch.objects.count(), OrderPayment.objects.count()) == (0, 0)
    assert outcome(issued(event, item, amount=98)) == ("succeeded", "")


def test_a_date_has_its_own_quota(issued, series, subevent, series_item):
    evening = series.subevents.create(name="Evening", date_from=now(), active=True)
    quota = series.quotas.create(name="Evening group", size=2, subevent=evening)
    quota.items.add(series_item)
    assert outcome(issued(series, series_item, amount=3, subevent=evening)) == too_few("Evening group")
    assert outcome(issued(series, series_item, amount=3, subevent=subevent)) == ("succeeded", "")
    assert left(quota) == 2


def test_bundled_products_take_from_their_quotas(issued, event, item, quota):
    drink = event.items.create(name="Drink", default_price=3)
    bar = event.quotas.create(name="Bar", size=9)
    bar.items.add(drink)
    item.bundles.create(bundled_item=drink, count=2, designated_price=3)
    assert outcome(issued(event, item, amount=5)) == too_few("Bar")
    assert outcome(issued(event, item, amount=4)) == ("succeeded", "")
    assert (left(quota), left(bar)) == (96, 1)


def test_a_quota_that_closes_when_sold_out_closes_and_logs_it(issued, event, item, quota):
    quota.close_when_sold_out = True
    quota.save()
    issued(event, item, amount=100)
    quota.refresh_from_db()
    assert quota.closed
    assert list(quota.all_logentries().values_list("action_type", flat=True)) == ["pretix.event.quota.closed"]


@pytest.mark.postgresql
def test_others_wait_for_a_count_and_for_positions_only(issued, event, item, quota):
    """However many tickets these are: all other rows are there before the quota is locked."""

    def under_the_lock(amount):
        with CaptureQueriesContext(connection) as queries:
            assert outcome(issued(event, item, amount=amount)) == ("succeeded", "")
        statements = [query["sql"] for query in queries]
        [locked] = [number for number, sql in enumerate(statements) if f"_lock({pg_lock_key(quota)})" in sql]
        # In a test, this is the end of the transaction.
        return list(takewhile(lambda sql: not sql.startswith("RELEASE"), statements[locked + 1 :]))

    few, many = under_the_lock(1), under_the_lock(50)
    assert len(few) == len(many)
    assert [sql.split()[2] for sql in many if sql.split()[0] not in ("SELECT", "SET")] == ['"pretixbase_orderposition"']


def test_quotas_that_stay_locked_make_nothing_and_say_that_the_server_is_busy(issued, event, item, quota, patient):
    before = rows()
    flags = debugflags_var.set(("fail-locking",))
    try:
        job = issued(event, item)
    finally:
        debugflags_var.reset(flags)
    assert outcome(job) == (
        "failed",
        "We were not able to process your request completely as the server was too busy. Please try again.",
    )
    assert rows() == before


@pytest.fixture
def patient(monkeypatch):
    """Nobody has to wait until the next attempt."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.fixture
def drawn(event, settings):
    """All secrets that the event's tickets are given, in their order, by a generator of a plugin."""
    drawn = []

    class Numbered(RandomTicketSecretGenerator):
        identifier = "numbered"

        def generate_secret(self, **kwargs):
            drawn.append(f"secret {len(drawn) + 1}")
            return drawn[-1]

    def register(sender, **kwargs):
        return Numbered

    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or it would be switched off
    register_ticket_secret_generators.connect(register)
    event.settings.ticket_secret_generator = Numbered.identifier
    yield drawn
    register_ticket_secret_generators.disconnect(register)


def buy(event, web, code="", **values):
    """Somebody has an order with this code, and a position with these values."""
    order = event.orders.create(code=code, status="n", total=0, sales_channel=web, expires=now())
    order.positions.create(item=event.items.first(), price=0, **values)


#: Of what there can be so few that others take almost all.
LETTERS = {
    "code": codes.ORDER_CODE_ALPHABET,
    "secret": "abcdefghjkmnpqrstuvwxyz23456789",
    "pseudonymization_id": codes.PSEUDONYMIZATION_ID_ALPHABET,
}


@pytest.fixture
def short(what, event, settings, monkeypatch):
    """They are of one letter, or, if there are not enough of these codes, longer."""
    if what == "code":
        settings.ENTROPY = settings.ENTROPY | {"order_code": 1}
    elif what == "secret":
        event.settings.ticket_secret_length = 1
    else:
        monkeypatch.setattr(codes, "PSEUDONYMIZATION_ID_LENGTH", 1)


def take_all_but(spared, what, event, web):
    """In all likelihood, what a batch has drawn is among them. Of codes there are always more, so they take all."""
    for letter in LETTERS[what] if what == "code" else LETTERS[what][:-spared]:
        buy(event, web, **{what: letter})


def are_among_the_last(spared, what, job):
    """… or longer, if they are codes."""
    path = "order__code" if what == "code" else f"order__all_positions__{what}"
    ours = set(job.batch.tickets.values_list(path, flat=True))
    theirs = LETTERS[what] if what == "code" else LETTERS[what][:-spared]
    return len(ours) == job.batch.amount and ours.isdisjoint(theirs)


@pytest.mark.postgresql
@pytest.mark.parametrize("what", LETTERS)
def test_what_somebody_takes_while_a_batch_waits_for_another_is_drawn_again(waiting, event, web, short, what):
    job = waiting(lambda: take_all_but(4, what, event, web), amount=3)
    assert outcome(job) == ("succeeded", "")
    assert are_among_the_last(4, what, job)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", LETTERS)
def test_what_a_shopper_takes_at_the_last_moment_is_drawn_again(issued, event, item, quota, web, short, what):
    with holding_up(Order if what == "code" else OrderPosition):
        batch = Other(lambda: issued(event, item, amount=3))
        assert batch.waits_for_a_lock()
        take_all_but(3, what, event, web)
    batch.join()
    assert outcome(batch.result) == ("succeeded", "")
    assert are_among_the_last(3, what, batch.result)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_as_often_as_a_shopper_is_faster_it_is_drawn_again(issued, event, item, quota, web, drawn):
    """Shoppers do not wait for us. However often one is faster, it is no reason to give up."""
    batch = None
    for _time in range(7):
        with holding_up(OrderPosition):
            batch = batch or Other(lambda: issued(event, item, amount=3))
            assert batch.waits_for_a_lock()
            buy(event, web, secret=drawn[-1])
    batch.join()
    assert outcome(batch.result) == ("succeeded", "")
    assert (event.orders.count(), OfflineSalesBatch.objects.count(), len(drawn)) == (10, 1, 10)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_whoever_asked_may_be_deleted_while_a_batch_is_made(issued, event, item, quota, user):
    """Nothing that the batch is made of is gone."""
    with holding_up(Order):
        batch = Other(lambda: issued(event, item, user=user))
        assert batch.waits_for_a_lock()
        User.objects.get(pk=user.pk).delete()
    batch.join()
    job = batch.result
    assert (*outcome(job), job.user, job.batch.user) == ("succeeded", "", None, None)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_that_something_was_deleted_is_said_where_it_is_true(issued, event, item, quota, organizer):
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    with holding_up(Order):
        batch = Other(lambda: issued(event, item, sales_channel=kiosk))
        assert batch.waits_for_a_lock()
        SalesChannel._base_manager.filter(pk=kiosk.pk).delete()
    batch.join()
    assert outcome(batch.result) == (
        "failed",
        "Something that this batch should have been made of has been deleted in the meantime.",
    )


def count_from_one(model):
    """As a restored backup may do it, from which the counters are missing."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), 1, false)", [table])
        else:
            cursor.execute("UPDATE sqlite_sequence SET seq = 0 WHERE name = %s", [table])


def test_a_duplicate_that_drawing_does_not_help_against_is_no_deleted_thing(issued, event, item, quota):
    count_from_one(Order)
    issued(event, item, amount=90)  # more than all attempts use up
    count_from_one(Order)
    state, message = outcome(issued(event, item))
    assert (state, "deleted" in message, OfflineSalesBatch.objects.count()) == ("failed", False, 1)


@pytest.mark.parametrize("error", [DataError, OperationalError, KeyError, IntegrityError])
def test_an_error_before_the_commit_makes_nothing_and_ends_the_job(issued, event, item, quota, error):
    """Whatever it is, after so many attempts nobody has to wait any more."""
    before = rows()

    def refuse(execute, sql, *args):
        if sql.startswith('INSERT INTO "pretixbase_orderposition"') and OfflineSalesBatch.objects.exists():
            raise error("out of the blue")
        return execute(sql, *args)

    with connection.execute_wrapper(refuse):
        job = issued(event, item)
        for _attempt in range(MAX_INTERRUPTIONS):
            runner.run(event, job.pk)
    job.refresh_from_db()
    assert (job.state, job.batch) == ("failed", None)
    assert rows() == before


@pytest.mark.postgresql
def test_what_the_organizer_changes_while_a_batch_waits_for_another_counts(waiting, event, item):
    job = waiting(lambda: event.quotas.create(name="Late", size=2).items.add(item), amount=2)
    assert outcome(job) == too_few("Late")


@pytest.mark.postgresql
def test_a_quota_that_is_deleted_while_a_batch_waits_for_another_counts(waiting, quota):
    assert outcome(waiting(quota.items.clear)) == ("failed", "This product is not assigned to a quota.")


@pytest.mark.postgresql
def test_numbers_that_another_batch_takes_while_a_batch_waits_are_refused(waiting, event, item, web):
    def take():
        OfflineSalesBatch.objects.create(event=event, item=item, amount=2, first_number=2, sales_channel=web)

    state, message = outcome(waiting(take, first_number=1))
    assert (state, message[:54]) == ("failed", "Some of these ticket numbers have been taken by batch ")


@pytest.mark.postgresql
def test_a_secret_that_is_too_long_is_refused_and_not_cut_off(issued, event, item, quota):
    event.settings.ticket_secret_length = 300
    assert issued(event, item, amount=1).state == "failed"


@pytest.mark.django_db(transaction=True)
def test_queries_do_not_grow_with_the_amount(event, item, quota, web):
    def queries(amount):
        batch = OfflineSalesBatch(event=event, item=item, amount=amount, sales_channel=web)
        job = ISSUE.create(event, IssueRequest.of(batch), {})
        job.row.update(state=Job.State.RUNNING)
        with CaptureQueriesContext(connection) as captured:
            insert(Making(job), batch, simulate(batch))
        return len(captured)

    queries(1)  # fills caches
    assert queries(12) == queries(2)
