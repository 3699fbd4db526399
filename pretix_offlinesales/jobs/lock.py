"""
Does anybody still work on this job?

A worker may be killed at any moment, and Celery says nothing about it. So whoever works on a job holds a lock that goes
when its process goes: on PostgreSQL, an advisory lock of a transaction that is kept open on a connection of its own
(poolers that hand out connections by transaction keep it whole). Where there is no such lock, the job counts as
abandoned when its worker has not been heard of for a while.
"""

import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic, sleep

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils.timezone import now

from ..db.queries import drop_broken_connection
from ..models import Job, JobLost
from .registry import kind_of

#: Our key in PostgreSQL's space of two-integer advisory locks; the host's locks use the space of single integers.
JOB_LOCK = 0x0FF5A1F

#: After so much silence nobody works on a job any more, where only its heartbeat tells.
SILENCE = timedelta(minutes=5)

#: How often the lock is tried, ten times a second.
TRIES = 20

#: Seconds in which a connection with the lock and one to work with are had, or neither: somewhere between these, so
#: that of two who wait for each other, one goes on.
ACQUIRED_WITHIN = (4, 7)

#: The lock is checked no more often than this, in seconds. Nobody else gets to work in so little time.
INTERVAL = 0.02

#: And a heartbeat is written no more often than this.
BEAT = 30

#: The transaction that holds the lock does nothing for long, and may. A machine that is gone without a word, so that
#: its connections stay, is missed after a minute.
KEEPALIVE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
SETTINGS = {"idle_in_transaction_session_timeout": "0", **KEEPALIVE}


@contextmanager
def locked(job: Job) -> Iterator[Callable[[], None]]:
    """
    Hold the lock of this job, and yield a function to be called often. It raises ``JobLost`` if the lock was lost, for
    example because the database was restarted; without such a lock it writes the job's heartbeat.

    :raises JobLost: if somebody else works on it, and it is not one that several can work on; or if the database has no
        two connections for us now
    """
    if connection.vendor != "postgresql":
        yield _at_most_every(BEAT, lambda: job.update(heartbeat=now()))
        return
    own = connection.copy()
    try:
        cursor = _acquire(own, job)

        def check():
            try:
                cursor.execute("SELECT 1")
            except Error as error:
                raise JobLost(f"The lock of job {job} was lost") from error

        yield _at_most_every(INTERVAL, check)
    finally:
        own.close()


def _acquire(own: BaseDatabaseWrapper, job: Job) -> CursorWrapper:
    """
    A cursor of the transaction that holds the lock.

    Behind a pooler, connections may be few. If locks took them all, all who hold one would wait for a connection to
    work with, for ever. So nobody keeps a lock who has not got such a connection, too: then there is always one that
    is no lock's, and whoever needs one gets it in turn.

    :param own: a connection that is not open yet
    :raises JobLost: as ``locked``
    """
    seconds = random.uniform(*ACQUIRED_WITHIN)
    own.settings_dict["OPTIONS"] = own.settings_dict.get("OPTIONS", {}) | {"connect_timeout": int(seconds)}
    try:
        own.set_autocommit(False)
        with _hung_up_after(seconds, own.connection.fileno()):
            cursor = own.cursor()
            cursor.execute("; ".join(f"SET LOCAL {name} = {value}" for name, value in SETTINGS.items()))
            _lock(cursor, job)
            with connection.cursor() as to_work_with:
                # It holds locks of rows, which nobody else could get before it is missed, too.
                to_work_with.execute("; ".join(f"SET {name} = {value}" for name, value in KEEPALIVE.items()))
            cursor.execute("SELECT 1")  # we may just have got what had been taken from us
        return cursor
    except Error as error:
        drop_broken_connection()
        raise JobLost(f"There are not enough connections to the database to work on job {job}") from error


@contextmanager
def _hung_up_after(seconds: float, descriptor: int) -> Iterator[None]:
    """Whoever waits for an answer on this connection gets an error then, and the server or pooler gets it back."""
    with socket.socket(fileno=os.dup(descriptor)) as line:
        timer = threading.Timer(seconds, _hang_up, [line])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        line.shutdown(socket.SHUT_RDWR)


def _lock(cursor: CursorWrapper, job: Job) -> None:
    """Whoever worked on it before may not be quite gone."""
    function = "pg_try_advisory_xact_lock_shared" if kind_of(job).is_shared else "pg_try_advisory_xact_lock"
    for _attempt in range(TRIES):
        cursor.execute(f"SELECT {function}(%s, %s)", [JOB_LOCK, _key(job)])
        if cursor.fetchone() == (True,):
            return
        sleep(0.1)
    raise JobLost(f"Somebody else works on job {job}")


def _at_most_every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    last = monotonic()

    def sparingly():
        nonlocal last
        if monotonic() - last >= seconds:
            act()
            last = monotonic()

    return sparingly


def is_abandoned(job: Job) -> bool:
    """Is a job that is said to be running left by its worker?"""
    if connection.vendor != "postgresql":
        return job.heartbeat < now() - SILENCE
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [JOB_LOCK, _key(job)],
        )
        return cursor.fetchone() is None


def _key(job: Job) -> int:
    return job.pk.int % 2**31
