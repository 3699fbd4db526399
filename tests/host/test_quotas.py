"""
What is left of a quota, while shoppers check out, which they need no lock for. They do it by the host's own services,
on a connection of their own, in the middle of a count.
"""

from collections import Counter
from datetime import timedelta
from unittest import mock

import pytest
from django.db import transaction
from django.utils.timezone import now
from pretix.base.services.cart import CartManager
from pretix.base.services.orders import _perform_order
from pretix.base.services.quotas import QuotaAvailability

from pretix_offlinesales.host import quotas
from tests.support.products import priced
from tests.support.workers import Other

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def item(item):
    """For nothing, so that shoppers need not choose how to pay."""
    priced(item, 0)
    return item


@pytest.fixture
def quota(quota):
    quota.size = 10
    quota.save()
    return quota


@pytest.fixture
def fill_cart(event, item):
    def fill_cart(item=item, **values):
        soon = now() + timedelta(hours=1)
        return event.cartposition_set.create(item=item, price=0, cart_id="customer", expires=soon, **values)

    return fill_cart


@pytest.fixture
def check_out(event):
    def check_out(cart):
        _perform_order(event, [], [cart.pk], "customer@example.org", "en", None, {})
        assert event.orders.count() == 1

    return check_out


@pytest.fixture
def left_while(event, quota, monkeypatch):
    """``left_while(step, act, needed)``: what is left, and how often it was counted, if ``act`` comes before a step."""

    def left_while(step, act, needed):
        count = getattr(QuotaAvailability, step)
        acts = [act]

        def count_meanwhile(*args):
            if acts:
                other = Other(acts.pop())
                other.join(20)
                assert (other.is_alive(), other.result) == (False, None)
            count(*args)

        monkeypatch.setattr(QuotaAvailability, step, count_meanwhile)
        counting = mock.patch.object(quotas, "count", side_effect=quotas.count)
        with transaction.atomic(), counting as counts:
            quotas.lock(event, [quota], [])
            found = quotas.left(Counter({quota: needed}))
        assert not acts
        return found[quota], counts.call_count

    return left_while


@pytest.mark.parametrize(("needed", "counts"), [(7, 1), (8, 2)])
def test_a_cart_that_becomes_an_order_in_between_is_taken(left_while, fill_cart, check_out, quota, needed, counts):
    first, _second, _third = [fill_cart() for _ in range(3)]
    assert left_while("_compute_carts", lambda: check_out(first), needed) == (7, counts)
    assert quota.availability()[1] == 7


@pytest.mark.parametrize(("needed", "counts"), [(7, 1), (8, 2)])
def test_so_is_one_with_a_voucher_that_has_blocked_its_place(
    left_while, fill_cart, check_out, event, item, quota, needed, counts
):
    voucher = event.vouchers.create(item=item, block_quota=True, max_usages=3)
    cart = fill_cart(voucher=voucher)
    assert left_while("_compute_vouchers", lambda: check_out(cart), needed) == (7, counts)
    assert quota.availability()[1] == 7


@pytest.mark.parametrize(("needed", "counts"), [(7, 1), (8, 2)])
def test_so_is_the_place_of_somebody_who_is_sent_a_voucher(left_while, event, item, quota, needed, counts):
    entries = [event.waitinglistentries.create(item=item, email=f"{name}@example.org") for name in ("a", "b", "c")]
    assert left_while("_compute_waitinglist", entries[0].send_voucher, needed) == (7, counts)
    assert quota.availability()[1] == 7


@pytest.mark.parametrize(("needed", "expected"), [(7, (7, 1)), (8, (8, 2))])
def test_what_a_shopper_puts_back_is_counted_again_only_if_it_is_needed(left_while, fill_cart, quota, needed, expected):
    first, _second, _third = [fill_cart() for _ in range(3)]

    def put_back():
        first.delete()

    assert left_while("_compute_orders", put_back, needed) == expected
    assert quota.availability()[1] == 8


@pytest.mark.parametrize(("needed", "expected"), [(7, (7, 1)), (8, (7, 2))])
def test_a_voucher_is_redeemed_without_the_lock_by_a_cart_that_was_not_there(
    left_while, event, item, quota, needed, expected
):
    voucher = event.vouchers.create(item=item, block_quota=True, max_usages=3)
    wanted = {"item": item.pk, "variation": None, "subevent": None, "seat": None, "price": None}

    def redeem():
        channel = event.organizer.sales_channels.get(identifier="web")
        manager = CartManager(event=event, cart_id="customer", sales_channel=channel)
        manager.add_new_items([wanted | {"count": 1, "voucher": voucher.code}])
        manager.commit()
        carts = event.cartposition_set.values_list("pk", flat=True)
        _perform_order(event, [], list(carts), "customer@example.org", "en", None, {})

    assert left_while("_compute_vouchers", redeem, needed) == expected
    assert quota.availability()[1] == 7


def test_carts_that_concern_other_quotas_do_not_matter(left_while, fill_cart, check_out, event, quota):
    other = event.items.create(name="Online", default_price=0)
    event.quotas.create(name="Online", size=10).items.add(other)
    cart = fill_cart(item=other)
    assert left_while("_compute_carts", lambda: check_out(cart), needed=10) == (10, 1)
