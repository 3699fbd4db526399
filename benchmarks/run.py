"""What is measured, in which world, and how it is told."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from django_scopes import scopes_disabled

from . import after_sale, floors, handing_over, issuing, printing, reading, settling
from .apart import apart
from .table import Line, number, show
from .world import SIZES, copied_world


@dataclass(frozen=True)
class Host:
    """With how many tickets the host is measured. It takes one after the other, so that more would not tell more."""

    imports: int
    #: Its API for rendering takes no more than 1,000.
    prints: int
    cancels: int


FEW, MANY = Host(200, 100, 50), Host(1_000, 1_000, 200)

#: Gift cards and media are announced at the host's pace.
SLOWLY_ANNOUNCED = 500
#: The host's list of orders as a file takes minutes for more.
HOST_REPORTS = 1_000
#: Who share the tickets of the event.
SELLERS = 1_000
#: What is over in less, in seconds, is measured twice in the large world, and the faster one counts: what else the
#: machine does, such as the housekeeping of the database, would be a large part of it.
SHORT = 30


def small() -> None:
    with _run(), copied_world(SIZES[0]):
        show(f"1,000 tickets, in an event that has {SIZES[0]:,}", _lines(SIZES[0], 1_000, FEW))


def large() -> None:
    from .chart import draw

    with _run():
        with copied_world(SIZES[-1]):
            show(f"10,000 tickets, in an event that has {SIZES[-1]:,}", _lines(SIZES[-1], 10_000, MANY, again=True))
        growth = {}
        for size in SIZES:
            with copied_world(size):
                growth[size] = _growth(10_000)
        _show_growth(growth)
        draw(growth)


class _run:
    """Says at first where it runs, and how long it took in the end."""

    def __enter__(self):
        self._start = time.monotonic()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        print(f"pretix {version('pretix')}, Python {platform.python_version()}, PostgreSQL, {cores} cores", flush=True)

    def __exit__(self, *exc_info):
        print(f"\nAll of this took {(time.monotonic() - self._start) / 60:.1f} minutes.")


def run(function: Callable, *arguments) -> Any:
    """In a process of its own, on the copy that is in use."""
    return apart(_call, function, *arguments)


def _call(function, *arguments):
    with scopes_disabled():
        return function(*arguments)


def _life(amount: int) -> dict[str, dict]:
    """What a batch goes through."""
    batch = run(issuing.make_batch, amount)
    return {
        "render": run(printing.render, batch),
        "print": run(printing.print_one, batch),
        "return": run(after_sale.return_all, batch),
        "undo": run(after_sale.undo_all, batch),
        "declare": run(after_sale.declare_all, batch),
        "replace": run(after_sale.replace_all, batch),
    }


def _best(measure: Callable[[], dict[str, dict]], again: bool) -> dict[str, dict]:
    """Of each, the faster one."""
    first = measure()
    if not again or all(each["seconds"] >= SHORT for each in first.values()):
        return first
    second = measure()
    return {name: min(first[name], second[name], key=lambda each: each["seconds"]) for name in first}


def _lines(tickets: int, amount: int, host: Host, again: bool = False) -> Iterator[Line]:
    """All that is measured with a batch of this size, in the world of that one."""
    yield from _issuing(amount, host, again)
    batch = run(issuing.make_batch, amount)
    life = _best(lambda: _life(amount), again)
    yield from _printing(batch, amount, host, life)
    yield from _after_sale(amount, host, life)
    yield from _reading(batch)
    yield from _reports(tickets)
    yield from _floors(batch, amount)
    yield from _sellers()


def _issuing(amount: int, host: Host, again: bool) -> Iterator[Line]:
    imported = run(issuing.host_import, host.imports)
    issued = _best(lambda: {"issue": run(issuing.issue, amount)}, again)["issue"]
    yield _each("issuing, ms a ticket", issued, amount, imported, host.imports)
    yield Line("  memory above the start, MB", issued["megabytes"], imported["megabytes"])
    yield Line("  takes, s", issued["seconds"], cpu=issued["cpu"])
    yield Line("  longest wait of others for the lock, s", issued["waited"])
    yield Line("  we had it for, s", issued["held"])
    yield Line("  queries before the lock", issued["queries before"])
    yield Line("  queries while we have it", issued["queries locked"])
    yield Line("  announcing, ms a ticket", 1000 * issued["announcing"] / amount)
    handed = _best(lambda: {"hand over": run(handing_over.hand_over_all, amount)}, again)["hand over"]
    ratio = f"{issued['seconds'] / handed['seconds']:.0f}×"
    label = "handing over, ms a ticket (ratio: to issuing)"
    yield Line(label, 1000 * handed["seconds"] / amount, None, handed["cpu"], ratio)
    of_host = run(settling.host_confirm, host.cancels)
    found = _best(lambda: run(settling.state_and_settle, amount), again)
    yield _each("stating, ms a ticket", found["state"], amount)
    yield _each("settling, ms a ticket", found["settle"], amount, of_host, host.cancels)
    yield Line("  longest wait at the door, s", found["settle"]["held"])
    for label, measure in (
        ("  while a webhook hears of other things, s", issuing.issue_with_webhook),
        ("  while one hears of paid orders, s", issuing.issue_with_webhook_of_orders),
    ):
        heard = run(measure, amount)
        yield Line(label, heard["seconds"], cpu=heard["cpu"])
    slowly = min(amount, SLOWLY_ANNOUNCED)
    for label, measure in (
        ("  announcing gift cards, ms a ticket", issuing.announce_gift_cards),
        ("  announcing reusable media, ms a ticket", issuing.announce_media),
    ):
        yield Line(label, 1000 * run(measure, slowly)["announcing"] / slowly)


def _printing(batch: int, amount: int, host: Host, life: dict[str, dict]) -> Iterator[Line]:
    rendered, printed = run(printing.host_print, batch, host.prints), life["print"]
    yield _each("printing, ms a ticket", printed, amount, rendered, host.prints)
    yield Line("  memory above the start, MB", printed["megabytes"], rendered["megabytes"])
    yield Line("  file, bytes a ticket", printed["bytes"] / amount, rendered["bytes"] / host.prints)
    yield Line("  takes, s", printed["seconds"], cpu=printed["cpu"])
    drawn = life["render"]
    yield Line("  without the job: only drawn, s", drawn["seconds"], cpu=drawn["cpu"])
    if amount > 1_000:  # of several parts, which workers can share
        yield Line("  by two workers, s", run(printing.print_two, batch)["seconds"])
    sheets = run(printing.print_sheets, batch)
    yield Line("  on sheets, nine on each, s", sheets["seconds"], cpu=sheets["cpu"])
    yield Line("  file of sheets, bytes a ticket", sheets["bytes"] / amount)


def _after_sale(amount: int, host: Host, life: dict[str, dict]) -> Iterator[Line]:
    of_host = run(issuing.make_batch, host.cancels)
    canceled, reactivated = run(after_sale.host_cancel, of_host), run(after_sale.host_reactivate, of_host)
    returned, undone, replaced = life["return"], life["undo"], life["replace"]
    yield _each("returning scanned codes, ms a ticket", returned, amount, canceled, host.cancels)
    yield Line("  memory above the start, MB", returned["megabytes"])
    yield Line("  sent to the database, history and all, MB", returned["bytes"] / 1e6)
    yield _each("undoing returns, ms a ticket", undone, amount, reactivated, host.cancels)
    yield Line("  memory above the start, MB", undone["megabytes"])
    yield Line("  longest wait of others for the lock, s", undone["waited"])
    yield Line("  we had it for, at most, s", undone["held"])
    yield _each("declaring as sold, ms a ticket", life["declare"], amount)
    yield Line("  memory above the start, MB", life["declare"]["megabytes"])
    yield _each("replacing codes, ms a ticket", replaced, amount)
    yield Line("  memory above the start, MB", replaced["megabytes"])


def _reading(batch: int) -> Iterator[Line]:
    pages, answers = run(reading.pages, batch), run(reading.answers, batch)
    looked = run(reading.periodic)
    yield Line("looking for unfinished work, each minute, ms", 1000 * looked["seconds"], cpu=looked["cpu"])
    yield _of("backend: batches, ms", pages, "batches", "host orders")
    yield _of("  searched by order code", pages, "batches, searched", "host orders, searched")
    yield _of("  a batch", pages, "batch", "host orders")
    yield _of("  its last page", pages, "batch, last page", "host orders, middle")
    yield _of("  orders of a batch, in the host's list", pages, "host orders, of a batch", "host orders")
    yield _of("API: batches, ms", answers, "batches", "host orders")
    yield _of("  a batch with all its orders", answers, "batch", "host orders")
    yield _of("  its tickets", answers, "tickets", "host orders")
    yield _of("  its tickets, page in the middle", answers, "tickets, middle", "host orders, middle")
    yield _of("  its tickets, 500", answers, "tickets, 500", "host orders")


def _sellers() -> Iterator[Line]:
    """They are handed all tickets, so nothing else can be measured afterwards."""
    pages = run(reading.sellers, SELLERS)
    yield _of(f"backend: list of {SELLERS} sellers, ms", pages, "sellers", "host orders")
    yield _of("  its last page", pages, "sellers, last page", "host orders")
    yield _of("  those with overdue tickets", pages, "sellers, overdue", "host orders")
    yield _of("  with the totals of all", pages, "sellers, all counted", "host orders")
    yield _of("  as CSV", pages, "sellers, export", "host orders")
    yield _of("  a seller", pages, "seller", "host orders")


def _reports(tickets: int) -> Iterator[Line]:
    reported = run(reading.report)
    listed = run(reading.host_report) if tickets <= HOST_REPORTS else {}
    yield Line("all tickets as Excel, s", reported["seconds"], listed.get("seconds"), reported["cpu"])
    yield Line("  memory above the start, MB", reported["megabytes"], listed.get("megabytes"))


def _floors(batch: int, amount: int) -> Iterator[Line]:
    """What others measure is of another batch: its rows are taken out and brought back."""
    for label, measure, of_batch in (
        ("floor: each code, by the native encoder, s", floors.codes, batch),
        ("floor: pages, compressed and written, s", floors.deflated, batch),
        ("floor: all rows of a batch, by COPY, s", floors.rows, run(issuing.make_batch, amount)),
    ):
        floor = run(measure, of_batch)
        yield Line(label, floor["seconds"], cpu=floor["cpu"])


def _each(label: str, ours: dict, amount: int, host: dict | None = None, of_host: int = 1) -> Line:
    """Milliseconds a ticket."""
    of_them = 1000 * host["seconds"] / of_host if host else None
    return Line(label, 1000 * ours["seconds"] / amount, of_them, ours["cpu"])


def _of(label: str, found: dict[str, dict], ours: str, host: str) -> Line:
    """Milliseconds."""
    return Line(label, 1000 * found[ours]["seconds"], 1000 * found[host]["seconds"], found[ours]["cpu"])


def _growth(amount: int) -> dict[str, dict[str, float]]:
    """What may grow with the event: milliseconds a ticket, and a page."""
    issued, life = run(issuing.issue, amount), _life(amount)
    batch = run(issuing.make_batch, amount)
    pages, answers = run(reading.pages, batch), run(reading.answers, batch)
    jobs = {"issuing": issued, "printing": life["print"], "returning": life["return"], "undoing": life["undo"]}
    jobs["replacing"] = life["replace"]
    read = {
        "host: orders": pages["host orders"],
        "batches": pages["batches"],
        "batches, searched": pages["batches, searched"],
        "a batch, last page": pages["batch, last page"],
        "API: tickets, page in the middle": answers["tickets, middle"],
    }
    return {
        "jobs": {name: 1000 * each["seconds"] / amount for name, each in jobs.items()},
        "pages": {name: 1000 * each["seconds"] for name, each in read.items()},
        "lock": {"issuing": 1000 * issued["waited"], "undoing": 1000 * life["undo"]["waited"]},
    }


TITLES = {
    "jobs": "10,000 tickets, ms a ticket",
    "pages": "Pages and answers, ms",
    "lock": "Longest wait for the lock, ms",
}


def _show_growth(growth: dict[int, dict[str, dict[str, float]]]) -> None:
    """A table for each of the titles: a column for each size of the event."""
    sizes = list(growth)
    for key, title in TITLES.items():
        print(f"\n{title + ', in an event of':<52}" + "".join(f"{size:>10,}" for size in sizes))
        for name in growth[sizes[0]][key]:
            print(f"{name:<52}" + "".join(f"{number(growth[size][key][name]):>10}" for size in sizes))
