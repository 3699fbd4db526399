"""Whether anybody still works on a job: a lock on PostgreSQL, a heartbeat elsewhere."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest
from django.db import connection
from django.utils.timezone import now

from pretix_offlinesales.jobs import lock
from pretix_offlinesales.jobs.lock import INTERVAL, SILENCE, is_abandoned, locked
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job, JobLost


@pytest.fixture
def job(event):
    return Job.objects.create(event=event, kind=ISSUE.identifier, state=Job.State.RUNNING, attempts=1, locale="en")


@pytest.fixture
def other(event):
    return Job.objects.create(event=event, kind=ISSUE.identifier, state=Job.State.RUNNING, attempts=1, locale="en")


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [value for (value,) in cursor.fetchall()]


def holders():
    return sql(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        lock.JOB_LOCK,
    )


def gone_soon(job):
    """The server needs a moment to notice."""
    for _ in range(50):
        if is_abandoned(job):
            return True
        sleep(0.02)
    return False


def work_a_moment(job):
    try:
        with locked(job):
            return True
    finally:
        connection.close()


@pytest.mark.postgresql
def test_a_job_is_abandoned_when_nobody_holds_its_lock(job, other):
    assert is_abandoned(job)
    with locked(job):
        assert (is_abandoned(job), is_abandoned(other)) == (False, True)
        with locked(other):
            assert (is_abandoned(job), is_abandoned(other)) == (False, False)
    assert gone_soon(job)
    assert gone_soon(other)


@pytest.mark.postgresql
def test_whoever_comes_while_another_leaves_waits_for_a_moment(job):
    with ThreadPoolExecutor(1) as pool:
        with locked(job):
            successor = pool.submit(work_a_moment, job)
            sleep(0.3)
        assert successor.result()


@pytest.mark.postgresql
def test_nobody_else_can_work_on_it(job):
    with locked(job):
        with pytest.raises(JobLost, match=f"Somebody else works on job issue {job.pk}"), locked(job):
            pass
        assert not is_abandoned(job)


@pytest.mark.postgresql
def test_whoever_has_lost_the_lock_is_told_every_time(job):
    with locked(job) as check:
        [pid] = holders()
        check()
        sql("SELECT pg_terminate_backend(%s)", pid)
        for _ in range(2):
            sleep(INTERVAL)
            with pytest.raises(JobLost, match="was lost"):
                check()
    assert gone_soon(job)


@pytest.mark.postgresql
def test_an_operators_timeouts_do_not_take_the_lock(job, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"options": "-c idle_in_transaction_session_timeout=50"})
    with locked(job) as check:
        sleep(0.2)
        check()
        assert not is_abandoned(job)


@pytest.fixture
def silent_port():
    """Of a server that takes connections and says nothing, as a pooler that has none left."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.postgresql
@pytest.mark.parametrize("silent", [True, False], ids=["silent", "refused"])
def test_whoever_gets_no_connection_for_the_lock_leaves_the_job_waiting(job, silent_port, monkeypatch, silent):
    monkeypatch.setattr(lock, "ACQUIRED_WITHIN", (2, 2))
    monkeypatch.setitem(connection.settings_dict, "PORT", str(silent_port if silent else 1))
    with pytest.raises(JobLost, match="not enough connections"), locked(job):
        pass
    assert is_abandoned(job)


@pytest.mark.postgresql
def test_whoever_gets_no_connection_to_work_with_gives_the_lock_back(job, monkeypatch):
    """So that somebody else gets one: here it is had at last because the lock is gone."""
    monkeypatch.setattr(lock, "ACQUIRED_WITHIN", (0.5, 0.5))

    def wait_for_the_lock_to_go(execute, sql, params, many, context):
        if sql.startswith("SET tcp_keepalives"):
            assert gone_soon(job)
        return execute(sql, params, many, context)

    lost = pytest.raises(JobLost, match="not enough connections")
    with connection.execute_wrapper(wait_for_the_lock_to_go), lost, locked(job):
        pass


@pytest.mark.sqlite
def test_a_job_is_abandoned_when_its_worker_was_not_heard_of_for_long(job):
    job.heartbeat = now() - SILENCE + timedelta(seconds=10)
    assert not is_abandoned(job)
    job.heartbeat = now() - SILENCE
    assert is_abandoned(job)


@pytest.mark.sqlite
def test_the_worker_is_heard_of_now_and_then(job, monkeypatch):
    Job.objects.update(heartbeat=now() - SILENCE)
    with locked(job) as check:
        check()
        assert is_abandoned(Job.objects.get(pk=job.pk))
    monkeypatch.setattr(lock, "BEAT", 0)
    with locked(job) as check:
        check()
        assert not is_abandoned(Job.objects.get(pk=job.pk))


@pytest.mark.sqlite
def test_whoever_has_lost_the_job_learns_it_by_the_heartbeat(job, monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0)
    with locked(job) as check:
        Job.objects.update(attempts=2)
        with pytest.raises(JobLost):
            check()
