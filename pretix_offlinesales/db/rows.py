"""
Many rows that are alike but for a few columns, in one statement; and how to ask about many values.

What is alike is sent once, what differs as one JSON document that the database takes apart itself. That is as fast as
``COPY``, needs no model instance a row, and works the same on PostgreSQL and SQLite.

These values are secrets, and PostgreSQL writes statements into its log that fail or take too long, with all values that
the driver has put into them. So the document is in no statement there: ``COPY`` brings it into a temporary table.
"""

import io
import json
from collections.abc import Callable, Collection, Sequence
from itertools import count
from typing import Any, cast

from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from pretix.base.models import LogEntry, LoggedModel

from ..host.helpers import CustomJSONEncoder

#: How many rows one statement inserts: enough to make statements few, few enough to keep them small.
CHUNK = 10_000

#: How a value is taken out of a JSON array, by database.
ELEMENT = {
    "postgresql": "(value->>{index})::{type}",
    "sqlite": "json_extract(value, '$[{index}]')",
}
#: The arrays of a document. What is passed is, on PostgreSQL, the number of the document.
ELEMENTS = {
    "postgresql": "offlinesales_documents, jsonb_array_elements(document) WHERE number = %s",
    "sqlite": "json_each(%s)",
}
#: Of the row that a COPY was at when it was canceled, PostgreSQL logs so many characters. JSON may begin with blanks.
LOGGED = 100

_numbers = count(1)


def insert_copies(instance: models.Model, **columns: Sequence) -> None:
    """
    Insert copies of an unsaved instance.

    :param columns: by field name (``order_id`` for a foreign key), the values that differ, as JSON knows them. All are
        of the same length, which is the number of rows.
    """
    with transaction.atomic():
        send_copies(instance, **columns)()


def send_copies(instance: models.Model, **columns: Sequence) -> Callable[[], None]:
    """
    The first half of ``insert_copies``, which brings everything to the database. The second half is to call what this
    returns, in the same transaction.
    """
    fields = [field for field in instance._meta.concrete_fields if not field.primary_key or field.attname in columns]
    order = list(columns)
    values, constants = [], []
    for field in fields:
        if field.attname in columns:
            values.append(_element(field, order.index(field.attname)))
        else:
            values.append("%s")
            constants.append(field.get_db_prep_save(field.pre_save(instance, add=True), connection))
    quote = connection.ops.quote_name
    statement = "INSERT INTO {table} ({columns}) SELECT {values} FROM {elements}".format(
        table=quote(instance._meta.db_table),
        columns=", ".join(_column(field) for field in fields),
        values=", ".join(values),
        elements=ELEMENTS[connection.vendor],
    )
    documents = _send_columns(columns.values())

    def insert():
        with connection.cursor() as cursor:
            for document in documents:
                cursor.execute(statement, [*constants, document])

    return insert


@transaction.atomic
def update_from(
    model: type[models.Model], pks: Sequence[int], alike: dict | None = None, /, **columns: Sequence
) -> None:
    """
    Update the rows with these keys.

    :param alike: by field name, what all of them get
    :param columns: by field name, what each gets, as ``insert_copies`` takes it
    """
    table, key, alike = connection.ops.quote_name(model._meta.db_table), model._meta.pk, alike or {}
    constant = {_field(model, name): value for name, value in alike.items()}
    sent = [key, *(_field(model, name) for name in columns)]
    new_values = [f"{_column(field)} = sent.column_{index}" for index, field in enumerate(sent) if index]
    statement = (
        "UPDATE {table} SET {values} FROM (SELECT {columns} FROM {elements}) AS sent "
        "WHERE {table}.{key} = sent.column_0"
    ).format(
        table=table,
        key=_column(key),
        values=", ".join([*(f"{_column(field)} = %s" for field in constant), *new_values]),
        columns=", ".join(f"{_element(field, index)} AS column_{index}" for index, field in enumerate(sent)),
        elements=ELEMENTS[connection.vendor],
    )
    constants = [field.get_db_prep_save(value, connection) for field, value in constant.items()]
    with connection.cursor() as cursor:
        for document in _send_columns([pks, *columns.values()]):
            cursor.execute(statement, [*constants, document])


def taken(values: Collection[str], others: models.QuerySet, field: str) -> set[str]:
    """Which of these texts are the ``field`` of one of ``others``."""
    found = _ask_for_each("SELECT text FROM sent WHERE EXISTS ({one})", values, others.values("pk"), field)
    return {value for (value,) in found}


def look_up(values: Collection[str], others: models.QuerySet, field: str, column: str) -> dict:
    """For each of these texts that is the ``field`` of one of ``others``, the ``column`` of such a one."""
    found = _ask_for_each("SELECT text, ({one}) FROM sent", values, others.values(column), field)
    return {value: one for value, one in found if one is not None}


def _ask_for_each(question: str, values: Collection[str], others: models.QuerySet, field: str) -> list[tuple]:
    """
    The database looks for one text after the other: for the ``OFFSET``, PostgreSQL can't read the whole table instead,
    or compare all values with all others, as it would in places where it has no statistics.
    """
    if not values:
        return []
    quote = connection.ops.quote_name
    column = f"{quote(others.model._meta.db_table)}.{_column(_field(others.model, field))}"
    one = others.filter(RawSQL(f"{column} = sent.text", (), output_field=models.BooleanField()))
    sql, parameters = one.order_by().query.sql_with_params()
    statement = "WITH sent AS (SELECT {text} AS text FROM {elements}) {question}".format(
        text=ELEMENT[connection.vendor].format(index=0, type="text"),
        elements=ELEMENTS[connection.vendor],
        question=question.format(one=f"{sql} LIMIT 1 OFFSET 0"),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [_send([[value] for value in values]), *parameters])
        return cursor.fetchall()


def _send_columns(columns: Collection[Sequence]) -> list[int | str]:
    rows = list(zip(*columns, strict=True))
    return [_send(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]


def sent(value: object) -> object:
    """What stands for this JSON value where a row is saved or updated, in the same transaction."""
    if connection.vendor != "postgresql":
        return value
    statement = "SELECT document FROM offlinesales_documents WHERE number = %s"
    return RawSQL(statement, [_send(value)], output_field=models.JSONField())


def _send(value: object) -> int | str:
    """Bring a document to the database. Returns what stands for it in statements of the same transaction."""
    document = json.dumps(value)
    if connection.vendor != "postgresql":
        return document
    number = next(_numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS offlinesales_documents (number bigint, document jsonb) ON COMMIT DROP"
        )
        escaped = document.replace("\\", "\\\\")
        _copy(cursor, "COPY offlinesales_documents FROM STDIN", f"{number}\t{' ' * LOGGED}{escaped}\n")
    return number


def _copy(cursor: Any, statement: str, data: str) -> None:
    with connection.wrap_database_errors:
        if hasattr(cursor, "copy_expert"):  # psycopg 2
            cursor.copy_expert(statement, io.StringIO(data))
        else:
            with cursor.copy(statement) as copy:
                copy.write(data)


def _field(model: type[models.Model], name: str) -> models.Field:
    return cast(models.Field, model._meta.get_field(name))


def _column(field: models.Field) -> str:
    """The name, quoted."""
    return connection.ops.quote_name(cast(str, field.column))


def _element(field: models.Field, index: int) -> str:
    # A cast to a type with a length would cut off what is too long; the column itself refuses it.
    column_type = "text" if isinstance(field, models.CharField) else field.rel_db_type(connection)
    return ELEMENT[connection.vendor].format(index=index, type=column_type)


def log(one: LoggedModel, action: str, pks: Sequence[int], data: Sequence[dict], requester: dict) -> list[int]:
    """
    What ``one.log_action`` would write, for all objects of its kind with these keys; without a mail to anybody. Returns
    the keys of the entries.

    :param requester: of ``Requested``
    """
    entry = one.log_action(action, save=False, **requester)
    entries = reserve_ids(LogEntry, len(pks))
    insert_copies(entry, id=entries, object_id=pks, data=[_as_the_host(each) for each in data])
    return entries


def _as_the_host(data: dict) -> str:
    return json.dumps(data, cls=CustomJSONEncoder, sort_keys=True)


def check_references() -> None:
    """Let PostgreSQL check now, while nobody waits, that what was written refers to what exists, and not at commit."""
    if connection.vendor == "postgresql":
        connection.check_constraints()


def reserve_ids(model: type[models.Model], amount: int) -> list[int]:
    """Primary keys for new rows, that nobody else will get. (On SQLite, within a transaction: it has one writer.)"""
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(sequence) FROM CAST(pg_get_serial_sequence(%s, %s) AS regclass) AS sequence,"
                " generate_series(1, %s)",
                [connection.ops.quote_name(table), column, amount],
            )
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        [last] = cursor.fetchone() or [0]
        return list(range(last + 1, last + 1 + amount))
