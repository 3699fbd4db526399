"""
One measurement in a process of its own: ``python -m benchmarks.measure NAME AMOUNT`` prints what was measured as JSON.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from unittest import mock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402
from pretix.api.webhooks import send_webhook  # noqa: E402
from pretix.base.models import CachedFile, Order, OrderPosition, Quota  # noqa: E402
from pretix.base.services.locking import LockTimeoutException, lock_objects  # noqa: E402
from pretix.base.services.modelimport import import_orders  # noqa: E402
from pretix.base.services.orders import cancel_order, reactivate_order  # noqa: E402
from pretix.plugins.ticketoutputpdf.tasks import bulk_render  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from pretix_offlinesales.host import quotas  # noqa: E402
from pretix_offlinesales.jobs import runner  # noqa: E402
from pretix_offlinesales.kinds import PRINT, REPLACE, RETURN, UNDO_RETURN  # noqa: E402
from pretix_offlinesales.models import Job, OfflineSalesBatch, OfflineSalesTicket  # noqa: E402
from pretix_offlinesales.printing.request import PrintRequest  # noqa: E402
from pretix_offlinesales.printing.sheets import Sheet  # noqa: E402
from pretix_offlinesales.returning.after_sale import AfterSale  # noqa: E402
from pretix_offlinesales.tickets.selection import ALL  # noqa: E402

from .world import NOBODY, issue_batch, make_event, make_token, make_user, request_batch  # noqa: E402

#: How often something short is done, to take the time of the fastest.
REPETITIONS = 5


class Measured:
    """``with Measured() as measured: …`` takes time and memory: that above the most that was needed before."""

    def __enter__(self):
        self._memory, self._start = _peak_memory(), time.perf_counter()
        return self

    def __exit__(self, *exc_info):
        self.seconds, self.megabytes = time.perf_counter() - self._start, _peak_memory() - self._memory


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def database() -> str:
    return f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))}"


# The host


def host_import(amount: int) -> dict:
    """Its order import from a CSV file: what an organizer would do who needs many orders of one kind."""
    item = make_event()
    rows = ["item,price", *[f"{item.pk},23.00"] * amount]
    file = _file("orders.csv", ContentFile("\n".join(rows).encode()))
    settings = {"orders": "many", "testmode": False, "status": "paid", "item": "csv:item", "price": "csv:price"}
    settings["sales_channel"] = "static:web"
    arguments = {"fileid": str(file.pk), "settings": settings, "locale": "en", "user": make_user(item).pk}
    with Measured() as measured:
        import_orders.apply(kwargs={"event": item.event.pk, "charset": "utf-8", **arguments}, throw=True)
    assert item.event.orders.count() == amount
    return {"seconds": measured.seconds, "megabytes": measured.megabytes}


def host_print(amount: int) -> dict:
    """What its API for rendering tickets does, that takes up to 1,000 of them."""
    batch = _batch_of_another_process(amount)
    positions = OrderPosition.objects.filter(order__offline_sales_ticket__batch=batch).values_list("pk", flat=True)
    wanted = [{"orderposition": pk, "override_layout": batch.layout_id} for pk in positions]
    file = _file("tickets.pdf")
    with Measured() as measured:
        bulk_render.apply(kwargs={"event": batch.event_id, "fileid": str(file.pk), "parts": wanted}, throw=True)
    file.refresh_from_db()
    return {"seconds": measured.seconds, "megabytes": measured.megabytes, "bytes": file.file.size}


def host_cancel(amount: int) -> dict:
    """Its cancellation of one order after the other, without mail."""
    batch = _batch_of_another_process(amount)
    orders = list(batch.tickets.values_list("order_id", flat=True))
    with Measured() as measured:
        for order in orders:
            cancel_order.apply(kwargs={"order": order, "send_mail": False}, throw=True)
    assert batch.event.orders.filter(status=Order.STATUS_CANCELED).count() == amount
    return {"seconds": measured.seconds, "megabytes": measured.megabytes}


def host_reactivate(amount: int) -> dict:
    """Its reactivation of one order after the other."""
    batch = _batch_of_another_process(amount)
    for order in batch.tickets.values_list("order_id", flat=True):
        cancel_order.apply(kwargs={"order": order, "send_mail": False}, throw=True)
    orders = Order.objects.filter(event=batch.event)
    with Measured() as measured:
        for order in orders:
            reactivate_order(order)
    assert batch.event.orders.filter(status=Order.STATUS_PAID).count() == amount
    return {"seconds": measured.seconds, "megabytes": measured.megabytes}


def _file(name: str, content=None) -> CachedFile:
    file = CachedFile.objects.create(date=now(), expires=now(), filename=name, type="application/octet-stream")
    if content:
        file.file.save(name, content)
    return file


# Issuing


def issue(amount: int) -> dict:
    """
    The whole job, signals and all, while another process asks for the quota's lock again and again.

    ``waited`` is the longest that it had to wait, ``held`` for how long we had the lock.
    """
    job = request_batch(make_event(), amount)
    event = job.event
    with _shopper(event) as shopper, _phases() as phases, Measured() as measured:
        runner.run(event, job.pk)
    assert event.orders.count() == amount
    return {
        "seconds": measured.seconds,
        "megabytes": measured.megabytes,
        "announcing": phases.seconds["announcing"],
        "held": phases.seconds["locked"],
        "queries before": phases.queries["before"],
        "queries locked": phases.queries["locked"],
        **shopper,
    }


class _Phases:
    """Counts queries, and seconds, of each phase of a job, and what it took at most where it comes more than once."""

    def __init__(self):
        self.queries, self.seconds, self.longest = Counter(), Counter(), Counter()
        self.enter("before")

    def enter(self, phase: str):
        if hasattr(self, "_phase"):
            seconds = time.perf_counter() - self._since
            self.seconds[self._phase] += seconds
            self.longest[self._phase] = max(self.longest[self._phase], seconds)
        self._phase, self._since = phase, time.perf_counter()

    def count(self, execute, *args):
        self.queries[self._phase] += 1
        return execute(*args)


@contextmanager
def _phases():
    """Where one phase ends and the next begins: as the lock is taken, at the commit, and after everything."""
    phases = _Phases()

    def lock(*args, **kwargs):
        lock_objects(*args, **kwargs)
        phases.enter("locked")
        transaction.on_commit(lambda: phases.enter("announcing"))

    with (
        mock.patch.object(quotas, "lock_objects", lock),
        connection.execute_wrapper(phases.count),
    ):
        yield phases
    phases.enter("after")


@contextmanager
def _shopper(event):
    """Somebody who needs the quota's lock, in another process. Only PostgreSQL has such locks."""
    found = {}
    if connection.vendor != "postgresql":
        yield found
        return
    process = _start("shopper", event.quotas.get().pk)
    process.stdout.readline()
    yield found
    output, _ = process.communicate("")
    found |= json.loads(output)


def shopper(quota: int) -> dict:
    """Takes the lock as the shop does until standard input is closed."""
    import threading

    quota = Quota.objects.select_related("event").get(pk=quota)
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    print("ready", flush=True)
    longest = refused = 0
    while not closed.is_set():
        start = time.perf_counter()
        try:
            with transaction.atomic():
                lock_objects([quota], shared_lock_objects=[quota.event])
        except LockTimeoutException:
            refused += 1
        longest = max(longest, time.perf_counter() - start)
        time.sleep(0.002)
    return {"waited": longest, "refused": refused}


def issue_with_webhook(amount: int) -> dict:
    """While another system wants to hear of orders that are changed. The host's task is done here, too."""
    return _issue_with_webhook(amount, "pretix.event.order.modified")


def issue_with_webhook_of_orders(amount: int) -> dict:
    """While it wants to hear of each that is paid: until the host is about to send it."""
    with mock.patch.object(send_webhook, "apply_async"):
        return _issue_with_webhook(amount, "pretix.event.order.paid")


def _issue_with_webhook(amount: int, action: str) -> dict:
    job = request_batch(make_event(), amount)
    webhook = job.event.organizer.webhooks.create(target_url="https://example.org/", enabled=True, all_events=True)
    webhook.listeners.create(action_type=action)
    with Measured() as measured:
        runner.run(job.event, job.pk)
    assert job.event.orders.count() == amount
    return {"seconds": measured.seconds}


def announce_gift_cards(amount: int) -> dict:
    return _announce(make_event(issue_giftcard=True), amount)


def announce_media(amount: int) -> dict:
    item = make_event(media_type="barcode", media_policy="new")
    item.event.organizer.settings.reusable_media_type_barcode = True
    return _announce(item, amount)


def _announce(item, amount: int) -> dict:
    job = request_batch(item, amount)
    with _phases() as phases:
        runner.run(item.event, job.pk)
    job.refresh_from_db()
    assert job.state == job.State.SUCCEEDED, job.message
    return {"announcing": phases.seconds["announcing"]}


# Printing


def print_one(amount: int) -> dict:
    """The whole job, by one worker."""
    return _print(_batch_of_another_process(amount))


def print_sheets(amount: int) -> dict:
    """Nine on a sheet, to be cut in a stack. The layout measures A4, so the paper is a large one."""
    batch = _batch_of_another_process(amount)
    sheet = Sheet.parse(
        {"paper": [700, 1000], "columns": 3, "rows": 3, "margin": 10, "gutter": 5, "crop_marks": True, "order": "stack"}
    )
    return _print(batch, lambda: PrintRequest.of(batch, batch.numbers, sheet))


def _print(batch: OfflineSalesBatch, ask: Callable[[], PrintRequest] = PrintRequest) -> dict:
    """From the request on."""
    with Measured() as measured:
        job = PRINT.ask(batch, NOBODY, ask())
        runner.run(batch.event, job.pk)
    return {"seconds": measured.seconds, "megabytes": measured.megabytes, "bytes": _printed(job).file.size}


def _printed(job: Job) -> CachedFile:
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.message
    return job.file


def print_two(amount: int) -> dict:
    """The whole job, by two workers."""
    batch = _batch_of_another_process(amount)
    job = PRINT.ask(batch, NOBODY)
    workers = [_start("worker", batch.pk, job.pk) for _ in range(2)]
    for worker in workers:
        worker.stdout.readline()
    with Measured() as measured:
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            worker.stdout.readline()
    for worker in workers:
        worker.communicate()
    return {"seconds": measured.seconds, "bytes": _printed(job).file.size}


def worker(batch: int, job: str) -> dict:
    """Works on the job as soon as it is told so. A worker has long been running when a job comes."""
    batch = OfflineSalesBatch.objects.select_related("event").get(pk=batch)
    _print(batch, lambda: PrintRequest.of(batch, [1]))
    print("ready", flush=True)
    sys.stdin.readline()
    runner.run(batch.event, job)
    return {}


# After the sale


def return_all(amount: int) -> dict:
    """The whole job: every ticket of the batch comes back."""
    batch = _batch_of_another_process(amount)
    measured = _after_sale(batch, RETURN)
    assert batch.event.orders.filter(status=Order.STATUS_CANCELED).count() == amount
    return {"seconds": measured.seconds, "megabytes": measured.megabytes}


def undo_all(amount: int) -> dict:
    """The whole job: all that came back is valid again, while another process asks for the quota's lock."""
    batch = _batch_of_another_process(amount, "make_returned_batch")
    with _shopper(batch.event) as shopper, _phases() as phases:
        measured = _after_sale(batch, UNDO_RETURN)
    assert batch.event.orders.filter(status=Order.STATUS_PAID).count() == amount
    return {
        "seconds": measured.seconds,
        "megabytes": measured.megabytes,
        "held": phases.longest["locked"],
        **shopper,
    }


def replace_all(amount: int) -> dict:
    """The whole job: every ticket gets a new code."""
    batch = _batch_of_another_process(amount)
    positions = OrderPosition.objects.filter(order__event=batch.event)
    before = set(positions.values_list("secret", flat=True))
    measured = _after_sale(batch, REPLACE)
    assert len(set(positions.values_list("secret", flat=True)) - before) == amount
    return {"seconds": measured.seconds, "megabytes": measured.megabytes}


def _after_sale(batch: OfflineSalesBatch, kind: AfterSale) -> Measured:
    job = kind.ask(batch.event, ALL, NOBODY, batch)
    with Measured() as measured:
        runner.run(batch.event, job.pk)
    return measured


# Pages, and the API


def pages(amount: int) -> dict:
    """What is asked for a batch, with all its tickets, and for the first page of the list of 1,000 batches."""
    item = make_event()
    place = f"{item.event.organizer.slug}/{item.event.slug}"
    backend, list_page = Client(), f"/control/event/{place}/offlinesales/"
    backend.force_login(make_user(item))
    api, list_url = APIClient(), f"/api/v1/organizers/{place.replace('/', '/events/')}/offlinesalesbatches/"
    api.credentials(HTTP_AUTHORIZATION=f"Token {make_token(item)}")
    batch = issue_batch(item, amount)
    of_batch = {
        "batch page": _fastest(lambda: backend.get(f"{list_page}{batch.pk}/")),
        "batch": _fastest(lambda: api.get(f"{list_url}{batch.pk}/")),
        "tickets": _fastest(lambda: api.get(f"{list_url}{batch.pk}/tickets/")),
    }
    _split(batch, 1_000)
    return of_batch | {
        "list page": _fastest(lambda: backend.get(list_page)),
        "list": _fastest(lambda: api.get(list_url)),
    }


def _split(batch: OfflineSalesBatch, into: int) -> None:
    """Let there be so many batches, that share the tickets."""
    batches = [batch]
    for _ in range(into - 1):
        batch.pk = None
        batches.append(OfflineSalesBatch(**{f.attname: getattr(batch, f.attname) for f in batch._meta.fields}))
    batches = [batches[0], *OfflineSalesBatch.objects.bulk_create(batches[1:])]
    tickets = list(OfflineSalesTicket.objects.filter(batch__event=batch.event).order_by("number"))
    for index, ticket in enumerate(tickets):
        ticket.batch = batches[1:][index % (into - 1)]
    OfflineSalesTicket.objects.bulk_update(tickets, ["batch"], batch_size=1_000)


def _fastest(get) -> float:
    seconds = []
    for _ in range(REPETITIONS):
        with Measured() as measured:
            response = get()
        assert response.status_code == 200, response.content
        seconds.append(measured.seconds)
    return min(seconds)


def make_batch(amount: int) -> int:
    return issue_batch(make_event(), amount).pk


def make_returned_batch(amount: int) -> int:
    batch = issue_batch(make_event(), amount)
    _after_sale(batch, RETURN)
    return batch.pk


def _batch_of_another_process(amount: int, made: str = "make_batch") -> OfflineSalesBatch:
    """Issuing it here would leave memory behind, that printing would then seem not to need."""
    pk, _ = _start(made, amount).communicate()
    return OfflineSalesBatch.objects.select_related("event").get(pk=json.loads(pk))


def _start(name: str, *args) -> subprocess.Popen:
    command = [sys.executable, "-m", "benchmarks.measure", name, *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


MEASUREMENTS = {
    function.__name__: function
    for function in (
        *(host_import, host_print, host_cancel, host_reactivate),
        *(issue, issue_with_webhook, issue_with_webhook_of_orders, announce_gift_cards, announce_media),
        *(print_one, print_sheets, print_two, return_all, undo_all, replace_all, pages),
        *(database, make_batch, make_returned_batch, shopper, worker),
    )
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    with scopes_disabled():
        arguments = [int(argument) if argument.isdecimal() else argument for argument in arguments]
        print(json.dumps(MEASUREMENTS[name](*arguments)))
