"""The rest of pretix hears of each order as if it had been sold alone, and nobody is disturbed."""

import logging
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import get_language
from pretix.base.models import NotificationSetting, Order
from pretix.base.signals import order_paid, order_placed

from pretix_offlinesales.issuing.announce import announce
from pretix_offlinesales.issuing.making import Making
from pretix_offlinesales.jobs import announcing
from pretix_offlinesales.jobs.registry import checkpoint
from pretix_offlinesales.models import Job, JobLost
from tests.support.receiving import receiving_server

pytestmark = pytest.mark.django_db


def at_work(job, announced):
    """The job, as a worker has it that goes on after so many tickets."""
    job.row.update(state=Job.State.RUNNING, checkpoint=checkpoint(job, announced=announced))
    return Job.objects.get(pk=job.pk)


def codes(job):
    return list(job.batch.tickets.order_by("number").values_list("order__code", flat=True))


def test_each_order_is_placed_and_then_paid(issued, event, item, quota, hear):
    heard = []
    hear(order_placed, lambda signal, sender, order, bulk, **kwargs: heard.append(("placed", order.code, bulk)))
    hear(order_paid, lambda signal, sender, order, **kwargs: heard.append(("paid", order.code)))
    expected = [words for code in codes(issued(event, item)) for words in (("placed", code, True), ("paid", code))]
    assert heard == expected


def test_a_receiver_that_raises_is_logged_and_holds_nobody_up(issued, event, item, quota, hear, caplog):
    heard = []

    def broken(signal, sender, order, **kwargs):
        raise ValueError("broken plugin")

    hear(order_placed, broken)
    hear(order_paid, lambda signal, sender, order, **kwargs: heard.append(order.code))
    with caplog.at_level(logging.ERROR):
        job = issued(event, item)

    assert (job.state, job.batch.completed is not None, heard) == ("succeeded", True, codes(job))
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [str(record.exc_info[1]) for record in errors] == ["broken plugin"] * 3


def test_goes_on_where_it_was_interrupted(issued, event, item, quota, hear):
    job = issued(event, item, amount=5)
    heard = []
    hear(order_placed, lambda signal, sender, order, **kwargs: heard.append(order.code))
    announce(Making(at_work(job, announced=3)))
    assert heard == codes(job)[3:]


def test_an_order_that_nobody_survives_is_skipped_in_the_end(issued, event, item, quota, hear, caplog):
    """Three times with all others, three times alone."""
    job = issued(event, item, amount=5)
    heard, deadly = [], codes(job)[2]

    def die_of_one(signal, sender, order, **kwargs):
        if order.code == deadly:
            raise SystemExit
        heard.append(order.code)

    hear(order_placed, die_of_one)
    job = at_work(job, announced=0)
    deaths = 0
    while job.checkpoint.get("announced", 0) < 5:
        try:
            announce(Making(job))
        except SystemExit:
            deaths += 1
            job = Job.objects.get(pk=job.pk)
    assert deaths == 6
    assert sorted(set(heard)) == sorted(set(codes(job)) - {deadly})
    assert heard.count(codes(job)[4]) == 1
    assert f"Nobody was told of NIGHT-{deadly} by job {job}: no worker survived it" in caplog.text


def test_who_has_lost_the_job_announces_nothing_more(issued, event, item, quota, hear):
    """Or an order might get two gift cards: one from us, one from whoever works on it now."""
    job = at_work(issued(event, item), announced=0)
    heard = []

    def lose_the_job():
        if len(heard) == 1:
            raise JobLost

    hear(order_placed, lambda signal, sender, order, **kwargs: heard.append(order.code))
    job.check_lock = lose_the_job
    with pytest.raises(JobLost):
        announce(Making(job))
    assert heard == codes(job)[:1]


def test_gift_cards_are_issued_once_and_become_the_secret(issued, event, item, quota):
    item.issue_giftcard = True
    item.save()
    positions = [ticket.order.positions.get() for ticket in issued(event, item).batch.tickets.all()]
    cards = [position.issued_gift_cards.get() for position in positions]
    assert [card.secret for card in cards] == [position.secret for position in positions]
    assert [card.value for card in cards] == [23] * 3


def test_orders_are_touched_after_they_could_be_seen(issued, event, item, quota, hear):
    """A scanner that synced between stamp and commit asks again from the newest stamp that it saw."""
    seen = {}
    hear(order_paid, lambda signal, sender, order, **kwargs: seen.update({order.pk: order.last_modified}))
    tickets = issued(event, item).batch.tickets.all()
    assert [ticket.order.last_modified > seen[ticket.order.pk] for ticket in tickets] == [True] * 3


def test_receivers_are_called_in_the_language_of_the_order(issued, event, item, quota, hear):
    event.settings.locales, event.settings.locale = ["de", "en"], "de"
    heard = []
    hear(order_paid, lambda signal, sender, order, **kwargs: heard.append(get_language()))
    issued(event, item)
    assert heard == ["de"] * 3


def test_webhooks_are_not_sent_again_for_what_a_receiver_writes(issued, worker, event, item, quota, hear, settings):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True

    def write(signal, sender, order, **kwargs):
        order.log_action("pretix.event.order.modified", {})

    hear(order_paid, write)
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        webhook.listeners.create(action_type="pretix.event.order.modified")
        with worker():
            job = issued(event, item)
    assert sorted(call["code"] for call in received) == sorted(codes(job))


def test_no_mail_is_sent(issued, worker, event, item, quota, team, user):
    for action in ("pretix.event.order.placed", "pretix.event.order.paid"):
        NotificationSetting.objects.create(user=user, event=event, action_type=action, method="mail", enabled=True)
    with worker():
        issued(event, item)
    assert [message.subject for message in mail.outbox] == []


def test_webhooks_are_sent_for_placed_confirmed_and_paid(issued, worker, event, item, quota, settings):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    actions = ["pretix.event.order.placed", "pretix.event.order.payment.confirmed", "pretix.event.order.paid"]
    with receiving_server() as (url, received):
        webhook = event.organizer.webhooks.create(target_url=url, enabled=True, all_events=True)
        for action in actions:
            webhook.listeners.create(action_type=action)
        with worker():
            job = issued(event, item)
    assert sorted((call["code"], call["action"]) for call in received) == sorted(
        (code, action) for code in codes(job) for action in actions
    )


def test_receivers_find_the_positions_of_each_order_as_if_they_had_asked_for_it_alone(
    issued, event, item, quota, hear, monkeypatch
):
    monkeypatch.setattr(announcing, "CHUNK", 2)
    seen = {}

    def look(signal, sender, order, **kwargs):
        again = Order.objects.get(pk=order.pk)
        for name in ("positions", "all_positions", "payments", "transactions", "all_fees"):
            seen[order.code, name] = list(getattr(order, name).all()) == list(getattr(again, name).all())
        seen[order.code, "own"] = [position.order is order for position in order.positions.all()]
        seen[order.code, "free to ask"] = order.positions.filter(canceled=True).count()

    hear(order_paid, look)
    job = issued(event, item, amount=5)

    relations = ("positions", "all_positions", "payments", "transactions", "all_fees")
    expected = {(code, name): True for code in codes(job) for name in relations}
    expected |= {(code, "own"): [True] for code in codes(job)} | {(code, "free to ask"): 0 for code in codes(job)}
    assert seen == expected


def test_no_query_for_each_order_of_a_plain_product(issued, event, item, quota):
    """The host's own receivers ask for positions and items again and again; they are fetched for many at once."""

    def queries(amount):
        job = at_work(issued(event, item, amount=amount), announced=0)
        with CaptureQueriesContext(connection) as captured:
            announce(Making(job))
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    assert queries(12) == queries(3)


def test_scanners_hear_of_orders_whose_worker_died_when_others_knew(issued, event, item, quota, hear):
    """Rows that were stamped before their commit are stamped again, before it is remembered that everybody knows."""
    job = at_work(issued(event, item), announced=0)
    stamped = datetime(2027, 5, 1, tzinfo=UTC)
    event.orders.update(last_modified=stamped)

    def die(execute, sql, *rest):
        if sql.startswith('UPDATE "pretixbase_order" SET "last_modified"'):
            raise SystemExit
        return execute(sql, *rest)

    with connection.execute_wrapper(die), pytest.raises(SystemExit):
        announce(Making(job))
    announce(Making(Job.objects.get(pk=job.pk)))
    assert not event.orders.filter(last_modified=stamped).exists()
