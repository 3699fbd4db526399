"""May this product be sold offline? What the API's tests don't ask: bundles, and money without a currency."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from pretix_offlinesales.issuing.product import check
from pretix_offlinesales.models import OfflineSalesBatch

pytestmark = pytest.mark.django_db


@pytest.fixture
def drink(event, item, quota):
    """A product that comes with each ticket."""
    drink = event.items.create(name="Drink", default_price=Decimal("3.00"))
    quota.items.add(drink)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("0.00"))
    return drink


@pytest.fixture
def problems(event, item, web):
    def problems(**values):
        try:
            check(OfflineSalesBatch(**{"event": event, "item": item, "amount": 1, "sales_channel": web, **values}))
        except ValidationError as error:
            return error.message_dict
        return {}

    return problems


def bundled(problem):
    return {"item": [f"Bundled product “Drink”: {problem}"]}


def inactive(drink):
    drink.active = False


def membership(drink):
    drink.require_membership = True


def medium(drink):
    drink.media_policy, drink.media_type = "reuse", "barcode"


def without_quota(drink):
    drink.quotas.clear()


def seated(drink):
    drink.event.seat_category_mappings.create(layout_category="Bar", product=drink)


def in_variations(drink):
    drink.variations.create(value="Hot")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (inactive, "This product is not active."),
        (membership, "This product requires a membership."),
        (medium, "This product requires a physical medium to be presented."),
        (without_quota, "This product is not assigned to a quota."),
        (seated, "This product requires a seat to be chosen."),
        (in_variations, "This product is sold in variations, please choose one."),
    ],
)
def test_a_bundled_product_must_be_fit_too(drink, problems, change, problem):
    assert problems() == {}
    change(drink)
    drink.save()
    assert problems() == bundled(problem)


def test_a_bundled_product_that_is_not_sold_on_the_channel_names_the_channel(drink, problems):
    drink.all_sales_channels = False
    drink.save()
    message = "Bundled product “Drink”: This product is not sold through this sales channel."
    assert problems() == {"sales_channel": [message]}


def test_a_bundled_product_that_is_disabled_on_the_date(series, subevent, series_item, problems):
    drink = series.items.create(name="Drink", default_price=3)
    series.quotas.get().items.add(drink)
    series_item.bundles.create(bundled_item=drink, count=1, designated_price=0)
    wanted = {"event": series, "item": series_item, "subevent": subevent}
    assert problems(**wanted) == {}
    subevent.subeventitem_set.create(item=drink, disabled=True)
    wanted["subevent"] = series.subevents.get()  # without what it remembers
    assert problems(**wanted) == bundled("This product is not available on this date.")


def test_more_bundled_products_than_an_order_can_have(drink, item, problems, settings):
    settings.PRETIX_MAX_ORDER_SIZE = 3
    item.bundles.update(count=2)
    assert problems() == {}
    item.bundles.update(count=3)
    assert problems() == {"item": ["This product comes with more bundled products than an order can have."]}


@pytest.mark.parametrize(
    ("price", "bundled_price", "free"), [("0.00", "0.00", True), ("0.00", "1.00", False), ("1.00", "0.00", False)]
)
def test_without_a_currency_everything_must_be_free(event, item, drink, problems, price, bundled_price, free):
    event.currency = "XXX"
    event.save()
    item.default_price = Decimal(price)
    item.bundles.update(designated_price=Decimal(bundled_price))
    message = "This event has no currency, so that only free products can be issued."
    assert problems() == ({} if free else {"item": [message]})


def test_without_a_currency_the_price_of_the_variation_counts(event, item, quota, problems):
    event.currency, item.default_price = "XXX", Decimal("0.00")
    variation = item.variations.create(value="Adult", default_price=Decimal("5.00"))
    quota.variations.add(variation)
    message = "This event has no currency, so that only free products can be issued."
    assert problems(variation=variation) == {"item": [message]}
