"""Ticket numbers: each batch counts from 1, unless it is told where to go on."""

import pytest
from django.core.exceptions import ValidationError

from pretix_offlinesales.issuing.product import next_number
from pretix_offlinesales.jobs.registry import request_of
from pretix_offlinesales.models import MAX_NUMBER, OfflineSalesBatch

pytestmark = pytest.mark.django_db


def numbers(job):
    return list(job.batch.tickets.order_by("number").values_list("number", flat=True))


def test_batches_count_from_one_each(issued, event, item, quota):
    assert [numbers(issued(event, item)) for _ in range(2)] == [[1, 2, 3], [1, 2, 3]]


def test_numbers_go_on_over_batches_of_a_product(issued, event, item, quota):
    assert next_number(event, item) == 1
    issued(event, item)
    assert next_number(event, item) == 4
    assert numbers(issued(event, item, first_number=4)) == [4, 5, 6]
    assert next_number(event, item) == 7


@pytest.mark.parametrize("first", [3, 5, 7])
def test_overlaps_within_the_product_are_refused(issued, event, item, quota, first):
    batch = issued(event, item, first_number=5).batch
    with pytest.raises(ValidationError) as error:
        issued(event, item, first_number=first)
    assert error.value.message_dict == {
        "first_number": [f"Some of these numbers are taken: batch {batch} of this product has tickets 5 to 7."]
    }


def test_gaps_can_be_filled(issued, event, item, quota):
    issued(event, item, first_number=5)
    assert numbers(issued(event, item, first_number=2)) == [2, 3, 4]


def test_other_products_have_their_own_numbers(issued, event, item, quota):
    other = event.items.create(name="Child", default_price=5)
    quota.items.add(other)
    issued(event, item, first_number=1)
    assert numbers(issued(event, other, first_number=1)) == [1, 2, 3]


@pytest.mark.postgresql
def test_numbers_that_nobody_has_chosen_are_found_when_the_batch_is_made(waiting, event, item, web):
    """However many of the product are made between the request and that."""

    def make():
        OfflineSalesBatch.objects.create(event=event, item=item, amount=20, first_number=1, sales_channel=web)

    job = waiting(make, numbers_go_on=True)
    assert (request_of(job).first_number, numbers(job)) == (None, [21, 22, 23])
    assert [ticket.order.meta_info_data["offlinesales"]["number"] for ticket in job.batch.tickets.all()] == [21, 22, 23]


def test_numbers_end_where_no_more_digits_fit(issued, event, item, quota):
    issued(event, item, first_number=MAX_NUMBER - 2)
    job = issued(event, item, numbers_go_on=True)
    assert (job.state, job.message) == ("failed", "Ticket numbers are between 1 and 99999999.")
