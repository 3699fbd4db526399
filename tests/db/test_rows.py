"""What the database is told, and what it may write into its log: no secrets."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pretix.base.models import Order, OrderPosition

from pretix_offlinesales.db.rows import insert_copies, look_up, sent, taken, update_from
from pretix_offlinesales.issuing.blueprint import simulate
from pretix_offlinesales.issuing.insert import insert
from pretix_offlinesales.issuing.making import Making
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job, OfflineSalesBatch, SheetPreset

pytestmark = pytest.mark.django_db


def secrets_of(batch):
    fields = ("secret", "internal_secret", "all_positions__secret", "all_positions__web_secret")
    orders = Order.objects.filter(offline_sales_ticket__batch=batch)
    return {secret for row in orders.values_list(*fields) for secret in row}


def statements(queries):
    return "\n".join(query["sql"] for query in queries)


@pytest.mark.postgresql
def test_no_statement_has_a_secret_in_it(issued, event, item, quota):
    """PostgreSQL's log has statements that fail, or take long, as they come over the wire."""
    with CaptureQueriesContext(connection) as queries:
        batch = issued(event, item, amount=20).batch
    said, secrets = statements(queries), secrets_of(batch)
    assert len(secrets) == 80
    assert [secret for secret in secrets if secret in said] == []


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_statement_that_is_canceled_has_no_secret_in_it(event, item, quota, web):
    batch = OfflineSalesBatch(event=event, item=item, amount=20, sales_channel=web)
    job = ISSUE.create(event, IssueRequest.of(batch), {})
    job.row.update(state=Job.State.RUNNING)
    other = connection.copy()
    other.set_autocommit(False)
    other.cursor().execute(f"LOCK TABLE {OrderPosition._meta.db_table} IN SHARE MODE")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '500ms'")
    try:
        with CaptureQueriesContext(connection) as queries, pytest.raises(OperationalError, match="statement timeout"):
            insert(Making(job), batch, simulate(batch))
    finally:
        other.close()
        connection.close()
    written = [query["sql"] for query in queries if "INSERT INTO" in query["sql"]]
    assert '"pretixbase_orderposition"' in written[-1]
    assert [statement for statement in written if "[[" in statement] == []


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_in_the_connection(db):
    assert taken(["A", "B"], Order._base_manager.all(), "code") == set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'offlinesales_documents'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    "text", ["plain", 'quote " and \\ backslash \\n', "tab\tand\nline", "Ümläut ✓ 𝄞", "\\.", " " * 200]
)
def test_all_texts_arrive_as_they_are(event, text):
    insert_copies(SheetPreset(event=event), name=["one", "two"], sheet=['{"a": 1}', '{"a": 2}'])
    insert_copies(event.items.model(event=event, default_price=0), internal_name=[text, f"{text}2"], name=["a", "b"])
    assert list(event.items.order_by("pk").values_list("internal_name", flat=True)) == [text, f"{text}2"]
    assert [preset.sheet for preset in event.offline_sales_presets.all()] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("name", ["plain", 'with \\ and "quotes"', "Ümläut ✓"])
def test_many_rows_are_updated_each_with_its_own_value(event, name):
    presets = [SheetPreset.objects.create(event=event, name=f"old {number}", sheet={}) for number in range(3)]
    last, first = presets[2].pk, presets[0].pk
    update_from(SheetPreset, [last, first], {"sheet": {"paper": "A4"}}, name=[name, "first"], event_id=[event.pk] * 2)
    assert [(preset.name, preset.sheet) for preset in event.offline_sales_presets.order_by("pk")] == [
        ("first", {"paper": "A4"}),
        ("old 1", {}),
        (name, {"paper": "A4"}),
    ]


@pytest.mark.parametrize("value", [{"secrets": ['"', "\\", "Ü\t"]}, {"found": [["x", None, ""]]}, {"all": True}])
def test_a_json_value_arrives_as_it_is(event, value):
    preset = SheetPreset(event=event, name="x", sheet=sent(value))
    preset.save()
    assert SheetPreset.objects.get(pk=preset.pk).sheet == value
    SheetPreset.objects.update(sheet={})
    SheetPreset.objects.update(sheet=sent(value))
    assert SheetPreset.objects.get(pk=preset.pk).sheet == value


@pytest.mark.postgresql
def test_drawn_values_are_looked_for_by_the_index_of_values(issued, event, item, quota):
    """Through all that the organizer has, for each value, would be a hundred million rows with 10,000 tickets."""
    with CaptureQueriesContext(connection) as queries:
        issued(event, item, amount=20)
    looks = [query["sql"] for query in queries if query["sql"].startswith("WITH sent AS")]
    plans = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the tables are small here
        for look in looks:
            cursor.execute(f"EXPLAIN {look}")
            plans.append(" ".join(line for (line,) in cursor.fetchall()))
    columns = ("code", "secret", "pseudonymization_id")
    assert [[f"Index Cond: (({column})::text = " in plan for column in columns] for plan in plans] == 2 * [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]
    assert ["SubPlan" in plan for plan in plans] == 6 * [True]


def test_which_of_many_values_are_taken(event, web):
    for code in ("AAAAA", "B\\BBB", "CCCCC"):
        event.orders.create(code=code, status="n", total=0, sales_channel=web, expires=event.date_from)
    everybody = Order._base_manager.all()
    wanted = ["B\\BBB", "DDDDD", *(f"E{number:05}" for number in range(12_000)), "AAAAA"]
    assert taken(wanted, everybody, "code") == {"AAAAA", "B\\BBB"}
    assert taken(wanted, everybody.exclude(code="AAAAA"), "code") == {"B\\BBB"}
    assert taken([], everybody, "code") == set()
    pks = dict(everybody.values_list("code", "pk"))
    assert look_up(wanted, everybody, "code", "pk") == {code: pks[code] for code in ("AAAAA", "B\\BBB")}
    assert look_up(wanted, everybody.exclude(code="AAAAA"), "code", "pk") == {"B\\BBB": pks["B\\BBB"]}
