"""
What PostgreSQL makes of our queries when it knows nothing of its tables, as on a fresh server or after a restore.

Not the time is measured, but the rows that are looked at: they must not grow faster than the tickets do.
"""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django_scopes import scope
from pretix.base.models import Checkin, OrderPosition
from pretix.base.models.orders import PrintLog

from pretix_offlinesales.after_sale.examine import examine
from pretix_offlinesales.control.forms import BatchFilterForm, TicketFilterForm
from pretix_offlinesales.documents import make
from pretix_offlinesales.exporters import OfflineSalesExporter
from pretix_offlinesales.issuing.announce import announce
from pretix_offlinesales.issuing.making import Making
from pretix_offlinesales.jobs import announcing, runner
from pretix_offlinesales.jobs.queries import unfinished, with_pending_webhooks
from pretix_offlinesales.kinds import ISSUE, MAKE_DATA, PRINT, REPLACE, REPORT_LOST, RETURN, UNDO_RETURN
from pretix_offlinesales.models import Job, OfflineSalesBatch
from pretix_offlinesales.printing.choice import choose, count_blocked, count_printed
from pretix_offlinesales.printing.data import DataOptions
from pretix_offlinesales.printing.tickets import ValidTickets, kinds_of_positions
from pretix_offlinesales.sellers.stock import ranges
from pretix_offlinesales.tickets.entries import count_entries
from pretix_offlinesales.tickets.figures import figures, tally, tickets_of, total
from pretix_offlinesales.tickets.selection import Selection
from pretix_offlinesales.tickets.state import with_state
from tests.support.after_sale import take_back

pytestmark = pytest.mark.postgresql

TICKETS = 500

#: That one query may look at for each ticket. Where each is compared with each, these are five hundred.
ROWS = 60


@pytest.fixture
def batch(make_batch, quota):
    """A third was let in, half are printed, some came back; and nobody has counted anything."""
    quota.size = TICKETS
    quota.save()
    batch = make_batch(amount=TICKETS)
    positions = OrderPosition.objects.filter(order__offline_sales_ticket__batch=batch).order_by("pk")
    everybody = batch.event.checkin_lists.create(name="All", all_products=True)
    Checkin.objects.bulk_create(Checkin(position=position, list=everybody) for position in positions[::3])
    printed = {"type": PrintLog.TYPE_TICKET, "datetime": now()}
    PrintLog.objects.bulk_create(PrintLog(position=position, **printed) for position in positions[::2])
    take_back(batch, "1-50", "unsold")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pg_statistic")
        cursor.execute(
            "UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0"
            " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        )
    return batch


def rows_looked_at(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
        [(plan,)] = cursor.fetchall()
    [plan] = json.loads(plan) if isinstance(plan, str) else plan
    return _rows(plan["Plan"])


def _rows(node):
    seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    own = node["Actual Loops"] * sum(node.get(name, 0) for name in seen)
    return own + sum(map(_rows, node.get("Plans", [])))


def found_by(form, rows):
    assert form.is_valid()
    return list(form.filter_qs(rows))


def batches_with(batch, query):
    form = BatchFilterForm(data={"query": query}, event=batch.event)
    return found_by(form, OfflineSalesBatch.objects.filter(event=batch.event))


def tickets_with(batch, **values):
    return found_by(TicketFilterForm(data=values, batch=batch), with_state(batch.tickets.select_related("order")))


def some_secret(batch):
    return OrderPosition.all.filter(order__offline_sales_ticket__batch=batch).values_list("secret", flat=True)[7]


def exported(batch):
    exporter = OfflineSalesExporter(batch.event, batch.event.organizer)
    return [list(getattr(exporter, f"iterate_{sheet}")({})) for sheet, _title in exporter.sheets]


QUESTIONS = {
    "figures": lambda batch: figures(tickets_of([batch]), by="batch"),
    "total": lambda batch: total(tickets_of(OfflineSalesBatch.objects.filter(event=batch.event))),
    "tally": lambda batch: tally(batch.tickets.all(), by="batch"),
    "ranges": lambda batch: list(ranges(tickets_of([batch]))),
    "entries": lambda batch: count_entries(batch.tickets.all(), batch.event.timezone),
    "batches with a code": lambda batch: batches_with(batch, batch.tickets.first().order.code),
    "batches with a secret": lambda batch: batches_with(batch, some_secret(batch)),
    "tickets": tickets_with,
    "tickets with a secret": lambda batch: tickets_with(batch, query=some_secret(batch)),
    **{
        f"tickets, {status}": lambda batch, status=status: tickets_with(batch, status=status, ordering="-printed")
        for status in TicketFilterForm.STATUS
    },
    "delivery note": make.delivery_note,
    "statement": make.statement_rows,
    "export": exported,
    "what to print": lambda batch: choose(batch, "1-500", "unprinted"),
    "what is valid": lambda batch: choose(batch, only="valid"),
    "what was printed": lambda batch: count_printed(batch, batch.numbers),
    "what is blocked": lambda batch: count_blocked(batch, batch.numbers),
    "kinds": lambda batch: kinds_of_positions(batch, batch.numbers),
    "print": lambda batch: list(ValidTickets(batch, batch.numbers)),
    "return": lambda batch: list(examine(batch.event, None, Selection.from_json({"all": True}), RETURN)),
    "return by secret": lambda batch: list(
        examine(batch.event, batch, Selection.from_json({"secrets": _secrets(batch)}), RETURN)
    ),
    "undo": lambda batch: list(examine(batch.event, None, Selection.from_json({"all": True}), UNDO_RETURN)),
}


def _secrets(batch):
    return list(OrderPosition.all.filter(order__offline_sales_ticket__batch=batch).values_list("secret", flat=True))


def heavy(captured, rows_at_most=ROWS * TICKETS):
    """The queries that look at too many rows."""
    asked = {query["sql"] for query in captured if query["sql"].startswith("SELECT")}
    counted = {sql: rows_looked_at(sql) for sql in asked}
    return {sql: rows for sql, rows in counted.items() if rows > rows_at_most}


def test_no_query_within_a_scope_depends_on_statistics(batch, organizer):
    found = {}
    for name, ask in QUESTIONS.items():
        with scope(organizer=organizer), CaptureQueriesContext(connection) as captured:
            ask(batch)
        found[name] = heavy(captured)
    assert found == dict.fromkeys(QUESTIONS, {})


def test_neither_does_the_api(batch, api, url):
    found = {}
    paths = ("", "?printed=false", "?checked_in=true&page=2", "?returned=unsold", "?status=p", "?status=c&number=3")
    for path in paths:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"{url}{batch.pk}/tickets/{path}").status_code == 200
        found[path] = heavy(captured)
    assert found == dict.fromkeys(paths, {})


#: How queries begin that fetch orders, their positions or their history.
OF_ORDERS = ('SELECT "pretixbase_order', 'SELECT "pretixbase_logentry')


def of_the_host(sql):
    """How it counts a quota."""
    return "quota" in sql or "waitinglist" in sql


@pytest.mark.parametrize("kind", [REPORT_LOST, RETURN, UNDO_RETURN, REPLACE, PRINT, MAKE_DATA])
def test_neither_does_a_job(batch, organizer, kind):
    if kind == PRINT:
        job = PRINT.ask(batch, {})
    elif kind == MAKE_DATA:
        job = MAKE_DATA.ask(batch, DataOptions(), {})
    else:
        job = kind.ask(batch.event, Selection.from_json({"all": True}), {}, batch)
    with scope(organizer=organizer), CaptureQueriesContext(connection) as captured:
        runner.run(batch.event, job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED
    assert [sql for sql in heavy(captured) if not of_the_host(sql)] == []


@pytest.mark.parametrize(
    ("jobs", "index"),
    [
        (unfinished, "offlinesales_job_unfinished"),
        (with_pending_webhooks, "offlinesales_job_untold"),
    ],
)
def test_who_looks_every_minute_reads_no_other_jobs(db, jobs, index):
    """Of a table that is as small as here, all would be read, unless that is forbidden."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert f"Scan using {index} " in jobs().explain() or f"Bitmap Index Scan on {index} " in jobs().explain()


@pytest.mark.parametrize("kind", [REPORT_LOST, RETURN, UNDO_RETURN, REPLACE])
def test_what_is_asked_of_many_tickets_after_their_sale_is_not_compiled(batch, organizer, kind):
    """The fewer tickets there are in a chunk, the more time that would take for each."""
    compiled = []

    def look(execute, sql, params, many, context):
        if sql.startswith("SELECT") and len(params or ()) > TICKETS / 10 and not _is_off("jit"):
            compiled.append(sql)
        return execute(sql, params, many, context)

    job = kind.ask(batch.event, Selection.from_json({"all": True}), {}, batch)
    with scope(organizer=organizer), connection.execute_wrapper(look):
        runner.run(batch.event, job.pk)
    assert compiled == []


def _is_off(setting):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        return cursor.fetchone() == ("off",)


def test_who_tells_of_some_orders_does_not_look_at_those_that_follow(batch, organizer, monkeypatch):
    """Nor at what was written about others, where a webhook listens to something."""
    monkeypatch.setattr(announcing, "CHUNK", 20)
    webhook = organizer.webhooks.create(target_url="https://example.org/", enabled=True, all_events=True)
    webhook.listeners.create(action_type="pretix.event.order.modified")
    job = batch.jobs.get(kind=ISSUE.identifier)
    job.row.update(state=Job.State.RUNNING, checkpoint={})
    job.refresh_from_db()
    with scope(organizer=organizer), CaptureQueriesContext(connection) as captured:
        announce(Making(job))
    about_orders = [query for query in captured if query["sql"].startswith(OF_ORDERS) and not of_the_host(query["sql"])]
    assert heavy(about_orders, rows_at_most=40 * 20) == {}
