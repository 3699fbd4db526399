"""When people came."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.tickets.entries import count_entries

from ..support.door import check_in


def orders(batch):
    return [ticket.order for ticket in batch.tickets.order_by("number")]


def at(*moment):
    """In Berlin, where the event is."""
    return datetime(2027, *moment, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("entered", "expected"),
    [
        ([], []),
        ([(5, 8, 18, 4)], [((5, 8, 18, 0), 1)]),
        ([(5, 8, 18, 4), (5, 8, 18, 0), (5, 8, 18, 11)], [((5, 8, 18, 0), 2), ((5, 8, 18, 5), 0), ((5, 8, 18, 10), 1)]),
        ([(5, 8, 18, 4), (5, 8, 22, 50)], [((5, 8, 18, 0), 1), ((5, 8, 22, 45), 1)]),
        ([(5, 8, 23, 4), (5, 10, 0, 1)], [((5, 8, 23, 0), 1), ((5, 10, 0, 0), 1)]),
        ([(3, 27, 9, 0), (3, 28, 0, 30), (4, 14, 23, 59)], [((3, 27), 1), ((3, 28), 1), ((4, 14), 1)]),
        ([(1, 1, 9, 0), (10, 1, 9, 0)], [((1, 1), 1), ((10, 1), 1)]),
    ],
)
def test_in_steps_of_a_sensible_length(make_batch, entered, expected):
    batch = make_batch(amount=3)
    for order, moment in zip(orders(batch), entered, strict=False):
        check_in(order, datetime=at(*moment))
        check_in(order, datetime=at(*moment) + timedelta(days=200))  # again, but it has been in
    found = count_entries(batch.tickets.all(), batch.event.timezone)
    assert len(found) <= 48
    shown = [(moment, count) for moment, count in found if count or len(found) < 5]
    assert shown == [(at(*moment), count) for moment, count in expected]


def test_that_takes_one_query(make_batch):
    batch, other = make_batch(amount=5), make_batch(amount=2)
    for order in orders(batch) + orders(other):
        check_in(order)
    with CaptureQueriesContext(connection) as captured:
        assert sum(count for _moment, count in count_entries(batch.tickets.all(), batch.event.timezone)) == 5
    assert len([query for query in captured if "checkin" in query["sql"]]) == 1
