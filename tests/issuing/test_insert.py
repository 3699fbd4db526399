"""All of a batch, or nothing: quotas, locks, and codes that somebody else takes."""

from datetime import timedelta
from importlib import import_module
from itertools import takewhile
from threading import Thread

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import LogEntry, Order, OrderPayment, OrderPosition, SalesChannel, Transaction
from pretix.base.services.locking import pg_lock_key
from pretix.base.services.quotas import QuotaAvailability
from pretix.testutils.middleware import debugflags_var

from pretix_offlinesales.host import quotas
from pretix_offlinesales.issuing import draw, insert
from pretix_offlinesales.jobs import runner as jobs
from pretix_offlinesales.models import Job, OfflineSalesBatch, OfflineSalesTicket

insert_module = import_module("pretix_offlinesales.issuing.insert")  # the package has a function of this name

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


def test_a_cart_that_becomes_an_order_while_quotas_are_counted_is_counted(
    issued, event, item, quota, web, monkeypatch
):
    """The host counts orders before carts, and shoppers check out without a lock. Here one does at every count."""
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


def test_quotas_that_are_never_left_in_peace_make_nothing(issued, event, item, quota, web, monkeypatch):
    monkeypatch.setattr(insert_module, "BACK_OFF", (0, 0))
    monkeypatch.setattr(quotas, "_sold", lambda availability: object())
    before = rows()
    state, message = outcome(issued(event, item))
    assert (state, "the server was too busy" in message, rows()) == ("failed", True, before)


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


def test_quotas_that_stay_locked_make_nothing_and_say_that_the_server_is_busy(issued, event, item, quota, monkeypatch):
    monkeypatch.setattr(insert_module, "BACK_OFF", (0, 0))
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


class Shopper:
    """Somebody who gets an order with a code of ours, or a position with a secret or an id of ours."""

    def __init__(self, event, item, web, monkeypatch):
        self.event, self.item, self.web = event, item, web
        draw = insert_module._draw

        def see(*args):
            self.drawn = draw(*args)
            return self.drawn

        monkeypatch.setattr(insert_module, "_draw", see)

    def take(self, what):
        """Returns what was taken."""
        values = {"code": self.drawn.codes, **self.drawn.positions[0]}[what]
        code = {"code": values[1]} if what == "code" else {}
        order = self.event.orders.create(status="n", total=0, sales_channel=self.web, expires=now(), **code)
        order.positions.create(item=self.item, price=0, **({} if code else {what: values[1]}))
        return values[1]


@pytest.fixture
def shopper(event, item, quota, web, monkeypatch):
    return Shopper(event, item, web, monkeypatch)


def ours(job, what):
    """The codes, secrets or ids of the batch."""
    path = "order__code" if what == "code" else f"order__all_positions__{what}"
    return set(job.batch.tickets.values_list(path, flat=True))


@pytest.mark.parametrize("what", ["code", "secret", "pseudonymization_id"])
def test_what_somebody_takes_while_a_batch_waits_for_another_is_drawn_again(
    issued, event, item, shopper, monkeypatch, what
):
    taken = []
    monkeypatch.setattr(insert_module, "_wait_for_other_batches", lambda event: taken.append(shopper.take(what)))
    job = issued(event, item, amount=3)
    assert outcome(job) == ("succeeded", "")
    assert len(ours(job, what) - set(taken)) == 3
    assert (len(taken), event.orders.count(), OfflineSalesBatch.objects.count()) == (1, 4, 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["code", "secret", "pseudonymization_id"])
def test_as_often_as_a_shopper_is_faster_it_is_drawn_again(issued, event, item, shopper, monkeypatch, what):
    """Shoppers do not wait for us. However often one is faster, it is no reason to give up."""
    write_orders, taken = insert_module._write_orders, []

    def commit():
        with scopes_disabled():
            taken.append(shopper.take(what))
        connection.close()

    def be_too_late(*args):
        if len(taken) < 7:
            shopping = Thread(target=commit)
            shopping.start()
            shopping.join()
        return write_orders(*args)

    monkeypatch.setattr(insert_module, "_write_orders", be_too_late)
    job = issued(event, item, amount=3)
    assert outcome(job) == ("succeeded", "")
    assert (len(set(taken)), len(ours(job, what) - set(taken))) == (7, 3)
    assert (event.orders.count(), OfflineSalesBatch.objects.count()) == (10, 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_whoever_asked_may_be_deleted_while_a_batch_is_made(issued, event, item, quota, user, monkeypatch):
    """Nothing that the batch is made of is gone."""
    write_orders = insert_module._write_orders

    def delete_user(*args):
        monkeypatch.setattr(insert_module, "_write_orders", write_orders)
        deleting = Thread(target=lambda: (user.delete(), connection.close()))
        deleting.start()
        deleting.join()
        return write_orders(*args)

    monkeypatch.setattr(insert_module, "_write_orders", delete_user)
    job = issued(event, item, user=user)
    assert (*outcome(job), job.user, job.batch.user) == ("succeeded", "", None, None)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_that_something_was_deleted_is_said_where_it_is_true(issued, event, item, quota, organizer, monkeypatch):
    kiosk = organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    write_orders = insert_module._write_orders

    def delete_channel(*args):
        deleting = Thread(target=lambda: (SalesChannel._base_manager.filter(pk=kiosk.pk).delete(), connection.close()))
        deleting.start()
        deleting.join()
        return write_orders(*args)

    monkeypatch.setattr(insert_module, "_write_orders", delete_channel)
    assert outcome(issued(event, item, sales_channel=kiosk)) == (
        "failed",
        "Something that this batch should have been made of has been deleted in the meantime.",
    )


def test_a_duplicate_that_drawing_does_not_help_against_is_no_deleted_thing(issued, event, item, quota, monkeypatch):
    """A restored backup may count keys from below those that there are."""
    issued(event, item)
    taken = list(Order.objects.values_list("pk", flat=True))
    reserve = insert_module.reserve_ids
    monkeypatch.setattr(
        insert_module, "reserve_ids", lambda model, amount: taken if model is Order else reserve(model, amount)
    )
    state, message = outcome(issued(event, item))
    assert (state, "deleted" in message, OfflineSalesBatch.objects.count()) == ("failed", False, 1)


@pytest.mark.parametrize("error", [DataError, OperationalError, KeyError, IntegrityError])
def test_an_error_before_the_commit_makes_nothing_and_ends_the_job(issued, event, item, quota, monkeypatch, error):
    """Whatever it is, after so many attempts nobody has to wait any more."""
    before = rows()

    def fail(*args):
        raise error("out of the blue")

    monkeypatch.setattr(insert_module, "_send_positions", fail)
    job = issued(event, item)
    for _attempt in range(jobs.MAX_INTERRUPTIONS):
        jobs.run(event, job.pk)
    job.refresh_from_db()
    assert (job.state, job.batch) == ("failed", None)
    assert rows() == before


def test_what_the_organizer_changes_while_a_batch_waits_for_another_counts(issued, event, item, quota, monkeypatch):
    def wait(event):
        event.quotas.create(name="Late", size=1).items.add(item)

    monkeypatch.setattr(insert_module, "_wait_for_other_batches", wait)
    assert outcome(issued(event, item, amount=2)) == too_few("Late")


def test_a_quota_that_is_deleted_while_a_batch_waits_for_another_counts(issued, event, item, quota, monkeypatch):
    monkeypatch.setattr(insert_module, "_wait_for_other_batches", lambda event: quota.items.clear())
    assert outcome(issued(event, item)) == ("failed", "This product is not assigned to a quota.")


def test_numbers_that_another_batch_takes_while_a_batch_waits_are_refused(issued, event, item, quota, web, monkeypatch):
    def wait(event):
        OfflineSalesBatch.objects.create(event=event, item=item, amount=2, first_number=2, sales_channel=web)

    monkeypatch.setattr(insert_module, "_wait_for_other_batches", wait)
    state, message = outcome(issued(event, item, first_number=1))
    assert (state, message[:54]) == ("failed", "Some of these ticket numbers have been taken by batch ")


@pytest.mark.postgresql
def test_a_secret_that_is_too_long_is_refused_and_not_cut_off(issued, event, item, quota, monkeypatch):
    monkeypatch.setattr(insert_module, "ticket_secrets", lambda position, amount, seen: ["x" * 300] * amount)
    assert issued(event, item, amount=1).state == "failed"


@pytest.mark.django_db(transaction=True)
def test_queries_do_not_grow_with_the_amount(event, item, quota, web):
    def queries(amount):
        batch = OfflineSalesBatch(event=event, item=item, amount=amount, sales_channel=web)
        job = Job.objects.create(event=event, kind=Job.Kind.ISSUE, locale="en", state=Job.State.RUNNING)
        with CaptureQueriesContext(connection) as captured:
            insert(job, batch, draw(batch))
        return len(captured)

    queries(1)  # fills caches
    assert queries(12) == queries(2)
