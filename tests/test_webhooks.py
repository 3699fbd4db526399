"""Other systems hear of batches, by a server that really receives."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pretix.api import webhooks as host
from pretix.api.models import WebHook
from pretix.api.signals import register_webhook_events
from pretix.api.webhooks import ParametrizedOrderWebhookEvent, notify_webhooks
from pretix.base.models import LogEntry, Organizer

from pretix_offlinesales import tasks
from pretix_offlinesales.after_sale import kind as after_sale
from pretix_offlinesales.after_sale.examine import Result
from pretix_offlinesales.host.webhooks import send_webhooks
from pretix_offlinesales.kinds import RETURN
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.returning import kinds
from tests.support.receiving import receiving_server
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db

ISSUED = "pretix_offlinesales.batch.issued"
PRINTED = "pretix_offlinesales.batch.printed"
RETURNED = "pretix_offlinesales.batch.returned"
HANDED_OVER = "pretix_offlinesales.handed_over"


def subscribe(organizer, url, events=None) -> WebHook:
    """To all that we offer, of all events or some."""
    webhook = organizer.webhooks.create(target_url=url, enabled=True, all_events=not events)
    webhook.limit_events.set(events or [])
    for action in (ISSUED, PRINTED, RETURNED, HANDED_OVER):
        webhook.listeners.create(action_type=action)
    return webhook


@pytest.fixture
def received(organizer, settings):
    """What has been posted to somebody who subscribed."""
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    with receiving_server() as (url, received):
        subscribe(organizer, url)
        yield received


@pytest.fixture
def done(api, url, worker):
    """``done(batch, "render")``: ask for it, and let a worker do it."""

    def done(batch, what, **values):
        with worker():
            assert api.post(f"{url}{batch.pk}/{what}/", values, format="json").status_code == 202

    return done


def message(batch, action):
    return {
        "notification_id": LogEntry.objects.get(action_type=action, object_id=batch.pk).pk,
        "organizer": batch.event.organizer.slug,
        "event": batch.event.slug,
        "batch": batch.pk,
        "action": action,
    }


def test_of_what_becomes_of_a_batch(received, make_batch, layout, done):
    batch = make_batch()
    assert received == [message(batch, ISSUED)]
    done(batch, "render")
    assert received[1:] == [message(batch, PRINTED)]
    done(batch, "return", tickets="1-2", kind="lost")
    assert received[2:] == [message(batch, RETURNED)]


def test_of_what_goes_from_hand_to_hand(received, organizer, make_batch, worker):
    batch, kiosk = make_batch(), make_seller(organizer)
    del received[:]
    with worker():
        documents = [handed_over(batch, seller, "1") for seller in (kiosk, None)]
    assert received == [
        {
            "notification_id": entry.pk,
            "organizer": organizer.slug,
            "event": batch.event.slug,
            "document": document.pk,
            "action": HANDED_OVER,
        }
        for entry, document in zip(
            batch.event.all_logentries().filter(action_type=HANDED_OVER)[::-1], documents, strict=True
        )
    ]


def test_of_a_batch_only_when_it_can_be_asked_for(organizer, listen, api, url, ask, monkeypatch):
    answers = []
    listen(ISSUED)
    monkeypatch.setattr(
        notify_webhooks, "run", lambda entries: answers.append(api.get(f"{url}{OfflineSalesBatch.objects.get().pk}/"))
    )
    ask()
    assert [(answer.status_code, len(answer.data["orders"])) for answer in answers] == [(200, 3)]


def test_of_nothing_where_nothing_was_done(received, ask, make_batch, done):
    ask(amount=101)
    assert Job.objects.get().state == "failed"
    batch = make_batch()
    del received[:]
    done(batch, "return", tickets="1-2", dry_run=True)
    done(batch, "return", tickets="7")
    assert received == []


def test_of_a_return_of_which_one_ticket_has_failed(received, make_batch, done, monkeypatch):
    batch = make_batch()
    del received[:]
    monkeypatch.setattr(after_sale, "CHUNK", 1)
    cancel, chunks = kinds.cancel, []

    def fail_at_the_second(*args, **kwargs):
        chunks.append(args)
        if len(chunks) == 2:
            raise ValueError("Something else")
        return cancel(*args, **kwargs)

    monkeypatch.setattr(kinds, "cancel", fail_at_the_second)
    done(batch, "return", all=True)
    assert len(Result.of(batch.jobs.get(kind=RETURN.identifier)).done) == 2
    assert received == [message(batch, RETURNED)]


def test_only_who_asked_for_it(organizer, series, settings, make_batch):
    settings.ALLOW_HTTP_TO_PRIVATE_NETWORKS = True
    with receiving_server() as (url, received):
        subscribe(organizer, url, events=[series])
        subscribe(Organizer.objects.create(name="Other", slug="other"), url)
        organizer.webhooks.create(target_url=url, enabled=True, all_events=True).listeners.create(
            action_type="pretix.event.order.modified"
        )
        make_batch()
    assert received == []


def test_not_of_a_batch_that_is_gone(received, make_batch, worker, monkeypatch):
    batch = make_batch(testmode=True)
    del received[:]
    with worker():
        entry = batch.log_action(RETURNED, {"amount": 3, "kind": "unsold"})
        batch.delete()
    assert (LogEntry.objects.filter(pk=entry.pk).exists(), received) == (True, [])


# The host's task is given what somebody listens to, and nothing else


@pytest.fixture
def given(monkeypatch):
    """Which log entries the host's task is given, call by call."""
    calls = []
    monkeypatch.setattr(notify_webhooks, "run", calls.append)
    return calls


@pytest.fixture
def listen(organizer):
    """``listen("action", …)``: somebody who is enabled does, whatever event it is of."""

    def listen(*actions, organizer=organizer, enabled=True, events=()):
        webhook = organizer.webhooks.create(target_url="https://example.org/", enabled=enabled, all_events=not events)
        webhook.limit_events.set(events)
        for action in actions:
            webhook.listeners.create(action_type=action)
        return webhook

    return listen


def entries(*actions):
    """The keys of all of these kinds, oldest first."""
    return list(LogEntry.objects.filter(action_type__in=actions).order_by("pk").values_list("pk", flat=True))


PLACED, PAID = "pretix.event.order.placed", "pretix.event.order.paid"
CANCELED, REACTIVATED = "pretix.event.order.canceled", "pretix.event.order.reactivated"


@pytest.fixture
def everything(make_batch, layout, done):
    """``everything()``: a batch is issued and printed; tickets come back, are made valid again, and get new codes."""

    def everything():
        batch = make_batch(amount=5)
        done(batch, "render")
        done(batch, "return", tickets="1-3")
        done(batch, "undo", tickets="2")
        done(batch, "replace", tickets="4-5")
        return batch

    return everything


@pytest.mark.parametrize(
    ("actions", "amounts"),
    [
        ([PAID], [5]),
        ([PLACED, PAID], [10]),
        ([CANCELED], [3]),
        ([REACTIVATED, ISSUED], [1, 1]),
        ([PRINTED, RETURNED], [1, 1]),
        (["pretix_offlinesales.batch.undone", "pretix_offlinesales.batch.replaced"], [1, 1]),
        (["pretix.event.order.modified"], []),
    ],
)
def test_what_one_listens_to(given, listen, everything, actions, amounts):
    listen(*actions)
    everything()
    assert sorted(pk for call in given for pk in call) == entries(*actions)
    assert [len(call) for call in given] == amounts


def test_what_nobody_listens_to(given, listen, everything, series):
    all_of_it = [PLACED, PAID, CANCELED, REACTIVATED, ISSUED, PRINTED, RETURNED]
    listen(*all_of_it, enabled=False)
    listen(*all_of_it, organizer=Organizer.objects.create(name="Other", slug="other"))
    listen(*all_of_it, events=[series])
    listen()
    everything()
    assert given == []


def test_what_each_of_several_listens_to(given, listen, make_batch, event, series):
    listen(PAID, events=[event, series])
    listen(PAID, PLACED, events=[series])
    listen(ISSUED)
    make_batch()
    assert given == [entries(PAID), entries(ISSUED)]


def test_gift_cards_are_of_no_event(given, listen, item, series, make_batch, done):
    """The host tells of them whoever listens, whatever events that is limited to."""
    item.issue_giftcard, item.tax_rule, item.admission = True, None, False
    item.save()
    listen("pretix.giftcards.transaction.*", CANCELED, events=[series])
    batch = make_batch()
    issued = entries("pretix.giftcards.transaction.manual")  # by the host, who told of it
    del given[:]
    done(batch, "return", all=True)
    assert given == [entries("pretix.giftcards.transaction.manual")[3:]]
    assert (len(issued), len(given[0])) == (3, 3)


def test_what_another_plugin_can_tell_of(given, listen, everything, monkeypatch, settings):
    """A type of its own for what we write, and one for all of a kind."""
    settings.CORE_MODULES = {*settings.CORE_MODULES, "tests"}  # or it would be switched off

    def types(sender, **kwargs):
        return [
            ParametrizedOrderWebhookEvent("pretix_offlinesales.order.issued", "Issued"),
            ParametrizedOrderWebhookEvent("pretix.event.order.secret.*", "Codes changed"),
        ]

    monkeypatch.setattr(host, "_ALL_EVENTS", None)
    register_webhook_events.connect(types)
    try:
        listen("pretix_offlinesales.order.issued", "pretix.event.order.secret.*")
        everything()
    finally:
        register_webhook_events.disconnect(types)
    assert given == [entries("pretix_offlinesales.order.issued"), entries("pretix.event.order.secret.changed")]
    assert [len(call) for call in given] == [5, 2]


def test_the_host_would_have_told_nobody_else(listen, everything, event, series, monkeypatch, worker):
    """It is asked what it would send if it were given all that has a type, as it is by its own ``log_action``."""
    told = []
    monkeypatch.setattr(host.send_webhook, "apply_async", lambda args, **kwargs: told.append(args))
    listen(PAID, PRINTED, events=[series])
    listen(PAID, CANCELED, events=[event, series])
    listen(PLACED, REACTIVATED, RETURNED, enabled=False)
    listen("pretix.event.order.payment.confirmed", RETURNED)
    everything()
    heard = sorted(told)
    del told[:]
    notify_webhooks.run([entry.pk for entry in LogEntry.all.all() if entry.webhook_type])
    assert heard == sorted(told)
    assert len(heard) == 5 + 3 + 6 + 1  # the one ticket that is valid again was paid a second time


def test_so_many_queries_for_any_number_of_entries(given, listen, make_batch, event):
    listen(PAID, ISSUED)
    make_batch(amount=20)

    def queries(amount):
        with CaptureQueriesContext(connection) as captured:
            send_webhooks(event, LogEntry.objects.filter(pk__in=entries(PAID)[:amount]))
        return len(captured)

    assert queries(20) == queries(2) == 3  # one of them is the test's own


# Whatever happens between the commit and the webhooks


class Killed(BaseException):
    """The worker dies."""


def later():
    Job.objects.update(finished=F("finished") - timedelta(minutes=5))


def test_a_worker_that_dies_after_the_commit_is_replaced(received, ask, worker, monkeypatch):
    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as dying, pytest.raises(Killed):
        dying.setattr(notify_webhooks, "apply_async", die)
        ask()
    batch = OfflineSalesBatch.objects.get()
    assert (batch.jobs.get().state, batch.completed is not None, received) == ("succeeded", True, [])
    with worker():
        tasks.recover_jobs()
    assert received == []  # it may have been a moment ago, and whoever did it about to tell
    later()
    for _run in range(2):
        with worker():
            tasks.recover_jobs()
    assert received == [message(batch, ISSUED)]
    assert batch.all_logentries().count() == 1


def test_a_broker_that_is_away_loses_nothing(received, make_batch, worker, monkeypatch, caplog):
    def away(*args, **kwargs):
        raise ConnectionError("No broker")

    with monkeypatch.context() as broken:
        broken.setattr(notify_webhooks, "apply_async", away)
        batch = make_batch()
    [job] = Job.objects.all()
    assert f"Webhooks of job {job} could not be sent yet" in caplog.text
    assert (job.state, received) == ("succeeded", [])
    later()
    with worker():
        tasks.recover_jobs()
    assert received == [message(batch, ISSUED)]


def test_what_was_told_is_not_told_again(received, make_batch, worker):
    make_batch()
    assert not Job.objects.exclude(pending_webhooks=[]).exists()
    later()
    with worker():
        tasks.recover_jobs()
    assert len(received) == 1


# As the host shows them


def test_they_can_be_chosen_in_the_backend(client, user, team, organizer):
    client.force_login(user)
    page = client.get(f"/control/organizer/{organizer.slug}/webhook/add").content.decode()
    assert [f'value="{action}"' in page for action in (ISSUED, PRINTED, RETURNED, HANDED_OVER)] == [True] * 4
    assert "Tickets issued for offline sales" in page


def test_they_can_be_chosen_in_the_api(api, organizer):
    answer = api.post(
        f"/api/v1/organizers/{organizer.slug}/webhooks/",
        {
            "enabled": True,
            "target_url": "https://example.org/",
            "all_events": True,
            "limit_events": [],
            "action_types": [ISSUED, PRINTED, RETURNED],
        },
        format="json",
    )
    assert (answer.status_code, sorted(answer.data["action_types"])) == (201, [ISSUED, PRINTED, RETURNED])
