"""Jobs: done once, with an end that people understand, by whoever asked for them."""

import errno
import gc
import logging
import os
import re
import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Barrier, Thread

import pikepdf
import pytest
from celery.signals import worker_ready
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django.utils.translation import gettext
from django_redis.exceptions import ConnectionInterrupted
from django_scopes import scope, scopes_disabled
from kombu.exceptions import OperationalError as BrokerError
from PIL import UnidentifiedImageError
from pretix.api.models import OAuthAccessToken, OAuthApplication
from pretix.base.i18n import language
from pretix.base.models import CachedFile, Device, Event, LogEntry, Order, User
from pretix.base.services.orders import error_messages
from pretix.base.services.quotas import QuotaAvailability
from pretix.celery_app import app
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient

from pretix_offlinesales import signals, tasks
from pretix_offlinesales.after_sale import attempt, kind as after_sale
from pretix_offlinesales.after_sale.kind import all_after_sale, all_offered
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.jobs.interruptions import MAX_INTERRUPTIONS
from pretix_offlinesales.jobs.lock import locked
from pretix_offlinesales.jobs.queries import MAX_UNFINISHED, too_many
from pretix_offlinesales.jobs.registry import all_kinds
from pretix_offlinesales.jobs.retention import delete_old
from pretix_offlinesales.kinds import ISSUE, PRINT, RETURN
from pretix_offlinesales.models import Job, JobLost, OfflineSalesBatch
from pretix_offlinesales.printing import kinds as printing_kinds, work as printing_work
from pretix_offlinesales.printing.canvas import TicketCanvas
from pretix_offlinesales.printing.printout import BatchPrintout
from pretix_offlinesales.returning import kinds
from pretix_offlinesales.tickets.selection import ALL
from tests.support.jobs import run

State = Job.State


@pytest.fixture
def job(api, url, wanted):
    """A waiting job to issue three tickets."""
    api.post(url, wanted, format="json")
    return Job.objects.get()


def end(job):
    return job.state, job.message


def made():
    of_orders = LogEntry.objects.exclude(action_type__startswith="pretix_offlinesales.batch")
    return [things.count() for things in (OfflineSalesBatch.objects, Order.objects, of_orders)]


def codes():
    return sorted(Order.objects.values_list("code", flat=True))


# Once


def test_a_job_waits_until_it_is_run(job):
    assert (job.kind, job.state, job.attempts, job.progress) == ("issue", State.WAITING, 0, 0)
    assert (job.batch, job.started, job.finished, job.message) == (None, None, None, "")
    run(job)
    assert (job.kind, job.state, job.attempts, job.progress) == ("issue", State.SUCCEEDED, 1, 100)
    assert (job.batch, job.message) == (OfflineSalesBatch.objects.get(), "")
    assert job.created <= job.started <= job.batch.creation <= job.batch.completed <= job.finished


def test_a_task_that_is_delivered_twice_runs_once(job):
    run(job)
    finished = job.finished
    run(job)
    assert (Order.objects.count(), job.attempts, job.finished) == (3, 1, finished)


def test_what_was_there_is_left_alone_once_and_not_anew_with_each_job(job, monkeypatch):
    happened = []
    monkeypatch.setattr(gc, "freeze", lambda: happened.append("freeze"))
    monkeypatch.setattr(type(ISSUE), "work", lambda kind, job: happened.append("work"))
    runner._leave_alone_what_is_there.cache_clear()
    for _ in range(2):
        Job.objects.update(state=State.WAITING)
        run(job)
    assert happened == ["freeze", "work", "work"]


@pytest.mark.parametrize("state", [State.RUNNING, State.SUCCEEDED, State.FAILED])
def test_only_a_waiting_job_is_run(job, state):
    Job.objects.update(state=state)
    before = made()
    run(job)
    assert (made(), job.state, job.attempts) == (before, state, 0)


def test_another_event_does_not_run_the_job(job, series):
    runner.run(series, job.pk)
    job.refresh_from_db()
    assert job.state == State.WAITING


def test_a_printing_job_fills_its_file(job, layout):
    run(job)
    printing = PRINT.ask(job.batch, requested_by={})
    assert (printing.file.filename, printing.file.type) == (f"night-offlinesales-{job.batch_id}.pdf", "application/pdf")
    assert printing.file.expires - printing.file.date == timedelta(hours=24)
    assert (printing.file.pk, printing.file.file.name) == (printing.pk, None)
    run(printing)
    assert (end(printing), printing.progress) == ((State.SUCCEEDED, ""), 100)
    assert printing.file.file.read(5) == b"%PDF-"


def test_progress_is_written_by_whole_percents(job, django_assert_num_queries):
    Job.objects.update(state=State.RUNNING, attempts=1)
    job.refresh_from_db()
    with django_assert_num_queries(1):
        job.report(50, 1000)
    with django_assert_num_queries(0):
        job.report(59, 1000)
    job.refresh_from_db()
    assert (job.progress, job.state) == (5, State.RUNNING)


@pytest.mark.parametrize(
    "write",
    [
        lambda job: job.report(1, 2),
        Job.succeed,
        Job.commit_progress,
        lambda job: job.requeue(queued=now()),
        lambda job: job.fail("No."),
    ],
)
@pytest.mark.parametrize("since", [{"attempts": 2}, {"state": State.WAITING}, {"state": State.FAILED}])
def test_an_attempt_that_has_lost_its_job_writes_nothing_any_more(job, write, since):
    Job.objects.update(state=State.RUNNING, attempts=1)
    job.refresh_from_db()
    Job.objects.update(**since)
    before = Job.objects.values().get()
    with pytest.raises(JobLost):
        write(job)
    assert Job.objects.values().get() == before


# Without a broker


@pytest.fixture
def broker_down(monkeypatch):
    """Celery, with a broker at an address where nobody listens."""
    address = "redis://127.0.0.1:1/0"
    assert app.conf.task_always_eager  # and now the configuration is loaded
    monkeypatch.setitem(app.conf.changes, "CELERY_TASK_ALWAYS_EAGER", False)
    monkeypatch.setitem(app.conf.changes, "CELERY_BROKER_URL", address)
    monkeypatch.setattr(app, "_pool", None)  # connections that were prepared for another address
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    assert app.amqp.producer_pool.connections.connection.as_uri() == address


def test_without_a_broker_the_request_succeeds_and_the_job_waits(ask, api, broker_down, caplog):
    response = ask()
    job = Job.objects.get()
    assert (response.status_code, job.state) == (202, State.WAITING)
    assert api.get(response.data["check"]).data == {"status": "waiting"}
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert errors == [f"Job issue {job.pk} could not be handed to a worker and waits"]


# An end that people understand


def test_a_plugin_that_is_switched_off_in_the_meantime_makes_nothing(job, event):
    switch_off(event)
    before = made()
    run(job)
    assert end(job) == (State.FAILED, "The plugin has been switched off for this event in the meantime.")
    assert (made(), job.batch, job.progress) == (before, None, 0)
    assert job.finished


GONE = "Something that this batch should have been made of has been deleted in the meantime."


def delete(name):
    return lambda things: things[name].delete()


def change(name, **values):
    return lambda things: type(things[name]).objects.filter(pk=things[name].pk).update(**values)


@pytest.mark.parametrize(
    ("happens", "message"),
    [
        pytest.param(delete("item"), GONE, id="item deleted"),
        pytest.param(delete("variation"), GONE, id="variation deleted"),
        pytest.param(delete("subevent"), GONE, id="date deleted"),
        pytest.param(delete("channel"), GONE, id="channel deleted"),
        pytest.param(delete("layout"), GONE, id="layout deleted"),
        pytest.param(delete("quota"), "This product is not assigned to a quota.", id="quota deleted"),
        pytest.param(change("item", active=False), "This product is not active.", id="item inactive"),
        pytest.param(change("variation", active=False), "This product is not active.", id="variation inactive"),
        pytest.param(change("subevent", active=False), "This date is not active.", id="date inactive"),
        pytest.param(
            change("quota", size=2),
            'There is not enough quota available on quota "Group" to perform the operation.',
            id="sold out",
        ),
        pytest.param(
            change("item", active=False, require_membership=True),
            "This product is not active. This product requires a membership.",
            id="two reasons",
        ),
    ],
)
def test_what_happens_before_the_job_runs_is_explained(api, organizer, series, series_item, subevent, happens, message):
    variation = series_item.variations.create(value="Child", default_price=5)
    series_item.variations.create(value="Adult", default_price=15)
    quota = subevent.quotas.get()
    quota.variations.add(variation)
    things = {
        "item": series_item,
        "variation": variation,
        "subevent": subevent,
        "channel": organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api"),
        "layout": series.ticket_layouts.create(name="Paper"),
        "quota": quota,
    }
    request = {
        "item": series_item.pk,
        "variation": variation.pk,
        "subevent": subevent.pk,
        "sales_channel": "api.kiosk",
        "layout": things["layout"].pk,
        "amount": 3,
    }
    api.post(f"/api/v1/organizers/{organizer.slug}/events/{series.slug}/offlinesalesbatches/", request, format="json")
    happens(things)
    before = made()
    job = Job.objects.get()
    run(job)
    assert end(job) == (State.FAILED, message)
    assert made() == before


@pytest.mark.parametrize("locale", ["en", "de", "de-informal"])
def test_an_unexpected_error_is_logged_and_told_in_the_requesters_language(api, url, wanted, caplog, locale):
    api.post(url, wanted, format="json", headers={"Accept-Language": locale})
    Job.objects.update(request={})  # as a row that nobody foresaw
    job = Job.objects.get()
    run(job)
    with language(locale):
        assert end(job) == (State.FAILED, str(error_messages["internal"]))
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == f"Job issue {job.pk} of museum/night failed: {job.message}"
    assert record.exc_info[0] is TypeError


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.identifier)
def test_a_row_that_nobody_foresaw_has_an_end_whatever_its_kind(event, kind):
    job = Job.objects.create(event=event, kind=kind.identifier, locale="en")
    run(job)
    with language("en"):
        assert end(job) == (State.FAILED, str(error_messages["internal"]))


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.identifier)
def test_what_another_version_has_asked_for_has_an_end_and_breaks_no_list(event, api, url, team, user, client, kind):
    job = Job.objects.create(event=event, kind=kind.identifier, locale="en", request={"of_tomorrow": 1})
    client.force_login(user)
    for _when in ("before", "after"):
        assert [each["amount"] for each in api.get(f"{url}jobs/").data["results"]] in ([None], [0])
        assert client.get(f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/").status_code == 200
        run(job)
        with language("en"):
            assert end(job) == (State.FAILED, str(error_messages["internal"]))
    pages = f"/control/event/{event.organizer.slug}/{event.slug}/offlinesales/"
    is_after_sale = kind in all_after_sale()
    assert client.get(f"{pages}results/{job.pk}/").status_code == (200 if is_after_sale else 404)
    assert client.get(f"{pages}add?again={job.pk}").status_code == 404


@pytest.mark.parametrize("kind", all_offered(), ids=lambda kind: kind.identifier)
def test_what_another_version_has_begun_waits_for_it(make_batch, api, url, kind):
    batch = make_batch(amount=1)
    job = kind.ask(batch.event, ALL, {}, batch)
    job.row.update(request={"of_tomorrow": 1}, checkpoint={"amount": 1})
    run(job)
    assert end(job) == (State.WAITING, "")
    assert api.get(f"{url}{batch.pk}/{kind.api_action}/{job.pk}/").status_code == 409


def test_what_nobody_here_knows_waits_for_who_does_or_is_canceled(event, api, url, caplog):
    job = Job.objects.create(event=event, kind="of_tomorrow", locale="en")
    run(job)
    assert end(job) == (State.WAITING, "")
    assert f"Nobody here knows what to do for job {job}, so it waits for a newer worker" in caplog.messages
    assert api.get(f"{url}jobs/").data["results"] == []
    tasks.recover_jobs()
    assert runner.cancel(job)
    job.refresh_from_db()
    assert end(job) == (State.FAILED, "Canceled.")


def test_an_error_after_the_commit_hands_the_job_back_and_nothing_is_made_twice(api, url, job, caplog):
    Job.objects.update(checkpoint={"announced": "x"})  # after this ticket, nobody can go on
    run(job)
    assert (end(job), job.finished, job.attempts) == ((State.WAITING, ""), None, 1)
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == f"Job issue {job.pk} was interrupted in attempt 1 and is tried again"
    first = (made(), codes(), job.batch)
    assert (job.batch.completed, api.get(url).data["count"]) == (None, 0)
    assert api.get(f"{url}check/{job.pk}/").data == {"status": "waiting"}

    Job.objects.update(checkpoint={})
    run(job)
    assert (end(job), job.attempts, job.progress) == ((State.SUCCEEDED, ""), 2, 100)
    assert (made(), codes(), job.batch) == first
    assert [entry.action_type for entry in job.batch.all_logentries()] == ["pretix_offlinesales.batch.issued"]
    assert api.get(f"{url}check/{job.pk}/").data["orders"] == [t.order.code for t in job.batch.tickets.all()]


# What is committed


def switch_off(event):
    Event.objects.filter(pk=event.pk).update(plugins="pretix.plugins.ticketoutputpdf")


@pytest.fixture
def half_issued(job):
    """The tickets exist, and nobody knows."""
    Job.objects.update(checkpoint={"announced": "x"})  # after this ticket, nobody can go on
    run(job)
    Job.objects.update(checkpoint={})
    return job


@pytest.fixture
def half_returned(make_batch, monkeypatch):
    """One of three tickets is returned."""
    batch, chunk = make_batch(), after_sale.CHUNK
    job = RETURN.ask(batch.event, ALL, {}, batch)
    monkeypatch.setattr(after_sale, "CHUNK", 1)

    def away_after_one(orders, *args, **kwargs):
        if orders.orders.keys() == {batch.tickets.get(number=1).order_id}:
            return cancel(orders, *args, **kwargs)
        raise OperationalError("server closed the connection unexpectedly")

    cancel = kinds.cancel
    monkeypatch.setattr(kinds, "cancel", away_after_one)
    monkeypatch.setattr(attempt, "BACK_OFF", ())
    run(job)
    monkeypatch.setattr(kinds, "cancel", cancel)
    monkeypatch.setattr(after_sale, "CHUNK", chunk)
    assert job.checkpoint["amount"] == 1
    return job


def forget_who_asked(event):
    user = User.objects.create_user("gone@example.org")
    Job.objects.update(user=user, api_token=None)
    user.delete()


def close(event):
    Event.objects.filter(pk=event.pk).update(live=False, presale_end=now() - timedelta(days=1), date_to=now())


ENDINGS = {"the plugin off": switch_off, "who asked deleted": forget_who_asked, "the event closed": close}


@pytest.mark.parametrize("half", ["half_issued", "half_returned"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_half_done_goes_on_whatever_happens(request, event, half, ending):
    job = request.getfixturevalue(half)
    assert end(job) == (State.WAITING, "")
    ENDINGS[ending](event)
    run(job)
    assert (end(job), job.progress) == ((State.SUCCEEDED, ""), 100)
    [batch] = OfflineSalesBatch.objects.all()
    assert batch.completed
    statuses = set(Order.objects.values_list("status", flat=True))
    assert statuses == {"c" if half == "half_returned" else "p"}


@pytest.mark.parametrize("half", ["half_issued", "half_returned"])
def test_what_is_half_done_is_not_given_up(request, half):
    job = request.getfixturevalue(half)
    assert not runner.cancel(job)
    for _ in range(2 * MAX_INTERRUPTIONS):
        Job.objects.filter(pk=job.pk).update(state=State.RUNNING, heartbeat=now() - timedelta(hours=1))
        job.refresh_from_db()
        runner.recover(job)
        assert end(job) == (State.WAITING, "")


# Workers that die


@pytest.fixture
def interrupted(job):
    """A job whose worker is dead, in its so many-th attempt, after as many interruptions as before that."""

    def interrupted(attempts=1, **values):
        values = {
            "state": State.RUNNING,
            "attempts": attempts,
            "interruptions": attempts - 1,
            "heartbeat": now() - timedelta(hours=1),
        } | values
        Job.objects.update(**values)
        job.refresh_from_db()
        return job

    return interrupted


def looked_after(job):
    """Whether a worker has to be asked, and what the job is afterwards."""
    return runner.recover(job), job.state, job.attempts


def test_a_job_that_was_left_waits_for_the_next_attempt_at_once(interrupted):
    job = interrupted()
    assert looked_after(job) == (True, State.WAITING, 1)
    assert looked_after(job) == (False, State.WAITING, 1)


def test_who_finds_out_too_late_changes_nothing(interrupted):
    job = interrupted()
    late = Job.objects.get()
    assert runner.recover(job)
    assert looked_after(late) == (False, State.WAITING, 1)
    late = interrupted()
    Job.objects.update(attempts=2, heartbeat=now())
    assert looked_after(late) == (False, State.RUNNING, 2)


def test_a_job_that_somebody_works_on_is_left_alone(interrupted):
    job = interrupted(heartbeat=now())
    with locked(job):
        assert looked_after(job) == (False, State.RUNNING, 1)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_a_job_that_is_over_is_left_alone(interrupted, state):
    assert looked_after(interrupted(state=state)) == (False, state, 1)


@pytest.mark.parametrize("locale", ["en", "de"])
def test_after_three_attempts_a_job_is_given_up(interrupted, caplog, locale):
    job = interrupted(attempts=MAX_INTERRUPTIONS, locale=locale)
    assert looked_after(job) == (False, State.FAILED, 3)
    with language(locale):
        expected = gettext("This was interrupted again and again, and has been given up. Please try again later.")
    assert (job.message, bool(job.finished)) == (expected, True)
    assert f"Job issue {job.pk} of museum/night failed: {job.message}" in caplog.text


def test_attempts_that_get_on_do_not_count(interrupted):
    job = interrupted(attempts=100, interruptions=0)
    assert looked_after(job) == (True, State.WAITING, 100)
    assert job.interruptions == 1


def test_a_job_whose_tickets_exist_is_never_given_up(job, interrupted):
    run(job)
    job = interrupted(attempts=100, finished=None)
    assert looked_after(job) == (True, State.WAITING, 100)
    run(job)
    assert (job.state, job.attempts, OfflineSalesBatch.objects.count()) == (State.SUCCEEDED, 101, 1)


def test_who_does_not_know_yet_that_the_tickets_exist_gives_nothing_up(job, interrupted):
    run(job)
    job = interrupted(attempts=3, finished=None)
    job.batch = None  # as it was read before the commit
    assert looked_after(job) == (True, State.WAITING, 3)


def test_a_job_that_waits_for_long_is_sent_again_now_and_then(job):
    assert not runner.recover(job)
    Job.objects.update(queued=now() - runner.PATIENCE)
    assert [runner.recover(job) for _ in range(3)] == [True, False, False]


def test_rows_are_changed_by_statements_that_look_again_after_waiting(job, organizer):
    """In a scope, as in tasks and requests, a manager joins the event; see ``Job.row``."""
    with scope(organizer=organizer), CaptureQueriesContext(connection) as queries:
        Job.objects.filter(pk=job.pk).update(queued=now())
    assert "JOIN" in queries[0]["sql"]
    with scope(organizer=organizer), CaptureQueriesContext(connection) as queries:
        runner.recover(job)
        runner.cancel(job)
        job.row.update(state=State.RUNNING)
        job.update(state=State.RUNNING)
    updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert (len(updates), [sql for sql in updates if "JOIN" in sql or "SELECT" in sql]) == (4, [])


def redis_error():
    return RedisConnectionError("Error 111 connecting to 127.0.0.1:6379. Connection refused.")


def error_of_a_storage():
    """As those have it that speak HTTP: an error of their own, raised in the course of one of the system."""
    try:
        try:
            raise ConnectionResetError
        except OSError as error:
            raise RuntimeError("Could not connect to the endpoint") from error
    except RuntimeError as error:
        return error


GONE_AWAY = {
    "database": lambda: OperationalError("server closed the connection unexpectedly"),
    "redis": redis_error,
    "cache": lambda: ConnectionInterrupted(None),
    "broker": lambda: BrokerError("[Errno 111] Connection refused"),
    "disk": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "storage": error_of_a_storage,
}


@pytest.fixture
def breaks(monkeypatch):
    """``breaks(error)``: the host's count of quotas raises this. ``breaks(None)``: not any more."""
    compute = QuotaAvailability.compute

    def breaks(error):
        def count(*args, **kwargs):
            if error:
                raise error
            return compute(*args, **kwargs)

        monkeypatch.setattr(QuotaAvailability, "compute", count)

    return breaks


@pytest.mark.parametrize("what", GONE_AWAY)
def test_what_goes_away_costs_an_attempt_and_time(job, breaks, what):
    pauses, states = [], []
    breaks(GONE_AWAY[what]())
    for _ in range(MAX_INTERRUPTIONS):
        run(job)
        states.append(end(job)[0])
        pauses.append(round((job.queued + runner.PATIENCE - now()).total_seconds(), -1))
    assert states == [State.WAITING, State.WAITING, State.FAILED]
    assert pauses[:2] == [round(pause.total_seconds(), -1) for pause in runner.PAUSES]
    assert job.message == "This was interrupted again and again, and has been given up. Please try again later."
    assert made() == [0, 0, 0]


@pytest.mark.parametrize("what", GONE_AWAY)
def test_what_comes_back_has_cost_nothing_else(job, breaks, what):
    breaks(GONE_AWAY[what]())
    run(job)
    breaks(None)
    run(job)
    assert (end(job), job.attempts, Order.objects.count()) == ((State.SUCCEEDED, ""), 2, 3)


@pytest.mark.parametrize("error", [KeyError("oops"), DataError("value too long"), UnidentifiedImageError("x")])
def test_what_is_wrong_is_a_failure_at_once(job, breaks, error):
    breaks(error)
    run(job)
    with language("en"):
        assert (end(job), job.attempts) == ((State.FAILED, str(error_messages["internal"])), 1)


# Who looks after them


def test_whoever_checks_recovers_an_abandoned_job(interrupted, api, url, worker):
    with worker():
        assert api.get(f"{url}check/{interrupted().pk}/").data == {"status": "waiting"}
    assert Job.objects.get().state == State.SUCCEEDED


@pytest.mark.parametrize(
    "happens",
    [lambda: worker_ready.send(None), lambda: signals.recover_jobs(None)],
    ids=["a worker starts", "the periodic task"],
)
def test_jobs_are_recovered_when(interrupted, worker, happens):
    interrupted()
    with worker():
        happens()
    assert end(Job.objects.get()) == (State.SUCCEEDED, "")


def test_a_job_that_can_not_be_recovered_does_not_hinder_others(interrupted, worker, event, monkeypatch, caplog):
    job = interrupted()
    Job.objects.create(event=event, kind=ISSUE.identifier, locale="en", created=now() - timedelta(days=1))
    recover = runner.recover

    def fails_once(job):
        monkeypatch.setattr(runner, "recover", recover)
        raise ValueError

    monkeypatch.setattr(runner, "recover", fails_once)
    with worker():
        tasks.recover_jobs()
    assert Job.objects.get(pk=job.pk).state == State.SUCCEEDED
    assert "could not be recovered" in caplog.text


def test_tasks_are_in_a_queue_that_workers_serve():
    assert tasks.run_job.queue == tasks.recover_jobs.queue == "background"
    assert tasks.QUEUE in {queue.name for queue in settings.CELERY_TASK_QUEUES}


def test_the_queue_can_be_chosen():
    command = "from pretix_offlinesales.tasks import run_job; print(run_job.queue)"
    setup = "import django; django.setup(); "
    environment = os.environ | {"PRETIX_PRETIX_OFFLINESALES_QUEUE": "mail", "PRETIX_PRETIX_LOGLEVEL": "ERROR"}
    done = subprocess.run([sys.executable, "-c", setup + command], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["mail"], done.stderr


# Cancel and forget


def test_a_waiting_job_can_be_canceled(job):
    assert runner.cancel(job)
    job.refresh_from_db()
    assert end(job) == (State.FAILED, "Canceled.")
    run(job)
    assert (end(job), made()) == ((State.FAILED, "Canceled."), [0, 0, 0])


@pytest.mark.parametrize("state", [State.RUNNING, State.SUCCEEDED])
def test_no_other_job_can_be_canceled(job, state):
    Job.objects.update(state=state)
    assert (runner.cancel(job), Job.objects.get().state) == (False, state)


def test_a_job_that_was_interrupted_before_anything_was_made_can_be_canceled(interrupted):
    job = interrupted()
    runner.recover(job)
    assert runner.cancel(job)


def test_a_job_whose_tickets_exist_can_not_be_canceled(job):
    run(job)
    Job.objects.update(state=State.WAITING, finished=None)
    job.refresh_from_db()
    assert (runner.cancel(job), Job.objects.get().state) == (False, State.WAITING)


@pytest.mark.parametrize(
    ("state", "age", "left"),
    [
        (State.SUCCEEDED, timedelta(hours=23), 1),
        (State.SUCCEEDED, timedelta(hours=25), 0),
        (State.FAILED, timedelta(days=29), 1),
        (State.FAILED, timedelta(days=31), 0),
    ],
)
def test_old_jobs_are_deleted_by_the_periodic_task(job, state, age, left):
    Job.objects.update(state=state, finished=now() - age)
    signals.delete_old_jobs(None)
    assert Job.objects.count() == left


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING])
def test_an_unfinished_job_is_never_deleted(job, state):
    Job.objects.update(state=state, created=now() - timedelta(days=365))
    delete_old()
    assert Job.objects.count() == 1


def test_each_event_may_have_twenty_unfinished_jobs(job, event, series):
    for _ in range(MAX_UNFINISHED - 1):
        assert not too_many(event)
        Job.objects.create(event=event, kind=PRINT.identifier, locale="en", state=State.RUNNING)
    assert (bool(too_many(event)), too_many(series)) == (True, "")
    Job.objects.filter(pk=job.pk).update(state=State.SUCCEEDED)
    assert not too_many(event)


# Files


@pytest.fixture
def printing(job, layout):
    run(job)
    return PRINT.ask(job.batch, requested_by={})


def stored():
    return {path for path in Path(default_storage.path("")).rglob("*") if path.is_file()}


@pytest.fixture
def full_disk(monkeypatch):
    """Half of a file fits."""

    def save(storage, name, content):
        path = Path(storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "_save", save)
        yield patched


def test_what_a_failed_print_has_stored_is_deleted(printing, full_disk):
    before, states = stored(), []
    for _attempt in range(MAX_INTERRUPTIONS):
        run(printing)
        states.append(printing.state)
        assert stored() == before
    assert states == [State.WAITING, State.WAITING, State.FAILED]


# Printing together


@pytest.fixture
def in_parts(printing):
    """A print of three tickets in three parts."""
    printing.parts.all().delete()
    for number in (1, 2, 3):
        printing.parts.create(first=number, last=number)
    return printing


def at_work(job):
    """The job, as the worker has it that has claimed it."""
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempts=1)
    job.refresh_from_db()
    return job


def test_who_comes_later_joins_and_brings_it_to_its_end(in_parts):
    assert printing_work._print_part(at_work(in_parts), BatchPrintout(in_parts))
    run(in_parts)
    assert (end(in_parts), in_parts.attempts) == ((State.SUCCEEDED, ""), 1)
    with pikepdf.open(in_parts.file.file.open()) as pdf:
        assert len(pdf.pages) == 3


def test_parts_that_are_done_are_not_drawn_again(in_parts):
    assert printing_work._print_part(at_work(in_parts), BatchPrintout(in_parts))
    first = in_parts.parts.first()
    first.file.file.storage.delete(first.file.file.name)
    first.file.file.storage.save(first.file.file.name, ContentFile(empty_part()))
    run(in_parts)
    with pikepdf.open(in_parts.file.file.open()) as pdf:
        assert len(pdf.pages) == 2


def empty_part():
    output = BytesIO()
    TicketCanvas().write_part(output, versions=[])
    return output.getvalue()


def test_the_parts_are_deleted_when_they_are_put_together(in_parts, worker):
    before, files = stored(), CachedFile.objects.exclude(pk=in_parts.pk)
    at_work(in_parts)
    for done in (1, 2):
        assert printing_work._print_part(in_parts, BatchPrintout(in_parts))
        assert (len(stored() - before), files.count()) == (done, done)
    with worker():
        run(in_parts)
    [result] = stored() - before
    assert (str(result).endswith(in_parts.file.file.name), files.count()) == (True, 0)


def test_a_print_keeps_as_many_workers_busy_as_it_has_parts_but_not_all_of_them(in_parts, job, monkeypatch):
    monkeypatch.setattr(printing_kinds, "MAX_WORKERS", 2)
    assert (PRINT.workers_wanted(in_parts), ISSUE.workers_wanted(job)) == (2, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_two_workers_draw_different_parts(in_parts, monkeypatch):
    at_work(in_parts)
    drawn, both = [], Barrier(2, timeout=20)
    draw = printing_work.print_part

    def together(plan, units, *args):
        if len(drawn) < 2:
            drawn.append(units[0])
            both.wait()
        return draw(plan, units, *args)

    def work():
        try:
            with scopes_disabled():
                runner.run(Event.objects.get(pk=in_parts.event_id), in_parts.pk)
        finally:
            connection.close()

    monkeypatch.setattr(printing_work, "print_part", together)
    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_parts.refresh_from_db()
    assert (sorted(drawn), end(in_parts)) == ([1, 2], (State.SUCCEEDED, ""))


@pytest.fixture
def half_printed(in_parts):
    """One part is done, and somebody works on the others."""
    before = stored()
    assert printing_work._print_part(at_work(in_parts), BatchPrintout(in_parts))
    assert len(stored() - before) == 1
    in_parts.before = before
    return in_parts


def test_a_print_that_is_given_up_leaves_nothing(half_printed):
    Job.objects.update(attempts=3, interruptions=2, heartbeat=now() - timedelta(hours=1))
    half_printed.refresh_from_db()
    runner.recover(half_printed)
    assert (half_printed.state, stored()) == (State.FAILED, half_printed.before)


def test_a_print_that_is_canceled_while_it_waits_for_another_worker_leaves_nothing(half_printed):
    Job.objects.filter(pk=half_printed.pk).update(state=State.WAITING)
    assert runner.cancel(half_printed)
    assert stored() == half_printed.before


# The log


def test_the_log_says_what_was_done_and_how_long_it_took(job, layout, caplog):
    with caplog.at_level(logging.INFO, "pretix_offlinesales"):
        run(job)
        printing = PRINT.ask(job.batch, requested_by={})
        run(printing)
    lines = [re.sub(r"[0-9.]+ seconds", "… seconds", line) for line in caplog.messages if " is done" in line]
    assert lines == [
        f"Job {job} is done: batch #{job.batch_id} of museum/night, 3 tickets, … seconds, attempt 1",
        f"Job {printing} is done: batch #{job.batch_id} of museum/night, 3 tickets, … seconds, attempt 1",
    ]


# Who asked


def client(header=None, user=None):
    client = APIClient()
    if header:
        client.credentials(HTTP_AUTHORIZATION=header)
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def askers(organizer, team, user):
    """For each way to ask: the client, and what is to be remembered of it."""
    token = team.tokens.create(name="Integration")
    device = Device.objects.create(
        organizer=organizer, name="Till", all_events=True, api_token="till", initialized=now()
    )
    app = OAuthApplication.objects.create(name="App", redirect_uris="https://example.org", user=user)
    access = OAuthAccessToken.objects.create(
        application=app, user=user, scope="read write", token="access", expires=now() + timedelta(hours=1)
    )
    access.organizers.add(organizer)
    nobody = {"user": None, "api_token": None, "device": None, "oauth_application": None}
    return {
        "user": (client(user=user), nobody | {"user": user}),
        "token": (client(f"Token {token.token}"), nobody | {"api_token": token}),
        "device": (client(f"Device {device.api_token}"), nobody | {"device": device}),
        "app": (client(f"Bearer {access.token}"), nobody | {"user": user, "oauth_application": app}),
    }


@pytest.mark.parametrize("who", ["user", "token", "device", "app"])
def test_who_asked_is_remembered_everywhere(askers, url, wanted, worker, layout, who):
    client, asker = askers[who]

    def remembered(thing):
        return {name: getattr(thing, name) for name in asker}

    with worker():
        check = client.post(url, wanted, format="json").data["check"]
    assert client.get(check).status_code == 200
    batch = OfflineSalesBatch.objects.get()
    assert (remembered(batch), remembered(batch.jobs.get()), batch.requested_by) == (asker, asker, asker)

    history = [entry for ticket in batch.tickets.all() for entry in ticket.order.all_logentries().order_by("pk")]
    assert [entry.action_type for entry in history] == 3 * [
        "pretix.event.order.placed",
        "pretix.event.order.payment.confirmed",
        "pretix.event.order.paid",
        "pretix_offlinesales.order.issued",
    ]
    assert [remembered(entry) for entry in history] == 12 * [asker]

    client.patch(f"{url}{batch.pk}/", {"comment": "x"}, format="json")
    log = batch.all_logentries().order_by("pk")
    assert [(entry.action_type, remembered(entry)) for entry in log] == [
        ("pretix_offlinesales.batch.issued", asker),
        ("pretix_offlinesales.batch.changed", asker),
    ]

    client.post(f"{url}{batch.pk}/render/")
    assert remembered(Job.objects.get(kind=PRINT.identifier)) == asker
