"""The mark that issuing leaves in an order."""

import json

import pytest
from pretix.base.models import Order

from pretix_offlinesales.tickets.origin import Origin


def test_issuing_leaves_it(make_batch):
    batch = make_batch(amount=2)
    orders = [ticket.order for ticket in batch.tickets.order_by("number")]
    assert [json.loads(order.meta_info) for order in orders] == [
        {"offlinesales": {"batch": batch.pk, "number": number, "amount": 2, "order": order.code}}
        for number, order in enumerate(orders, start=1)
    ]


def test_where_numbers_go_on_it_knows_the_first(make_batch):
    batch = make_batch(amount=2, first_number=101)
    order = batch.tickets.get(number=102).order
    assert Origin.of(order) == Origin(batch.pk, 102, 2, first=101)


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin(3, 17, 200), "Offline sales batch 3, ticket 17 of 200"),
        (Origin(3, 217, 200, first=201), "Offline sales batch 3, ticket 217 (of 201 to 400)"),
    ],
)
def test_it_reads_well(origin, text):
    assert str(origin) == text


@pytest.mark.parametrize(
    ("origin", "padded"),
    [
        (Origin(3, 17, 200), "0017"),
        (Origin(3, 17, 10_000), "00017"),
        (Origin(3, 9_999, 200, first=9_900), "09999"),
        (Origin(3, 9_900, 100, first=9_900), "9900"),
    ],
)
def test_padded_numbers_of_a_batch_have_one_length(origin, padded):
    assert origin.padded_number == padded


@pytest.mark.parametrize(
    "meta_info",
    [
        "",
        "{}",
        "[]",
        "[1]",
        '{"offlinesales": null}',
        '{"offlinesales": "batch"}',
        '{"offlinesales": {"batch": 1}}',
        '{"offlinesales": {"batch": "<b>"}}',
        '{"offlinesales": {"batch": -3, "number": 1, "amount": 1}}',
        '{"offlinesales": {"batch": 3, "number": 0, "amount": 1}}',
        '{"offlinesales": {"batch": 1e999, "number": 1, "amount": 1}}',
    ],
)
def test_other_orders_have_none(meta_info):
    assert Origin.of(Order(meta_info=meta_info)) is None
