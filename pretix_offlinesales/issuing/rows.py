"""
Many rows that are alike but for a few columns, in one statement.

What is alike is sent once, what differs as one JSON document that the database takes apart itself. That is as fast as
``COPY``, needs no model instance a row, and works the same on PostgreSQL and SQLite.
"""

import json
from collections.abc import Sequence

from django.db import connection, models
from pretix.base.models import LogEntry
from pretix.helpers.json import CustomJSONEncoder

#: How many rows one statement inserts: enough to make statements few, few enough to keep them small.
CHUNK = 10_000

#: How a value is taken out of a JSON array, by database.
ELEMENT = {
    "postgresql": "(value->>{index})::{type}",
    "sqlite": "json_extract(value, '$[{index}]')",
}
ELEMENTS = {
    "postgresql": "jsonb_array_elements(%s::jsonb)",
    "sqlite": "json_each(%s)",
}


def insert_copies(instance: models.Model, **columns: Sequence) -> None:
    """
    Insert copies of an unsaved instance.

    :param columns: by field name (``order_id`` for a foreign key), the values that differ, as JSON knows them. All are
        of the same length, which is the number of rows.
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
        columns=", ".join(quote(field.column) for field in fields),
        values=", ".join(values),
        elements=ELEMENTS[connection.vendor],
    )
    rows = list(zip(*columns.values(), strict=True))
    with connection.cursor() as cursor:
        for start in range(0, len(rows), CHUNK):
            cursor.execute(statement, [*constants, json.dumps(rows[start : start + CHUNK])])


def _element(field, index):
    # A cast to a type with a length would cut off what is too long; the column itself refuses it.
    column_type = "text" if isinstance(field, models.CharField) else field.rel_db_type(connection)
    return ELEMENT[connection.vendor].format(index=index, type=column_type)


def log(one: models.Model, action: str, pks: Sequence[int], data: Sequence[dict], requester: dict) -> list[int]:
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
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [connection.ops.quote_name(table), column, amount],
            )
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        [last] = cursor.fetchone() or [0]
        return list(range(last + 1, last + 1 + amount))
