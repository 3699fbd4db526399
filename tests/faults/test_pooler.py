"""PgBouncer with two connections to the database, for jobs that need two each."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from pretix_offlinesales.models import Job
from tests.faults.processes import answers

from .moments import job_of
from .processes import Pooler, Server, wait_until

pytestmark = [pytest.mark.servers, pytest.mark.pgbouncer, pytest.mark.usefixtures("layout")]

AMOUNT = 1_000


@pytest.fixture
def pooler(servers):
    pooler = Pooler("transaction", connections=2, patience=30)
    yield pooler
    pooler.kill()


@pytest.fixture
def start_server(pooler, broker):
    """``start_server()``: a web server behind the pooler."""
    started = []

    def start_server(**environment):
        server = Server("web behind a pooler", **pooler.environment | environment)
        started.append(server)
        wait_until(lambda: answers(server), pause=0.1)
        return server

    yield start_server
    for server in started:
        server.kill()


def ask_at_once(client, wanted, jobs):
    """Where to check these jobs. With a key, the host keeps the answer, and needs the database once more for that."""

    def ask(key):
        response = client.post(body=wanted | {"amount": AMOUNT}, headers={"X-Idempotency-Key": key})
        assert response.status_code == 202, response.text
        return response.json()["check"]

    with ThreadPoolExecutor(jobs) as clients:
        return list(clients.map(ask, [str(uuid4()) for _ in range(jobs)]))


def all_are_made(client, checks, whole):
    for check in checks:
        response = client.wait(check, seconds=120)
        assert response.status_code == 200, response.text
        assert whole(response.json()["id"], AMOUNT)
    return True


@pytest.mark.parametrize("jobs", [2, 4])
def test_workers_get_by_with_two_connections(
    pooler, start_server, start_worker, client_of, wanted, whole, nothing_left_over, jobs
):
    start_worker(processes=jobs, ready=True, **pooler.environment)
    client = client_of(server=start_server())
    assert all_are_made(client, ask_at_once(client, wanted, jobs), whole)
    assert nothing_left_over(*[AMOUNT] * jobs)


@pytest.mark.parametrize("jobs", [2, 4])
def test_so_does_a_web_server_without_workers_and_whoever_asks_is_answered(
    start_server, client_of, wanted, whole, nothing_left_over, event, jobs
):
    client = client_of(server=start_server(PRETIX_OFFLINESALES_TEST_WITHOUT_CELERY="yes"))
    checks = ask_at_once(client, wanted, jobs)
    assert {job_of(check) for check in checks} == set(Job.objects.filter(event=event))
    assert all_are_made(client, checks, whole)
    assert nothing_left_over(*[AMOUNT] * jobs)
