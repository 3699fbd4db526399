"""Many who want the same tickets at once: batches, shoppers, vouchers."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event as Signal
from time import sleep
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import Event, Order, OrderPosition, User
from pretix.base.services.cart import CartError, CartManager, add_items_to_cart
from pretix.base.services.locking import LockTimeoutException
from pretix.base.services.orders import _perform_order

from pretix_offlinesales import tasks
from pretix_offlinesales.issuing.insert import ONE_BATCH_AT_A_TIME
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs.queries import unfinished
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.support.plugins import PLUGINS
from tests.support.products import priced

from . import witness
from .processes import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]


@pytest.fixture
def item(item):
    """For nothing, so that shoppers need not choose how to pay."""
    priced(item, 0)
    return item


@pytest.fixture
def shop(event, web):
    """
    ``with shop(choose) as shopping: …``: meanwhile, shoppers buy what ``choose()`` returns, one after the other, by the
    host's own services for cart and order. ``shopping.orders`` says how many came of it. Only that something is sold
    out may keep them from it: who waits too long for a lock tries again as often as the host does.
    """

    class Shop:
        def __init__(self, choose, shoppers=2, pause=0.05):
            self.choose, self.pause, self.over, self.orders = choose, pause, Signal(), 0
            self.pool = ThreadPoolExecutor(shoppers)
            self.shoppers = shoppers

        def __enter__(self):
            self.orders += self.buy(str(uuid4()))  # so that everything is loaded when it begins
            self.futures = [self.pool.submit(self.go_shopping) for _ in range(self.shoppers)]
            return self

        def __exit__(self, *error):
            self.over.set()
            self.orders += sum(future.result() for future in self.futures)
            self.pool.shutdown()

        def go_shopping(self):
            orders = 0
            with scopes_disabled():
                try:
                    while not self.over.wait(self.pause):
                        orders += self.buy(str(uuid4()))
                finally:
                    connection.close()
            return orders

        def buy(self, cart):
            try:
                patiently(self.fill, cart)
            except CartError:
                return 0  # sold out
            positions = [position.pk for position in event.cartposition_set.filter(cart_id=cart)]
            patiently(_perform_order, event, [], positions, "shopper@example.org", "en", None, {})
            return 1

        def fill(self, cart):
            manager = CartManager(event=event, cart_id=cart, sales_channel=web)
            manager.add_new_items([self.choose()])
            manager.commit()

    return Shop


def patiently(task, *args):
    """As the host's own tasks do it with these functions."""
    for _retry in range(add_items_to_cart.max_retries):
        with suppress(LockTimeoutException):
            return task(*args)
        sleep(add_items_to_cart.default_retry_delay)
    return task(*args)


def ask_at_once(client, requests):
    """The answers to these requests for batches, all posted at the same time."""
    with ThreadPoolExecutor(len(requests)) as clients:
        return list(clients.map(lambda wanted: client.wait(client.ask(**wanted)), requests))


def line(item, **values):
    return {"item": item.pk, "variation": None, "count": 1, "price": None, "voucher": None, "subevent": None} | values


def test_eight_batches_a_shop_and_vouchers_share_one_quota(client, start_worker, event, item, quota, shop, whole):
    start_worker(processes=4, ready=True)
    event.vouchers.create(item=item, block_quota=True, max_usages=200, code="BLOCK")
    quota.size = 4_000
    quota.save()
    with shop(lambda: line(item)) as shopping:
        responses = ask_at_once(client, 8 * [{"amount": 600}])
    assert sorted(response.status_code for response in responses) == 6 * [200] + 2 * [410]
    for response in responses:
        if response.status_code == 200:
            assert whole(response.json()["id"], 600)
        else:
            assert response.json()["message"] == (
                'There is not enough quota available on quota "House" to perform the operation.'
            )
    sold = event.orders.filter(offline_sales_ticket__isnull=True).count()
    assert sold == shopping.orders > 5
    assert event.orders.count() == 6 * 600 + sold <= 4_000 - 200


@pytest.mark.parametrize("turn", range(3))
def test_the_last_tickets_go_to_a_batch_or_to_shoppers(client, start_worker, event, item, quota, shop, turn):
    """(One shopper, because two can make the host itself sell one ticket too many.)"""
    start_worker(processes=4, ready=True)
    quota.size = 400
    quota.save()
    with shop(lambda: line(item), shoppers=1, pause=0):
        ask_at_once(client, [{"amount": amount} for amount in (45, 50, 55, 60, 65, 70, 75, 80)])
    made = [batch.amount for batch in OfflineSalesBatch.objects.filter(event=event)]
    sold = event.orders.filter(offline_sales_ticket__isnull=True).count()
    assert OrderPosition.objects.filter(order__event=event).count() == sum(made) + sold <= 400
    assert len(made) < 8


def test_all_shoppers_get_through_while_returns_are_undone(client, worker, event, item, quota, organizer):
    """In an event so large that its quota takes long to count."""
    batch = client.wait(client.ask(amount=1_000)).json()["id"]
    client.wait(client.post(f"{batch}/return/", {"all": True}).json()["check"])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the server does it by itself, some time
    over = Signal()

    def go_shopping(_shopper):
        answers = []
        while not over.wait(0.05):
            answers.append(client.buy(item))
        return answers

    with ThreadPoolExecutor(6) as shoppers:
        list(shoppers.map(client.buy, 18 * [item]))  # so that each process has everything loaded
        before = event.orders.filter(status="p").count()
        witness.slow_down_counts(organizer)
        check = client.post(f"{batch}/undo/", {"all": True}).json()["check"]
        shopping = shoppers.map(go_shopping, range(2))
        try:
            undone = client.wait(check).json()
        finally:
            over.set()
    answers = [answer for answers in shopping for answer in answers]
    assert [answer.text for answer in answers if answer.status_code != 201] == []
    assert len(answers) > 4
    assert (len(undone["undone"]), undone["skipped"]) == (1_000, [])
    assert event.orders.filter(status="p").count() == before + 1_000 + len(answers)


@pytest.mark.parametrize("turn", range(3))
def test_the_last_places_go_to_shoppers_or_to_returns_that_are_undone(client, worker, event, item, quota, turn):
    quota.size = 400
    quota.save()
    batch = client.wait(client.ask(amount=400)).json()["id"]
    client.wait(client.post(f"{batch}/return/", {"all": True}).json()["check"])
    for _number in range(2 + turn):
        assert client.buy(item).status_code == 201
    check = client.post(f"{batch}/undo/", {"all": True}).json()["check"]
    with ThreadPoolExecutor(3) as shoppers:
        answers = list(shoppers.map(client.buy, [item] * 10))
    answer = client.wait(check).json()
    sold = 2 + turn + sum(answer.status_code == 201 for answer in answers)
    assert len(answer["undone"]) == 400 - sold
    assert {line["reason"] for line in answer["skipped"]} == {"sold_out"}
    assert OrderPosition.objects.filter(order__event=event, order__status="p").count() == 400


@pytest.mark.parametrize("distance", [0, 1.5], ids=["", "with distance"])
def test_no_seat_is_sold_twice(client, start_worker, event, item, quota, shop, distance):
    start_worker(processes=4, ready=True)
    event.settings.seating_minimal_distance = distance
    event.seat_category_mappings.create(layout_category="Stalls", product=item)
    guids = [f"seat {number}" for number in range(200)]
    for x, guid in enumerate(guids):
        event.seats.create(seat_number=guid, seat_guid=guid, product=item, x=x, y=0)
    chance = random.Random(1)
    every_other = guids[::2] if distance else guids
    wanted = [{"amount": 10, "seats": chance.sample(every_other, 10)} for _ in range(8)]
    with shop(lambda: line(item, seat=chance.choice(every_other))):
        responses = ask_at_once(client, wanted)
    taken = [position.seat_id for position in OrderPosition.objects.filter(order__event=event)]
    assert None not in taken
    assert len(set(taken)) == len(taken)
    made = [wish for wish, response in zip(wanted, responses, strict=True) if response.status_code == 200]
    assert event.offline_sales_batches.count() == len(made) >= 1
    assert event.orders.filter(offline_sales_ticket__isnull=False).count() == 10 * len(made)


@pytest.fixture
def other_event(organizer):
    """Of the same organizer, who has the same codes for all."""
    event = Event.objects.create(
        organizer=organizer, name="Fair", slug="fair", currency="EUR", date_from=now(), plugins=PLUGINS, live=True
    )
    event.quotas.create(name="Hall", size=10_000).items.add(event.items.create(name="Ticket", default_price=0))
    return event


class Queue:
    """Where the batches of an organizer wait for each other, with somebody in it who lets them pass all at once."""

    def __init__(self, organizer):
        self.key = organizer.pk

    def _ask(self, statement, *values):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()[0]

    def enter(self):
        """Behind all who wait."""
        self._ask("SELECT pg_advisory_lock(%s, %s)", ONE_BATCH_AT_A_TIME, self.key)

    def leave(self):
        self._ask("SELECT pg_advisory_unlock(%s, %s)", ONE_BATCH_AT_A_TIME, self.key)

    @property
    def length(self):
        return self._ask(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            ONE_BATCH_AT_A_TIME,
            self.key,
        )


def test_codes_that_batches_draw_at_once_are_drawn_again(
    client, client_of, start_worker, other_event, quota, organizer
):
    """
    With three letters there are 243 codes, so that each of eight batches of two events loses some to those before it.
    None of them has to wait for a second turn, or fails for that.
    """
    worker = start_worker(processes=8, ready=True, OFFLINESALES_ALPHABET="BCD")
    unmade = Job.objects.filter(event__organizer=organizer, batch=None, finished=None)
    queue, turns = Queue(organizer), 0
    queue.enter()
    checks = [(each, each.ask(amount=30)) for each in 4 * [client, client_of(other_event)]]
    while unmade.exists():
        wait_until(lambda: queue.length == unmade.count())  # all have drawn
        queue.leave()
        queue.enter()
        turns += 1
    queue.leave()
    responses = [each.wait(check) for each, check in checks]
    assert [(response.status_code, response.json().get("message")) for response in responses] == [(200, None)] * 8
    assert turns == 1
    codes = list(Order.objects.filter(organizer=organizer).values_list("code", flat=True))
    assert (len(codes), len(set(codes)), set("".join(codes))) == (240, 240, set("BCD"))
    assert set(Job.objects.filter(event__organizer=organizer).values_list("attempts", flat=True)) == {1}
    assert "codes were taken while a batch waited for others, and are generated again" in worker.log.read_text()


def test_numbers_that_nobody_has_chosen_are_drawn_in_the_queue(start_worker, event, item, quota, web):
    """Eight ask at once, and each form says that the first number is free."""
    batch = OfflineSalesBatch(event=event, item=item, amount=25, sales_channel=web)
    asked = [ISSUE.create(event, IssueRequest.of(batch, numbers_go_on=True), {}) for _ in range(8)]
    for job in asked:
        tasks.start(job)
    start_worker(processes=8)
    wait_until(lambda: not unfinished(event=event).exists(), pause=0.5)
    assert [job.message for job in Job.objects.filter(event=event)] == [""] * 8
    firsts = sorted(batch.first_number for batch in OfflineSalesBatch.objects.filter(event=event))
    assert firsts == list(range(1, 200, 25))


def test_a_double_click_makes_one_batch(event, item, quota, web, team, start_worker):
    """Both at the same time, as the browser may send them, ten times over."""
    user = User.objects.create_user(f"anna@{event.organizer.slug}.org", "correct horse battery staple 1")
    team.members.add(user)
    form = {"itemvar": item.pk, "amount": 3, "sales_channel": web.pk, "ajax": 1}
    pages = f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/"
    browsers = [Browser(), Browser()]
    for browser in browsers:
        browser.force_login(user)
    together = Barrier(2)

    def click(browser, token):
        together.wait()
        try:
            return browser.post(f"{pages}add", form | {"token": token}).json()["async_id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        clicks = [list(threads.map(click, browsers, [uuid4()] * 2)) for _ in range(10)]
    assert [len(set(both)) for both in clicks] == [1] * 10
    start_worker()
    wait_until(lambda: not unfinished(event=event).exists(), pause=0.5)
    firsts = sorted(batch.first_number for batch in OfflineSalesBatch.objects.filter(event=event))
    assert firsts == list(range(1, 30, 3))


def test_no_more_than_twenty_jobs_of_an_event_wait(client, event):
    for _ in range(20):
        client.ask(amount=1)
    response = client.post(body={"item": event.items.get().pk, "amount": 1, "sales_channel": "web"})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert Job.objects.filter(event=event).count() == 20
