"""
The whole run: ``python -m benchmarks``, or ``make bench``.

``BENCH_SIZES=1000`` does it with 1,000 tickets only, in three minutes.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from operator import itemgetter

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000").split(",")]

#: Gift cards and media are announced at the host's pace.
SLOWLY_ANNOUNCED = 500

POSTGRESQL = os.environ.get("PRETIX_OFFLINESALES_TEST_DATABASE") == "postgresql"

#: The host's API for rendering takes no more; its queries get too complex for SQLite before that.
HOST_PRINTS = 1_000 if POSTGRESQL else 500

#: It cancels and reactivates one order after the other, so that more would not tell more.
HOST_CANCELS = 200

#: What is over in less, in seconds, is measured twice, and the faster one counts: what else the machine does, such as
#: the housekeeping of the database, would be a large part of it.
SHORT = 30

#: That this process may use.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def main():
    start = time.monotonic()
    with ExitStack() as scratch:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
        environment["OFFLINESALES_BENCH_DIRECTORY"] = scratch.enter_context(tempfile.TemporaryDirectory())
        if POSTGRESQL:
            environment["OFFLINESALES_BENCH_DATABASE"] = scratch.enter_context(scratch_database())
            environment["OFFLINESALES_BENCH_REDIS"] = scratch.enter_context(scratch_redis())
        run = Run(environment)
        print(f"pretix {version('pretix')}, Python {platform.python_version()}, {run.database}, {CORES} cores")
        for size in SIZES:
            print_table(run, size)
    print(f"\nAll of this took {(time.monotonic() - start) / 60:.1f} minutes.")


class Run:
    """Measurements on one scratch database, each in a process and with an organizer of its own."""

    def __init__(self, environment: dict[str, str]):
        self._environment = environment
        self._python("-m", "django", "migrate", "--run-syncdb", "--verbosity=0")
        self.database = json.loads(self._python("-m", "benchmarks.measure", "database"))

    def __call__(self, name: str, amount: int) -> dict:
        measured = self._measure(name, amount)
        if measured.get("seconds", SHORT) < SHORT:
            measured = min(measured, self._measure(name, amount), key=itemgetter("seconds"))
        return measured

    def _measure(self, name: str, amount: int) -> dict:
        if sys.stderr.isatty():
            print(f"… {name} {amount:,}", end="\x1b[K\r", file=sys.stderr)
        return json.loads(self._python("-m", "benchmarks.measure", name, str(amount)))

    def _python(self, *args: str) -> str:
        command = [sys.executable, *args]
        return subprocess.run(command, env=self._environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def print_table(run: Run, size: int):
    imported, issued = run("host_import", size), run("issue", size)
    host_size = min(size, HOST_PRINTS)
    rendered, printed = run("host_print", host_size), run("print_one", size)
    canceled_size = min(size, HOST_CANCELS)
    canceled, returned = run("host_cancel", canceled_size), run("return_all", size)
    reactivated, undone = run("host_reactivate", canceled_size), run("undo_all", size)

    print(f"\n{f'{size:,} tickets':<44}{'host':>10}{'plugin':>10}{'ratio':>8}")
    row("issuing, ms a ticket", 1000 * imported["seconds"] / size, 1000 * issued["seconds"] / size)
    row("  memory above the start, MB", imported["megabytes"], issued["megabytes"])
    row(f"printing, ms a ticket{note(size)}", 1000 * rendered["seconds"] / host_size, 1000 * printed["seconds"] / size)
    row(f"  memory above the start, MB{note(size)}", rendered["megabytes"], printed["megabytes"])
    row(f"  file, bytes a ticket{note(size)}", rendered["bytes"] / host_size, printed["bytes"] / size)
    row("returning, ms a ticket **", 1000 * canceled["seconds"] / canceled_size, 1000 * returned["seconds"] / size)
    row("  memory above the start, MB", None, returned["megabytes"])
    reactivated_each = 1000 * reactivated["seconds"] / canceled_size
    row("undoing returns, ms a ticket **", reactivated_each, 1000 * undone["seconds"] / size)
    row("  memory above the start, MB", None, undone["megabytes"])
    row("issuing takes, s", None, issued["seconds"])
    if "waited" in issued:
        row("  longest wait of others for the lock, s", None, issued["waited"])
        row("  we had it for, s", None, issued["held"])
    row("  queries before the lock", None, issued["queries before"])
    row("  queries while we have it", None, issued["queries locked"])
    for label, name in (
        ("  while a webhook hears of other things, s", "issue_with_webhook"),
        ("  while one hears of paid orders, s ***", "issue_with_webhook_of_orders"),
    ):
        seconds = run(name, size)["seconds"]
        row(label, None, seconds, f"{seconds / issued['seconds']:.2f}×")
    row("  announcing plain products, ms a ticket", None, 1000 * issued["announcing"] / size)
    amount = min(size, SLOWLY_ANNOUNCED)
    row("  announcing gift cards, ms a ticket", None, 1000 * run("announce_gift_cards", amount)["announcing"] / amount)
    row("  announcing reusable media, ms a ticket", None, 1000 * run("announce_media", amount)["announcing"] / amount)
    row("printing takes, s", None, printed["seconds"])
    if size > 1_000 and POSTGRESQL:  # of several parts, which workers can share
        two = run("print_two", size)["seconds"]
        row("  by two workers, s", None, two, f"{printed['seconds'] / two:.2f}×")
    sheets = run("print_sheets", size)
    row("  on sheets, nine on each, s", None, sheets["seconds"], f"{sheets['seconds'] / printed['seconds']:.2f}×")
    per_ticket = [measured["bytes"] / size for measured in (printed, sheets)]
    row("  file of sheets, bytes a ticket", None, per_ticket[1], f"{per_ticket[1] / per_ticket[0]:.2f}×")
    row("returning takes, s", None, returned["seconds"])
    row("undoing that takes, s", None, undone["seconds"])
    if "waited" in undone:
        row("  longest wait of others for the lock, s", None, undone["waited"])
        row("  we had it for, at most, s", None, undone["held"])
    replaced = run("replace_all", size)
    row("replacing all codes takes, s", None, replaced["seconds"])
    row("  memory above the start, MB", None, replaced["megabytes"])
    answered = run("pages", size)
    row("backend: first page of 1,000 batches, ms", None, 1000 * answered["list page"])
    row("backend: page of a batch, ms", None, 1000 * answered["batch page"])
    row("API: first page of 1,000 batches, ms", None, 1000 * answered["list"])
    row("API: a batch with all its orders, ms", None, 1000 * answered["batch"])
    row("API: first page of its tickets, ms", None, 1000 * answered["tickets"])
    if size > HOST_PRINTS:
        print(f"* The host prints no more than {HOST_PRINTS:,} at once, so these were measured there.")
    print(f"** {canceled_size:,} cancellations, and reactivations, by the host.")
    print("*** With what the host does until it is about to send them.")


def note(size: int) -> str:
    return " *" if size > HOST_PRINTS else ""


def row(label: str, host: float | None, plugin: float, ratio: str | None = None):
    if host is not None:
        ratio = f"{host / plugin:.0f}×" if plugin else ""
    print(f"{label:<44}{number(host):>10}{number(plugin):>10}{ratio or '':>8}".rstrip(), flush=True)


def number(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@contextmanager
def scratch_database():
    import psycopg2

    name = f"offlinesales_bench_{os.getpid()}"
    server = psycopg2.connect(
        host=os.environ.get("PRETIX_DATABASE_HOST", "127.0.0.1"),
        port=os.environ.get("PRETIX_DATABASE_PORT") or None,
        user=os.environ.get("PRETIX_DATABASE_USER", "postgres"),
        password=os.environ.get("PRETIX_DATABASE_PASSWORD"),
        dbname="postgres",
    )
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


@contextmanager
def scratch_redis():
    """The last of the server's databases that nobody uses. The host caches by primary key, so it must be empty."""
    import redis

    server = os.environ.get("PRETIX_REDIS_LOCATION", "redis://127.0.0.1:6379")
    for number in reversed(range(16)):
        location = f"{server.rstrip('/')}/{number}"
        with redis.Redis.from_url(location) as database:
            if not database.dbsize():
                try:
                    yield location
                finally:
                    database.flushdb()
                return
    raise RuntimeError("Redis has no database that is empty")


if __name__ == "__main__":
    main()
