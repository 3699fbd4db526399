"""
Another plugin, active everywhere: it writes down which orders it heard of, and makes trouble where it is told to.

It freezes whoever is about to store a file, if it is told to. It also takes some of the patience from our jobs, so that
tests need not wait for minutes, and where ``OFFLINESALES_ALPHABET`` is set, it leaves a worker's order codes only these
letters.
"""

import os
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from celery.signals import celeryd_init
from django.apps import AppConfig
from django.conf import settings

from .processes import wait_until

#: Seconds. The host takes that for some 200,000 orders.
SLOW_COUNT = 0.25


class Witness(AppConfig):
    name = "tests.faults.witness"

    def ready(self):
        from django.core.files.storage import FileSystemStorage
        from pretix.base.signals import (
            order_canceled,
            order_changed,
            order_paid,
            order_placed,
            order_reactivated,
            quota_availability,
        )

        from pretix_offlinesales.jobs import runner

        order_placed.connect(on_placed)
        order_paid.connect(on_paid)
        order_canceled.connect(on_canceled)
        order_changed.connect(on_changed)
        order_reactivated.connect(on_reactivated)
        quota_availability.connect(on_count)
        runner.PATIENCE = timedelta(seconds=5)
        FileSystemStorage._save = _freezing(FileSystemStorage._save)


@celeryd_init.connect
def lose_letters(**kwargs):
    from pretix_offlinesales.tickets import codes

    codes.ORDER_CODE_ALPHABET = os.environ.get("OFFLINESALES_ALPHABET", codes.ORDER_CODE_ALPHABET)


def on_placed(sender, order, **kwargs):
    _heard(order, "placed")


def on_paid(sender, order, **kwargs):
    _heard(order, "paid")


def on_canceled(sender, order, **kwargs):
    _heard(order, "canceled")


def on_changed(sender, order, **kwargs):
    _heard(order, "changed")


def on_reactivated(sender, order, **kwargs):
    _heard(order, "reactivated")


def on_count(sender, result, **kwargs):
    if _trouble(sender.organizer, "slow counts").exists():
        time.sleep(SLOW_COUNT)
    return result


def _heard(order, what):
    from pretix_offlinesales.tickets.origin import Origin  # models can't be imported before the apps are ready

    organizer = order.event.organizer
    origin = Origin.of(order)
    if origin and _trouble(organizer, f"deadly {origin.number}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    with _notes(organizer).open("a") as notes:
        notes.write(f"{what} {order.code}\n")
    if _trouble(organizer, "broken").exists():
        raise ValueError("broken plugin")


def heard(organizer) -> list[str]:
    """What was heard of this organizer's orders, such as ``placed ABCDE``, in the order of events."""
    notes = _notes(organizer)
    return notes.read_text().splitlines() if notes.exists() else []


def kill_whoever_announces(organizer, number: int) -> None:
    """Hearing of the ticket of this number ends the process without a word, as running out of memory does."""
    _trouble(organizer, f"deadly {number}").touch()


def kill_nobody(organizer, number: int) -> None:
    """Whoever announces this ticket may live from now on."""
    _trouble(organizer, f"deadly {number}").unlink()


def slow_down_counts(organizer) -> None:
    """Quotas take as long to count as those of a large event."""
    _trouble(organizer, "slow counts").touch()


def raise_errors(organizer) -> None:
    _trouble(organizer, "broken").touch()


def freeze_whoever_stores(suffix: str) -> None:
    """The next process that is about to store such a file stops, as a machine does that is suspended."""
    Path(settings.DATA_DIR, f"freeze{suffix}").touch()


def frozen() -> int | None:
    """The process that was stopped."""
    with suppress(FileNotFoundError, ValueError):
        return int(Path(settings.DATA_DIR, "frozen").read_text())


def thaw() -> None:
    """Returns when it has stored its file."""
    os.kill(frozen(), signal.SIGCONT)
    wait_until(lambda: not frozen())


def _freezing(save):
    def freeze_and_save(storage, name, content):
        notes = Path(settings.DATA_DIR, "frozen")
        with suppress(FileNotFoundError):
            Path(settings.DATA_DIR, f"freeze{Path(name).suffix}").unlink()  # Only one process can do that.
            notes.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)
            try:
                return save(storage, name, content)
            finally:
                notes.unlink()
        return save(storage, name, content)

    return freeze_and_save


def _notes(organizer) -> Path:
    return Path(settings.DATA_DIR, f"{organizer.slug} notes")


def _trouble(organizer, kind) -> Path:
    return Path(settings.DATA_DIR, f"{organizer.slug} {kind}")
