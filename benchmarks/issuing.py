"""Issuing, and the host's import of as many orders."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils.timezone import now
from pretix.api.webhooks import send_webhook
from pretix.base.models import CachedFile, Item, Quota
from pretix.base.services.locking import LockTimeoutException, lock_objects
from pretix.base.services.modelimport import import_orders

from pretix_offlinesales.host import quotas

from .apart import Measured, beside
from .world import done, issue_batch, make_other_event, make_user, request_batch, the_item


def host_import(amount: int) -> dict:
    """Its order import from a CSV file: what an organizer would do who needs many orders of one kind."""
    item = the_item()
    before = item.event.orders.count()
    rows = ["item,price", *[f"{item.pk},23.00"] * amount]
    file = new_file("orders.csv", ContentFile("\n".join(rows).encode()))
    settings = {"orders": "many", "testmode": False, "status": "paid", "item": "csv:item", "price": "csv:price"}
    settings["sales_channel"] = "static:web"
    arguments = {"fileid": str(file.pk), "settings": settings, "locale": "en", "user": make_user(item).pk}
    with Measured() as measured:
        import_orders.apply(kwargs={"event": item.event.pk, "charset": "utf-8", **arguments}, throw=True)
    assert item.event.orders.count() == before + amount
    return measured.found


def new_file(name: str, content: ContentFile | None = None) -> CachedFile:
    file = CachedFile.objects.create(date=now(), expires=now(), filename=name, type="application/octet-stream")
    if content:
        file.file.save(name, content)
    return file


def make_batch(amount: int) -> int:
    return issue_batch(the_item(), amount).pk


def issue(amount: int) -> dict:
    """
    The whole job, signals and all, while another process asks for the quota's lock again and again.

    It is counted how many queries it takes until it has that lock, and from there to the commit.
    """
    item = the_item()
    job = request_batch(item, amount)
    with shopper(item) as found, phases() as phase, Measured() as measured:
        done(job)
    return {
        **measured.found,
        "queries before": phase.queries["before"],
        "queries locked": phase.queries["locked"],
        "held": phase.longest["locked"],
        "announcing": phase.seconds["announcing"],
        **found,
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
def phases() -> Iterator[_Phases]:
    """Where one phase ends and the next begins: as the lock is taken, at the commit, and after everything."""
    found = _Phases()

    def lock(*args, **kwargs):
        lock_objects(*args, **kwargs)
        found.enter("locked")
        transaction.on_commit(lambda: found.enter("announcing"))

    with (
        mock.patch.object(quotas, "lock_objects", lock),
        connection.execute_wrapper(found.count),
    ):
        yield found
    found.enter("after")


@contextmanager
def shopper(item: Item) -> Iterator[dict]:
    """Somebody who needs the quota's lock, in another process; in the end, how long she ``waited`` at most."""
    found: dict = {}
    with beside(_shop, item.quotas.get().pk) as end:
        yield found
        found |= end()


def _shop(quota_pk: int, ready, ended) -> dict:
    """Takes the lock as the shop does."""
    quota = Quota.objects.select_related("event").get(pk=quota_pk)
    ready.set()
    longest = refused = 0
    while not ended.is_set():
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
    job = request_batch(make_other_event(), amount)
    webhook = job.event.organizer.webhooks.create(target_url="https://example.org/", enabled=True, all_events=True)
    webhook.listeners.create(action_type=action)
    with Measured() as measured:
        done(job)
    assert job.event.orders.count() == amount
    return measured.found


def announce_gift_cards(amount: int) -> dict:
    return _announce(make_other_event(issue_giftcard=True), amount)


def announce_media(amount: int) -> dict:
    item = make_other_event(media_type="barcode", media_policy="new")
    item.event.organizer.settings.reusable_media_type_barcode = True
    return _announce(item, amount)


def _announce(item: Item, amount: int) -> dict:
    job = request_batch(item, amount)
    with phases() as phase:
        done(job)
    return {"announcing": phase.seconds["announcing"]}
