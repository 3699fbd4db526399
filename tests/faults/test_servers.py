"""PostgreSQL and the broker go away, or forget: nothing half made, and always an end."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest
from django.db import connection
from pretix.base.signals import periodic_task

from pretix_offlinesales import tasks
from pretix_offlinesales.jobs.lock import JOB_LOCK
from pretix_offlinesales.models import Job

from .moments import at, claimed, committed, inserting, job_of
from .processes import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]


# The broker


def queued(servers):
    """How many tasks wait for a worker. (Redis has a list for each priority.)"""
    return sum(servers.redis.llen(key) for key in servers.redis.keys("background*"))


def test_the_broker_forgets_a_waiting_job(servers, client, start_worker, whole):
    check = client.ask(amount=50)
    servers.redis.flushdb()
    start_worker()
    assert whole(client.wait(check).json()["id"], 50)


def test_the_broker_forgets_everything_while_jobs_run(servers, client, worker, whole, event):
    check = client.ask(amount=2_000)
    committed(job_of(check))
    servers.redis.flushdb()
    assert whole(client.wait(check).json()["id"], 2_000)
    download = client.ask_to_print(client.get(check).json()["id"])
    at(20)(job_of(download))
    servers.redis.flushdb()
    assert client.wait(download).status_code == 200
    assert list(Job.objects.filter(event=event).values_list("attempts", flat=True)) == [1, 1]


def test_the_periodic_task_is_enough(servers, client, start_worker, whole):
    """Nobody asks, the broker has forgotten everything, the worker is dead."""
    worker = start_worker()
    check = client.ask(amount=2_000)
    job = job_of(check)
    claimed(job)
    worker.kill()
    servers.redis.flushdb()
    start_worker()

    def ended():
        periodic_task.send(None)
        job.refresh_from_db()
        return job.finished

    wait_until(ended, pause=1)
    assert whole(client.get(check).json()["id"], 2_000)


def test_a_worker_that_starts_is_enough(servers, client, start_worker, whole):
    """Nobody asks, not even the periodic task."""
    worker = start_worker()
    check = client.ask(amount=2_000)
    job = job_of(check)
    claimed(job)
    worker.kill()
    start_worker()
    wait_until(lambda: Job.objects.get(pk=job.pk).finished)
    assert whole(client.get(check).json()["id"], 2_000)


def test_the_broker_is_down_when_somebody_asks(client, wire, start_worker, whole):
    wire.cut()
    try:
        begin = monotonic()
        check = client.ask(amount=50)
        assert monotonic() - begin < 5
        response = client.get(check)
        assert (response.status_code, response.json()) == (409, {"status": "waiting"})
    finally:
        wire.mend()
    start_worker()
    assert whole(client.wait(check).json()["id"], 50)


def test_the_broker_is_restarted_while_a_job_runs(client, wire, worker, whole):
    check = client.ask(amount=3_000)
    committed(job_of(check))
    wire.cut()
    sleep(1)
    wire.mend()
    assert whole(client.wait(check).json()["id"], 3_000)
    assert whole(client.wait(client.ask(amount=50)).json()["id"], 50)


# The cache


def test_the_cache_is_away_for_a_while(client, cache_wire, start_worker, whole, nothing_left_over):
    """The host keeps there what it has counted, and cannot count without."""
    checks = [client.ask(amount=50) for _ in range(4)]
    cache_wire.cut()
    try:
        start_worker()
        wait_until(lambda: {job_of(check).interruptions for check in checks} == {1})
        assert {job_of(check).state for check in checks} == {Job.State.WAITING}
    finally:
        cache_wire.mend()
    assert all(whole(client.wait(check).json()["id"], 50) for check in checks)
    assert nothing_left_over(50, 50, 50, 50)


# Tasks that come twice


def deliver(job):
    tasks.run_job.apply_async(kwargs={"event": job.event_id, "job": str(job.pk)})


def test_a_task_that_is_delivered_twice_at_once_and_later(servers, client, start_worker, whole, nothing_left_over):
    check = client.ask(amount=1_000)
    job = job_of(check)
    for _ in range(3):
        deliver(job)
    start_worker(processes=4)
    claimed(job)
    deliver(job)
    response = client.wait(check)
    deliver(job)
    wait_until(lambda: not queued(servers))
    assert whole(response.json()["id"], 1_000)
    assert nothing_left_over(1_000)
    assert Job.objects.get(pk=job.pk).attempts == 1


def test_checks_that_find_an_interrupted_job_at_once_recover_it_once(servers, client, start_worker, whole):
    worker = start_worker()
    check = client.ask(amount=1_000)
    claimed(job_of(check))
    worker.kill()
    before = queued(servers)
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: client.get(check).status_code, range(8)))
    assert (answers, queued(servers) - before) == ([409] * 8, 1)
    start_worker()
    assert whole(client.wait(check).json()["id"], 1_000)
    assert job_of(check).attempts == 2


# The database


@pytest.fixture
def disconnect(servers):
    """``disconnect()``: the database ends all connections, or those that a query names, as a restart does."""

    def disconnect(which="SELECT pid FROM pg_stat_activity WHERE datname = %s", *values):
        connection.close()
        servers.sql.execute(
            f"SELECT count(pg_terminate_backend(pid)) FROM ({which}) connections",
            values or [connection.settings_dict["NAME"]],
        )
        [count] = servers.sql.fetchone()
        return count

    return disconnect


@pytest.mark.parametrize(
    "moment",
    [claimed, inserting, committed, at(70)],
    ids=["at the beginning", "at the commit", "after it", "while announcing"],
)
def test_the_database_is_restarted_while_a_batch_is_issued(
    client, worker, disconnect, whole, nothing_left_over, moment
):
    check = client.ask(amount=3_000)
    moment(job_of(check))
    sleep(0.05)
    assert disconnect() >= 2
    response = client.wait(check)
    assert response.status_code == 200, response.text
    assert whole(response.json()["id"], 3_000)
    assert nothing_left_over(3_000)


def test_the_database_is_restarted_while_a_batch_is_printed(client, worker, disconnect):
    check = client.ask(amount=1_500)
    download = client.ask_to_print(client.wait(check).json()["id"])
    at(30)(job_of(download))
    assert disconnect() >= 2
    response = client.wait(download)
    assert (response.status_code, response.content[:5]) == (200, b"%PDF-")


@pytest.mark.parametrize("moment", [inserting, committed], ids=["before the commit", "after it"])
def test_only_the_lock_of_a_job_is_lost(client, worker, disconnect, whole, nothing_left_over, moment):
    """The worker notices and stops, before somebody else has taken over."""
    check = client.ask(amount=3_000)
    moment(job_of(check))
    lock = "locktype = 'advisory' AND classid = %s AND database = (SELECT oid FROM pg_database WHERE datname = %s)"
    ended = disconnect(f"SELECT pid FROM pg_locks WHERE {lock}", JOB_LOCK, connection.settings_dict["NAME"])
    assert ended == 1
    response = client.wait(check)
    assert response.status_code == 200, response.text
    assert whole(response.json()["id"], 3_000)
    assert nothing_left_over(3_000)
    assert job_of(check).attempts == 2


def test_a_database_that_goes_away_again_and_again_does_not_end_what_gets_on(client, worker, disconnect, asking):
    """Each attempt comes further than the one before."""
    batch = client.wait(client.ask(amount=2_000)).json()["id"]
    check = client.post(f"{batch}/return/", {"all": True, "dry_run": True}).json()["check"]
    asking(client, check)
    job = job_of(check)
    for attempt, percent in enumerate((15, 35, 55, 75), start=1):
        at(percent)(job, attempt)
        assert disconnect() >= 2
    response = client.wait(check)
    assert (response.status_code, len(response.json()["returned"])) == (200, 2_000)
    assert job_of(check).attempts == 5
