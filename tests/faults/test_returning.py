"""
Workers that die while tickets are returned, made valid again, replaced, or reported lost: each is dealt with once, and
everybody hears of it.
"""

import random
from time import sleep

import pytest
from django.db.models import Count
from pretix.base.models import LogEntry, Order, OrderPosition
from pretix.base.models.orders import BlockedTicketSecret

from . import witness
from .moments import at, job_of

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("layout")]

AMOUNT = 1_000


@pytest.fixture
def batch(client, worker):
    """The key of a batch, and the worker that made it."""
    return client.wait(client.ask(amount=AMOUNT)).json()["id"], worker


def struck(client, hit, batch, worker, what, *percents, **values):
    """Ask for it, kill a worker each time that it has come so far, and get the answer."""
    chance = random.Random(what)
    response = client.post(f"{batch}/{what}/", {"all": True, **values})
    assert response.status_code == 202, response.text
    check = response.json()["check"]
    job = job_of(check)
    for attempt, percent in enumerate(percents, start=1):
        at(percent)(job, attempt)
        sleep(chance.uniform(0, 0.2))
        worker = hit(worker)
        client.get(check)
    return client.wait(check).json()


def test_kill_9_returns_each_ticket_once(client, hit, batch, event, organizer):
    pk, worker = batch
    answer = struck(client, hit, pk, worker, "return", 20, 60)
    codes = list(Order.objects.filter(offline_sales_ticket__batch=pk).values_list("code", flat=True))
    assert (sorted(answer["returned"]), answer["skipped"]) == (sorted(codes), [])
    orders = event.orders.annotate(refunded=Count("refunds", distinct=True), lines=Count("transactions", distinct=True))
    assert set(orders.values_list("status", "refunded", "lines")) == {("c", 1, 2)}
    assert {order.pending_sum for order in orders[:20]} == {0}
    assert set(codes) == {note.removeprefix("canceled ") for note in witness.heard(organizer) if "canceled" in note}
    written = LogEntry.objects.filter(event=event, action_type="pretix.event.order.canceled")
    assert written.count() == AMOUNT


def test_kill_9_undoes_each_return_once(client, hit, batch, event, organizer):
    pk, worker = batch
    client.wait(client.post(f"{pk}/return/", {"all": True}).json()["check"])
    answer = struck(client, hit, pk, worker, "undo", 20)
    codes = list(Order.objects.filter(offline_sales_ticket__batch=pk).values_list("code", flat=True))
    assert (sorted(answer["undone"]), answer["skipped"]) == (sorted(codes), [])
    orders = event.orders.annotate(
        paid=Count("payments", distinct=True),
        refunded=Count("refunds", distinct=True),
        lines=Count("transactions", distinct=True),
    )
    assert set(orders.values_list("status", "paid", "refunded", "lines")) == {("p", 2, 1, 3)}
    assert {order.pending_sum for order in orders[:20]} == {0}
    notes = witness.heard(organizer)
    assert set(codes) == {note.removeprefix("reactivated ") for note in notes if "reactivated" in note}
    written = LogEntry.objects.filter(event=event, action_type="pretix.event.order.reactivated")
    assert written.count() == AMOUNT


def test_kill_9_replaces_each_ticket_once(client, hit, batch, event):
    pk, worker = batch
    before = set(OrderPosition.objects.filter(order__event=event).values_list("secret", flat=True))
    answer = struck(client, hit, pk, worker, "replace", 20)
    assert (len(set(answer["replaced"])), answer["skipped"]) == (AMOUNT, [])
    after = set(OrderPosition.objects.filter(order__event=event).values_list("secret", flat=True))
    assert (len(after), after & before) == (AMOUNT, set())
    written = LogEntry.objects.filter(event=event, action_type="pretix.event.order.secret.changed")
    assert written.count() == AMOUNT


@pytest.mark.parametrize("what", ["lost", "undo"])
def test_kill_9_reports_each_ticket_lost_once_and_undoes_it_once(client, hit, batch, event, organizer, what):
    pk, worker = batch
    if what == "undo":
        client.wait(client.post(f"{pk}/lost/", {"all": True}).json()["check"])
    values, done, change, blocked = {
        "lost": ({}, "lost", "add_block", ["offlinesales:lost"]),
        "undo": ({"of": "lost"}, "undone", "remove_block", None),
    }[what]
    answer = struck(client, hit, pk, worker, what, 20, **values)
    positions = OrderPosition.objects.filter(order__offline_sales_ticket__batch=pk)
    codes = sorted(Order.objects.filter(offline_sales_ticket__batch=pk).values_list("code", flat=True))
    assert (sorted(answer[done]), answer["skipped"]) == (codes, [])
    assert [each for each in positions.values_list("blocked", flat=True) if each != blocked] == []
    rows = BlockedTicketSecret.objects.filter(event=event)
    assert set(rows.values_list("blocked", flat=True)) == {blocked is not None}
    assert sorted(rows.values_list("secret", flat=True)) == sorted(positions.values_list("secret", flat=True))
    written = LogEntry.objects.filter(event=event, action_type=f"pretix.event.order.changed.{change}")
    assert sorted(written.values_list("object_id", flat=True)) == sorted(positions.values_list("order", flat=True))
    assert set(codes) == {note.removeprefix("changed ") for note in witness.heard(organizer) if "changed" in note}
