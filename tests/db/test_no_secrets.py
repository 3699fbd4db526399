"""What the database is told of tickets that come back or get new codes: PostgreSQL may write it into its log."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pretix.base.models import OrderPosition

from pretix_offlinesales.kinds import REPLACE, REPORT_LOST, UNDO_LOST, UNDO_RETURN
from pretix_offlinesales.models import Job
from tests.support.jobs import done
from tests.support.returning import asked, orders, position, run

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

AMOUNT = 20


def secrets_of(batch):
    fields = ("secret", "web_secret", "order__secret")
    positions = OrderPosition.all.filter(order__offline_sales_ticket__batch=batch)
    return {secret for row in positions.values_list(*fields) for secret in row}


def most_in_one(queries, secrets):
    """As they are, or as somebody takes them for the codes of orders, in capital letters."""
    said = [query["sql"] for query in queries]
    return max(sum(secret in sql or secret.upper() in sql for secret in secrets) for sql in said)


def selections(batch):
    scanned = [position(order).secret for order in orders(batch)]
    return {"secrets": {"secrets": scanned}, "lines": {"lines": scanned}}


@pytest.mark.parametrize("scanned_as", ["secrets", "lines"])
@pytest.mark.parametrize("generator", ["random", "pretix_sig1"])
def test_no_statement_has_the_secrets_that_were_scanned_or_drawn(event, make_batch, generator, scanned_as):
    event.settings.ticket_secret_generator = generator
    batch = make_batch(amount=AMOUNT)
    secrets = secrets_of(batch)
    for ticket in batch.tickets.all():  # or there would be no list of blocked codes to write
        ticket.order.positions.update(blocked=["admin"])
    with CaptureQueriesContext(connection) as queries:
        replaced = run(asked(batch, selections(batch)[scanned_as], job_kind=REPLACE))
        secrets |= secrets_of(batch)
        lost = run(asked(batch, selections(batch)[scanned_as], job_kind=REPORT_LOST))
        found = run(asked(batch, selections(batch)[scanned_as], job_kind=UNDO_LOST))
        back = run(asked(batch, selections(batch)[scanned_as]))
        secrets |= secrets_of(batch)
        scanned = selections(batch)["secrets"] if generator == "random" else None
        valid_again = run(asked(batch, scanned, job_kind=UNDO_RETURN))
    amounts = [len(done(job)) for job in (replaced, lost, found, back, valid_again)]
    assert amounts == [*[AMOUNT] * 4, AMOUNT if generator == "random" else 0]
    assert len(secrets) == (6 if generator == "random" else 7) * AMOUNT
    assert most_in_one(queries, secrets) == 0


def test_what_a_job_writes_again_and_again_stays_small(event, make_batch, monkeypatch):
    batch = make_batch(amount=AMOUNT)
    job = asked(batch, selections(batch)["secrets"])
    asked_for = job.selection
    job.refresh_from_db()
    assert job.selection == asked_for
    written, update = [], Job.update
    monkeypatch.setattr(Job, "update", lambda self, **values: written.append(values) or update(self, **values))
    run(job)
    assert len(done(job)) == AMOUNT
    assert ["selection" in values for values in written].count(True) == 1
    assert max(len(json.dumps(values["checkpoint"])) for values in written if "checkpoint" in values) < 100
