"""What a query is for the database, to ask about its rows what Django can't say: it has no queries within ``FROM``."""

from typing import Any

from django.db.models import QuerySet


def as_sql(rows: QuerySet) -> tuple[str, tuple[Any, ...]]:
    """
    The statement, and its parameters.

    :raises EmptyResultSet: if there can't be any such rows
    """
    return rows.query.sql_with_params()
