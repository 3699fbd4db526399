"""Other systems hear of batches, by a server that really receives."""

from datetime import timedelta

import pytest
from django.db.models import F
from pretix.api.models import WebHook
from pretix.api.webhooks import notify_webhooks
from pretix.base.models import LogEntry, Organizer

from pretix_offlinesales import returning, tasks
from pretix_offlinesales.models import Job, OfflineSalesBatch

from .receiving import receiving_server

pytestmark = pytest.mark.django_db

ISSUED = "pretix_offlinesales.batch.issued"
PRINTED = "pretix_offlinesales.batch.printed"
RETURNED = "pretix_offlinesales.batch.returned"


def subscribe(organizer, url, events=None) -> WebHook:
    """To all that we offer, of all events or some."""
    webhook = organizer.webhooks.create(target_url=url, enabled=True, all_events=not events)
    webhook.limit_events.set(events or [])
    for action in (ISSUED, PRINTED, RETURNED):
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


def test_of_a_batch_only_when_it_can_be_asked_for(organizer, settings, api, url, ask, monkeypatch):
    answers = []
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
    monkeypatch.setattr(returning, "CHUNK", 1)
    cancel, chunks = returning.cancel, []

    def fail_at_the_second(*args, **kwargs):
        chunks.append(args)
        if len(chunks) == 2:
            raise ValueError("Something else")
        return cancel(*args, **kwargs)

    monkeypatch.setattr(returning, "cancel", fail_at_the_second)
    done(batch, "return", all=True)
    assert len(batch.jobs.get(kind=Job.Kind.RETURN).data["returned"]) == 2
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


# Whatever happens between the commit and the webhooks


class Killed(BaseException):
    """The worker dies."""


def later():
    Job.objects.update(finished=F("finished") - timedelta(minutes=5))


def test_a_worker_that_dies_after_the_commit_is_replaced(received, ask, worker, monkeypatch):
    def die(entries):
        raise Killed

    with monkeypatch.context() as dying, pytest.raises(Killed):
        dying.setattr(LogEntry, "bulk_postprocess", die)
        ask()
    batch = OfflineSalesBatch.objects.get()
    assert (batch.jobs.get().state, batch.completed is not None, received) == ("succeeded", True, [])
    with worker():
        tasks.revive_jobs()
    assert received == []  # it may have been a moment ago, and whoever did it about to tell
    later()
    for _run in range(2):
        with worker():
            tasks.revive_jobs()
    assert received == [message(batch, ISSUED)]
    assert batch.all_logentries().count() == 1


def test_a_broker_that_is_away_loses_nothing(received, make_batch, worker, monkeypatch, caplog):
    def away(*args, **kwargs):
        raise ConnectionError("No broker")

    with monkeypatch.context() as broken:
        broken.setattr(LogEntry, "bulk_postprocess", away)
        batch = make_batch()
    [job] = Job.objects.all()
    assert f"Nobody could be told yet what job {job} has done" in caplog.text
    assert (job.state, received) == ("succeeded", [])
    later()
    with worker():
        tasks.revive_jobs()
    assert received == [message(batch, ISSUED)]


def test_what_was_told_is_not_told_again(received, make_batch, worker):
    make_batch()
    assert [job.data for job in Job.objects.filter(data__has_key="untold")] == []
    later()
    with worker():
        tasks.revive_jobs()
    assert len(received) == 1


# As the host shows them


def test_they_can_be_chosen_in_the_backend(client, user, team, organizer):
    client.force_login(user)
    page = client.get(f"/control/organizer/{organizer.slug}/webhook/add").content.decode()
    assert [f'value="{action}"' in page for action in (ISSUED, PRINTED, RETURNED)] == [True] * 3
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
