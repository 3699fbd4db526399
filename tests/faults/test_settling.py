"""Workers that die while a statement is settled: each order is paid once, and everybody hears of it."""

import random
from collections import Counter
from time import sleep

import pytest
from django.db.models import Count
from django.utils.timezone import now
from pretix.base.models import LogEntry

from pretix_offlinesales import tasks
from pretix_offlinesales.models import Job, OfflineSalesTicket
from tests.support.consignment import paid, stated
from tests.support.sellers import make_seller

from . import witness
from .moments import at
from .processes import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]

AMOUNT = 1_000


@pytest.fixture
def statement(client, worker, organizer, event):
    """All of a batch on consignment, and the worker that made it."""
    pk = client.wait(client.ask(amount=AMOUNT, consignment=True)).json()["id"]
    return stated(make_seller(organizer), f"1-{AMOUNT}", event.offline_sales_batches.get(pk=pk)), worker


@pytest.mark.parametrize("percents", [(20, 60), (75,)])
def test_kill_9_pays_each_order_once(statement, hit, event, organizer, percents):
    statement, worker = statement
    [job] = paid(statement)
    tasks.start(job)
    chance = random.Random(sum(percents))
    for attempt, percent in enumerate(percents, start=1):
        at(percent)(job, attempt)
        sleep(chance.uniform(0, 0.2))
        worker = hit(worker)

    def ended():
        job.refresh_from_db()
        tasks.recover(job)  # as whoever looks at it
        return job.finished

    wait_until(ended, pause=0.5)
    assert (job.state, job.message) == (Job.State.SUCCEEDED, "")
    orders = event.orders.annotate(paid=Count("payments", distinct=True), lines=Count("transactions", distinct=True))
    assert Counter(orders.values_list("status", "paid", "lines", "payments__provider")) == {
        ("p", 1, 1, "offlinesales"): AMOUNT
    }
    assert {order.pending_sum for order in orders[:20]} == {0}
    assert OfflineSalesTicket.objects.filter(batch__event=event, settled__lte=now()).count() == AMOUNT
    codes = set(orders.values_list("code", flat=True))
    assert codes == {note.removeprefix("paid ") for note in witness.heard(organizer) if note.startswith("paid ")}
    written = Counter(LogEntry.objects.filter(event=event).values_list("action_type", flat=True))
    of_orders = ("pretix.event.order.payment.confirmed", "pretix.event.order.paid", "pretix_offlinesales.order.settled")
    assert [written[action] for action in (*of_orders, "pretix_offlinesales.batch.settled")] == [AMOUNT] * 3 + [1]
