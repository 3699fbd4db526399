"""A pretix without Celery, whose requests may be killed: what the documentation says is safe makes nothing twice."""

import pytest
import requests

from pretix_offlinesales.models import Job
from tests.faults.processes import answers

from . import witness
from .processes import Server, wait_until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]


@pytest.fixture
def server(unblocked, broker):
    server = Server("web without Celery", PRETIX_OFFLINESALES_TEST_WITHOUT_CELERY="yes")
    try:
        wait_until(lambda: answers(server), pause=0.1)
        yield server
    finally:
        server.kill()


def test_a_request_that_is_killed_after_the_commit(client, event, organizer, wanted, token, whole, nothing_left_over):
    witness.kill_whoever_announces(organizer, 30)
    request = {"body": wanted | {"amount": 50}, "headers": {"X-Idempotency-Key": "a"}}
    with pytest.raises(requests.ConnectionError):
        client.post(**request)
    witness.kill_nobody(organizer, 30)
    assert event.orders.count() == 50

    again = client.post(**request)
    assert (again.status_code, again.json()) == (409, {"detail": "Concurrent request with idempotency key."})
    assert client.get(client.address()).json()["results"] == []

    [job] = client.get(client.address("jobs/?kind=issue")).json()["results"]
    assert (job["state"], job["amount"], job["batch"]) == ("running", 50, None)
    assert job["requested_by"] == {"type": "token", "name": token.name}
    batch = client.wait(job["check"])
    assert batch.status_code == 200
    assert whole(batch.json()["id"], 50) and nothing_left_over(50)
    [job] = client.get(client.address("jobs/")).json()["results"]
    assert (job["state"], job["batch"]) == ("succeeded", batch.json()["id"])
    assert Job.objects.get(event=event).attempts == 2
