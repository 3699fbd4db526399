"""When tickets were sold, by whom."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pretix_offlinesales.models import OfflineSalesTicket
from pretix_offlinesales.sellers.sales import MAX_SELLERS, sales_over_time
from tests.support.after_sale import check_in, take_back
from tests.support.consignment import put_on_consignment
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")


def at(*moment):
    return datetime(2027, *moment, tzinfo=BERLIN)


def sell(batch, number, moment):
    batch.tickets.filter(number=number).update(sold=moment)


def sales():
    found = sales_over_time(OfflineSalesTicket.objects.all(), BERLIN)
    names = [seller.name if seller else None for seller in found.sellers]
    return names, [(moment, list(counts)) for moment, counts in found.steps if any(counts)]


def test_nothing_sold_is_no_chart(make_batch, organizer):
    assert sales() == ([], [])
    handed_over(make_batch(amount=3), make_seller(organizer), "1-2")
    assert sales() == ([], [])


def test_each_ticket_is_sold_once_as_early_as_anybody_knows(make_batch, organizer):
    batch = make_batch(amount=10)
    kiosk, office = (make_seller(organizer, name) for name in ("Kiosk", "Office"))
    handed_over(batch, kiosk, "1-4")
    handed_over(batch, office, "5-8")
    sell(batch, 1, at(3, 1, 10))
    check_in(batch.tickets.get(number=1), at(3, 3, 20))
    check_in(batch.tickets.get(number=2), at(3, 3, 20))
    sell(batch, 5, at(3, 1, 23, 59))
    sell(batch, 6, at(3, 2))
    sell(batch, 7, at(3, 2))
    check_in(batch.tickets.get(number=9), at(3, 3))  # from stock
    take_back(batch, "7", "unsold")
    names, steps = sales()
    assert names == ["Kiosk", "Office"]
    # In steps of four hours.
    assert steps == [
        (at(3, 1, 8), [1, 0]),
        (at(3, 1, 20), [0, 1]),
        (at(3, 2), [0, 1]),
        (at(3, 3, 20), [1, 0]),
    ]


def test_what_was_only_paid_was_sold_then(make_batch, organizer):
    batch = put_on_consignment(make_batch(amount=2))
    handed_over(batch, make_seller(organizer), "1-2")
    order = batch.tickets.get(number=1).order
    order.payments.create(provider="manual", amount=order.total).confirm()
    _names, [(_moment, counts)] = sales()
    assert counts == [1]


def test_those_who_sell_most_are_told_apart_and_it_takes_two_queries(make_batch, organizer):
    batch = make_batch(amount=40)
    first = 1
    for place in range(MAX_SELLERS + 2):
        seller = make_seller(organizer, f"Seller {place}")
        count = 2 if place > 2 else 1
        handed_over(batch, seller, f"{first}-{first + count - 1}")
        for number in range(first, first + count):
            sell(batch, number, at(3, 1) + timedelta(minutes=number))
        first += count
    with CaptureQueriesContext(connection) as queries:
        names, steps = sales()
    assert names == [*(f"Seller {place}" for place in range(3, 3 + MAX_SELLERS - 1)), None]
    assert [sum(column) for column in zip(*(counts for _moment, counts in steps), strict=True)] == [2] * 5 + [3]
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) == 2
