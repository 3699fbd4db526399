"""What a batch would cost, and whether there are enough tickets."""

from decimal import Decimal

import pytest

from pretix_offlinesales.issuing.quote import Quote, quote
from pretix_offlinesales.models import JobFailed, OfflineSalesBatch


@pytest.fixture
def batch(event, item, quota, web):
    return OfflineSalesBatch(event=event, item=item, sales_channel=web, amount=40)


def test_price_total_and_what_is_left(batch):
    assert quote(batch) == Quote(price=Decimal("23.00"), total=Decimal("920.00"), left=100)


def test_the_smallest_quota_decides(batch, event, item):
    event.quotas.create(name="Hall", size=30).items.add(item)
    assert quote(batch).left == 30


def test_a_ticket_may_take_several_of_a_quota(batch, event, item, quota):
    drink = event.items.create(name="Drink", default_price=4)
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=2, designated_price=3)
    assert quote(batch).left == 33


def test_no_limit(batch, quota):
    quota.size = None
    quota.save()
    assert quote(batch).left is None


def test_oversold_means_none_left(batch, quota, make_batch):
    make_batch(amount=10)
    quota.size = 5
    quota.save()
    assert quote(batch).left == 0


@pytest.mark.parametrize(("left", "expected"), [(None, True), (40, True), (39, False)])
def test_whether_they_suffice(left, expected):
    assert Quote(price=Decimal("1.00"), total=Decimal("40.00"), left=left).suffices(40) == expected


def test_what_the_host_would_not_make(batch, event, item):
    item.seat_category_mappings.create(event=event, layout_category="Stalls")
    with pytest.raises(JobFailed):
        quote(batch)
