"""
How to ask about many tickets, so that PostgreSQL answers soon whatever it knows of its tables.

After a restore, on a fresh server, or as long as autovacuum is late, there are no statistics, and the planner guesses:
each value that is looked for stands in one row of two hundred, whatever it is. Where a query may be answered through
more than one index, it is luck which one that is, and the wrong one may be read as a whole for each of ten thousand
tickets. So there must be no choice: a subquery that is asked for each ticket names nothing that has an index but the
ticket's own order.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import BigIntegerField, BooleanField, ExpressionWrapper, F, Manager, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull
from django_scopes import scopes_disabled

#: So many ranges of keys are asked for as such.
MAX_RANGES = 20


def unscoped(manager: Manager) -> QuerySet:
    """
    All rows, without the condition that a scope adds within requests and tasks: that they are of this organizer. It is
    one more index to choose.

    Only for rows that are reached from orders or tickets that are known to be of the event.
    """
    with scopes_disabled():
        return manager.all()


def unindexed(column: str) -> ExpressionWrapper:
    """
    What this column of integers says. The database does not see that the sum is the column: it is to look for the rows
    by something else, and not through all that have this value, which it may take for few.
    """
    return ExpressionWrapper(F(column) + 0, output_field=BigIntegerField())


def among(column: str, keys: Iterable[int]) -> Q:
    """
    That a column is one of these keys. Those of a batch follow each other, and a few ranges are asked and answered in a
    fraction of the time that it takes to read ten thousand numbers.
    """
    runs: list[list[int]] = []
    ordered = sorted(set(keys))
    for key in ordered:
        if runs and key == runs[-1][1] + 1:
            runs[-1][1] = key
        elif len(runs) == MAX_RANGES:
            return Q((f"{column}__in", ordered))
        else:
            runs.append([key, key])
    ranges = [Q((f"{column}__gte", first_key), (f"{column}__lte", last_key)) for first_key, last_key in runs]
    return Q(*ranges, _connector=Q.OR) if ranges else Q(pk__in=[])


def first(rows: QuerySet, column: str) -> Subquery:
    """Of the first of these rows, or nothing."""
    return Subquery(rows.values(column)[:1])


def exists_for_each(rows: QuerySet) -> ExpressionWrapper:
    """
    Whether there is such a row, looked up for each ticket by itself. ``EXISTS`` says the same, but PostgreSQL may make
    a join of it, and one that was meant for a few tickets compares each of ten thousand with each.
    """
    return ExpressionWrapper(IsNull(first(rows.order_by(), "pk"), False), output_field=BooleanField())


def drop_broken_connection() -> None:
    """After an error: what is asked next opens a new one. Within a transaction there is nothing to be done."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


@contextmanager
def seen_at_once() -> Iterator[None]:
    """
    All that is read is of one moment, so that sums agree with what they are the sums of. Only to read: nothing that is
    committed meanwhile is seen. Within a transaction it is too late to ask for that.
    """
    is_possible = connection.vendor == "postgresql" and not connection.in_atomic_block
    with transaction.atomic():
        if is_possible:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def planned_plainly() -> Iterator[None]:
    """
    A transaction in which PostgreSQL does not compile queries. It takes what is asked of so many tickets for so much
    work that it would do that first: seconds, for a query that takes a tenth of that. And unless it is told otherwise,
    it thinks of disks that turn: rather than look for the orders of a batch one by one, it reads all that there are.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1")
        yield
