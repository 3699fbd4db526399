"""Several do something at the same moment, on PostgreSQL."""

from threading import Barrier

import pytest
from django.db import connection

from .workers import Other


@pytest.fixture(autouse=True)
def no_deadlock(transactional_db):
    """Jobs try again after one, so that nothing else would tell."""
    before = deadlocks()
    yield
    assert deadlocks() == before


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def at_once(*works):
    """What comes of them, or what they raise."""
    together = Barrier(len(works), timeout=20)

    def work(each):
        together.wait()
        return each()

    others = [Other(lambda each=each: work(each)) for each in works]
    for other in others:
        other.join()
    return [other.result for other in others]
