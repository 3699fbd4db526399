"""A pretix that can be hurt: a database of its own, web server, workers, and somebody who asks through the API."""

import os
import shutil
from contextlib import contextmanager
from itertools import count
from threading import Event as Signal, Thread
from time import monotonic, sleep
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pretix.base.models import Order, Organizer

from pretix_offlinesales.models import Job, OfflineSalesBatch
from tests.faults.processes import answers
from tests.support.plugins import ORGANIZER_PLUGINS

from . import witness
from .processes import Server, Wire, Worker, wait_until


@contextmanager
def administration():
    """A connection to the database server that is in no transaction and not in our database."""
    import psycopg2

    default = settings.DATABASES["default"]
    admin = psycopg2.connect(
        host=default["HOST"],
        port=default["PORT"] or None,
        user=default["USER"],
        password=default["PASSWORD"],
        dbname="postgres",
    )
    admin.autocommit = True
    try:
        yield admin.cursor()
    finally:
        admin.close()


@contextmanager
def emptied_broker():
    import redis

    broker = redis.Redis.from_url(settings.REDIS)
    broker.flushdb()
    yield broker
    broker.flushdb()


@pytest.fixture(scope="session")
def servers():
    """PostgreSQL with an empty pretix, an empty Redis, and a folder for files."""
    try:
        with administration() as cursor, emptied_broker() as broker:
            cursor.execute(f'CREATE DATABASE "{settings.NAME}"')
            try:
                call_command("migrate", run_syncdb=True, verbosity=0)
                yield SimpleNamespace(redis=broker, sql=cursor)
            finally:
                connection.close()
                cursor.execute(f'DROP DATABASE "{settings.NAME}" WITH (FORCE)')
    finally:
        shutil.rmtree(settings.DATA_DIR)


@pytest.fixture(scope="session")
def unblocked(django_db_blocker):
    """No test database of pytest-django, no transaction around a test: what we write, all processes see."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def db(unblocked, servers):
    yield
    connection.close()


@pytest.fixture(scope="session")
def wire(servers):
    """Between pretix and its broker."""
    address = urlsplit(settings.REDIS)
    return Wire(address.hostname, address.port or 6379)


@pytest.fixture(scope="session")
def cache_wire(servers):
    """Between pretix and its cache."""
    address = urlsplit(settings.REDIS)
    return Wire(address.hostname, address.port or 6379)


@pytest.fixture(scope="session")
def broker(wire, cache_wire):
    """As all processes of pretix that are started from here on know it, and the cache."""
    for name, its_wire in (("PRETIX_CELERY_BROKER", wire), ("PRETIX_REDIS_LOCATION", cache_wire)):
        os.environ[name] = urlsplit(settings.REDIS)._replace(netloc=f"127.0.0.1:{its_wire.port}").geturl()


@pytest.fixture(scope="session")
def server(unblocked, broker):
    server = Server()
    try:
        wait_until(lambda: answers(server), pause=0.1)
        yield server
    finally:
        server.kill()


@pytest.fixture
def start_worker(broker):
    """``start_worker()``: one more worker, to be waited for if ``ready``. All are killed after the test."""
    workers = []

    def start_worker(ready=False, **options):
        worker = Worker(**options)
        workers.append(worker)
        if ready:
            wait_until(lambda: worker.is_ready)
        return worker

    yield start_worker
    for worker in workers:
        worker.kill()


@pytest.fixture
def worker(start_worker):
    return start_worker()


@pytest.fixture
def hit(start_worker):
    """``hit(worker)``: the worker dies, another one takes its place."""

    def hit(worker):
        worker.kill()
        return start_worker()

    return hit


slugs = (f"museum{number}" for number in count())


@pytest.fixture
def organizer(db):
    return Organizer.objects.create(name="Museum Trust", slug=next(slugs), plugins=ORGANIZER_PLUGINS)


@pytest.fixture
def team(organizer):
    return organizer.teams.create(
        name="Everything", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )


@pytest.fixture
def quota(event, item):
    quota = event.quotas.create(name="House", size=10_000)
    quota.items.add(item)
    return quota


class Client:
    """Somebody who asks for batches of an event, over HTTP."""

    def __init__(self, url, token, wanted):
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token.token}"
        self._wanted = wanted

    def address(self, path=""):
        return self._url + path

    def post(self, path="", body=None, headers=None):
        return self._session.post(self._url + path, json=body, headers=headers, timeout=120)

    def get(self, url):
        return self._session.get(url)

    def ask(self, **values):
        """Ask for a batch, and get the address to check."""
        response = self.post(body=self._wanted | values)
        assert response.status_code == 202, response.text
        return response.json()["check"]

    def ask_to_print(self, batch, **values):
        response = self.post(f"{batch}/render/", values)
        assert response.status_code == 202, response.text
        return response.json()["download"]

    def buy(self, item):
        """An order of the shop's, through the host's own API."""
        order = {"status": "p", "locale": "en", "sales_channel": "web", "positions": [{"item": item.pk}]}
        return self._session.post(self._url.replace("offlinesalesbatches", "orders"), json=order)

    def wait(self, url, seconds=60):
        """Check until there is an answer. It never takes longer than a minute."""
        end = monotonic() + seconds
        while (response := self.get(url)).status_code == 409:
            assert monotonic() < end, list(Job.objects.filter(finished=None).values())
            sleep(0.5)
        return response


@pytest.fixture
def client(client_of, wanted):
    return client_of()


@pytest.fixture
def client_of(request, event, token):
    """``client_of(event=…, server=…)``: somebody who asks this web server for batches of the event's only product."""

    def client_of(event=event, server=None):
        place = f"organizers/{event.organizer.slug}/events/{event.slug}"
        wanted = {"item": event.items.get().pk, "amount": 3, "sales_channel": "web"}
        server = server or request.getfixturevalue("server")
        return Client(f"{server.url}/api/v1/{place}/offlinesalesbatches/", token, wanted)

    return client_of


@pytest.fixture
def asking():
    """``asking(client, check)``: somebody asks every half second, until the test is over."""
    over = Signal()
    threads = []

    def asking(client, check):
        def ask():
            while not over.wait(0.5):
                client.get(check)

        threads.append(Thread(target=ask))
        threads[-1].start()

    yield asking
    over.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def organizer_heard(organizer):
    """The orders of the organizer that the witness heard of, each to be placed and to be paid."""

    def organizer_heard():
        notes = set(witness.heard(organizer))
        return {note.removeprefix("paid ") for note in notes if note.startswith("paid ")} & {
            note.removeprefix("placed ") for note in notes if note.startswith("placed ")
        }

    return organizer_heard


@pytest.fixture
def whole(event, organizer_heard):
    """``whole(batch, amount)``: everything about the batch is there once, and everybody has heard of it."""

    def whole(pk, amount):
        batch = OfflineSalesBatch.objects.get(pk=pk)
        orders = Order.objects.filter(offline_sales_ticket__batch=batch, event=event)
        codes = list(batch.tickets.values_list("order__code", flat=True))
        assert batch.completed
        assert list(batch.tickets.values_list("number", flat=True)) == list(range(1, amount + 1))
        assert len(set(codes)) == amount
        facts = ("status", "all_positions__positionid", "payments__state", "payments__local_id")
        assert set(orders.values_list(*facts)) == {("p", 1, "confirmed", 1)}
        assert orders.values("all_positions", "payments", "transactions").count() == amount
        assert set(codes) <= organizer_heard()
        return True

    return whole


@pytest.fixture
def nothing_left_over(event):
    """Of this many batches, and nothing else."""

    def nothing_left_over(*amounts):
        assert sorted(event.offline_sales_batches.values_list("amount", flat=True)) == sorted(amounts)
        assert event.orders.filter(offline_sales_ticket__isnull=True).count() == 0
        assert event.orders.count() == sum(amounts)
        return True

    return nothing_left_over
