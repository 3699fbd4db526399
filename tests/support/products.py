"""Kinds of products: each sets an event up, and says what is asked for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils.timezone import now

KINDS = {}


IN_SHOP = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def bundle(function):
    IN_SHOP[function.__name__] = function
    return function


def priced(item, price, rate=None, **rule):
    """Give the item a price, and a tax rule of its own."""
    item.default_price = Decimal(price)
    item.tax_rule = rate and item.event.tax_rules.create(name="Tax", rate=Decimal(rate), **rule)
    item.save()


def changed(item, **values):
    for name, value in values.items():
        setattr(item, name, value)
    item.save()


def currency(event, code):
    event.currency = code
    event.save()


@kind
def no_tax_rule(event, item):
    priced(item, "23.00")


@kind
def reduced_rate(event, item):
    priced(item, "14.99", "7.00")


@kind
def zero_rate(event, item):
    priced(item, "14.99", "0.00", code="E")


@kind
def fractional_rate(event, item):
    priced(item, "9.99", "8.875")


@kind
def net_price(event, item):
    priced(item, "14.99", "19.00", price_includes_tax=False)


@kind
def rounding_by_line(event, item):
    event.settings.tax_rounding = "line"
    priced(item, "99.99", "19.00")


@kind
def rounding_sum_by_net(event, item):
    event.settings.tax_rounding = "sum_by_net"
    priced(item, "99.99", "19.00")


@kind
def rounding_sum_by_net_only_business(event, item):
    event.settings.tax_rounding = "sum_by_net_only_business"
    priced(item, "99.99", "19.00")


@kind
def rounding_sum_by_net_keep_gross(event, item):
    event.settings.tax_rounding = "sum_by_net_keep_gross"
    priced(item, "99.99", "19.00")


@kind
def currency_without_decimals(event, item):
    currency(event, "JPY")
    priced(item, "2300", "10.00", price_includes_tax=False)


@kind
def currency_with_three_decimals(event, item):
    currency(event, "KWD")
    priced(item, "2.55", "5.00", price_includes_tax=False)


@kind
def no_currency(event, item):
    currency(event, "XXX")
    priced(item, "0.00", "19.00")


@kind
def default_price_of_zero(event, item):
    priced(item, "0.00", "19.00")


@kind
def free_price(event, item):
    changed(item, free_price=True, free_price_suggestion=Decimal("50.00"))


@kind
def original_price(event, item):
    changed(item, original_price=Decimal("99.00"))


@kind
def discounted(event, item):
    event.discounts.create(
        internal_name="Half",
        active=True,
        condition_all_products=True,
        condition_min_count=1,
        benefit_discount_matching_percent=50,
        position=1,
    )


@kind
def discounted_from_two(event, item):
    event.discounts.create(
        internal_name="Pairs",
        active=True,
        condition_all_products=True,
        condition_min_count=2,
        benefit_discount_matching_percent=50,
        position=1,
    )


@kind
def variation_with_own_price(event, item):
    variation = item.variations.create(value="Child", default_price=Decimal("7.50"))
    event.quotas.get().variations.add(variation)
    return {"variation": variation}


@kind
def variation_with_price_of_product(event, item):
    variation = item.variations.create(value="Adult")
    event.quotas.get().variations.add(variation)
    return {"variation": variation}


@kind
def validity_fixed(event, item):
    changed(
        item,
        validity_mode="fixed",
        validity_fixed_from=datetime(2027, 1, 1, tzinfo=UTC),
        validity_fixed_until=datetime(2027, 12, 31, tzinfo=UTC),
    )


@kind
def validity_minutes(event, item):
    from_purchase(item, validity_dynamic_duration_minutes=90)
    return {"valid_from": "2027-05-08T08:00:00+02:00"}


@kind
def validity_hours(event, item):
    from_purchase(item, validity_dynamic_duration_hours=3)
    return {"valid_from": "2027-05-08T08:00:00+02:00"}


@kind
def validity_days(event, item):
    event.settings.timezone = "Pacific/Auckland"
    from_purchase(item, validity_dynamic_duration_days=2)
    return {"valid_from": "2027-05-08T23:30:00+12:00"}


@kind
def validity_months(event, item):
    event.settings.timezone = "America/New_York"
    from_purchase(item, validity_dynamic_duration_months=1)
    return {"valid_from": "2027-03-31T00:00:00-04:00"}


@kind
def gift_card(event, item):
    priced(item, "25.00")
    changed(item, issue_giftcard=True, admission=False)


@kind
def reusable_medium(event, item):
    event.organizer.settings.reusable_media_type_barcode = True
    changed(item, media_policy="new", media_type="barcode")


@kind
def reusable_medium_or_new(event, item):
    event.organizer.settings.reusable_media_type_barcode = True
    changed(item, media_policy="reuse_or_new", media_type="barcode")


@kind
def grants_membership(event, item):
    kind_of_membership = event.organizer.membership_types.create(name="Friends")
    changed(item, grant_membership_type=kind_of_membership)


@kind
def requires_approval(event, item):
    changed(item, require_approval=True)


@kind
def requires_voucher(event, item):
    changed(item, require_voucher=True)


@kind
def hidden_without_voucher(event, item):
    changed(item, hide_without_voucher=True)


@kind
def sale_over(event, item):
    changed(item, available_until=now() - timedelta(days=3))


@kind
def presale_over(event, item):
    event.presale_end = now() - timedelta(days=1)
    event.save()


@kind
def minimum_an_order(event, item):
    changed(item, min_per_order=4)


@kind
def required_question(event, item):
    question = event.questions.create(question="Diet?", type="S", required=True)
    question.items.add(item)
    event.settings.attendee_names_asked = True
    event.settings.attendee_names_required = True


@kind
def checkin_attention(event, item):
    changed(item, checkin_attention=True, checkin_text="Show the student card")


@kind
def optional_add_ons(event, item):
    category = event.categories.create(name="Extras", is_addon=True)
    item.addons.create(addon_category=category, min_count=0, max_count=2)


@kind
def personalized(event, item):
    changed(item, personalized=True)


@kind
def not_admission(event, item):
    changed(item, admission=False)


@kind
def test_mode(event, item):
    return {"testmode": True}


@kind
def other_channel(event, item):
    event.organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api")
    return {"sales_channel": "api.kiosk"}


@kind
def other_language(event, item):
    event.settings.locales = ["de", "en"]
    event.settings.locale = "de"


@kind
def payment_deadline(event, item):
    event.settings.payment_term_days = 3
    event.settings.payment_term_weekdays = True


@bundle
def one_bundled_product(event, item):
    drink = product(event, "Drink", "3.00", "7.00")
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("2.50"))


@bundle
def several_bundled_products(event, item):
    drink, poster = product(event, "Drink", "3.00", "7.00"), product(event, "Poster", "5.00")
    size = poster.variations.create(value="A2")
    event.quotas.get(items=poster).variations.add(size)
    changed(drink, position=3)
    changed(poster, position=2)
    item.bundles.create(bundled_item=drink, count=2, designated_price=Decimal("2.50"))
    item.bundles.create(bundled_item=poster, bundled_variation=size, count=1, designated_price=Decimal("0.00"))


@bundle
def bundle_with_net_prices(event, item):
    priced(item, "19.99", "19.00", price_includes_tax=False)
    drink = product(event, "Drink", "3.00", "7.00", price_includes_tax=False)
    item.bundles.create(bundled_item=drink, count=3, designated_price=Decimal("2.33"))


@bundle
def bundle_rounded_over_the_order(event, item):
    event.settings.tax_rounding = "sum_by_net"
    priced(item, "99.99", "19.00")
    drink = product(event, "Drink", "9.99", "19.00")
    item.bundles.create(bundled_item=drink, count=2, designated_price=Decimal("9.99"))


@bundle
def bundle_worth_more_than_its_price(event, item):
    drink = product(event, "Drink", "30.00")
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("30.00"))


@bundle
def bundle_with_discount(event, item):
    drink = product(event, "Drink", "3.00", "7.00")
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("2.50"))
    discounted(event, item)


@bundle
def bundle_of_a_product_that_is_only_sold_bundled(event, item):
    drink = product(event, "Drink", "3.00", require_bundling=True)
    item.bundles.create(bundled_item=drink, count=1, designated_price=Decimal("2.50"))


@bundle
def bundled_gift_card(event, item):
    card = product(event, "Card", "10.00", issue_giftcard=True)
    item.bundles.create(bundled_item=card, count=1, designated_price=Decimal("10.00"))


def from_purchase(item, **duration):
    """Valid from purchase, unless one chooses another moment within a year."""
    choice = {"validity_dynamic_start_choice": True, "validity_dynamic_start_choice_day_limit": 365}
    changed(item, validity_mode="dynamic", **choice, **duration)


def product(event, name, price, rate=None, price_includes_tax=True, **values):
    item = event.items.create(name=name, default_price=Decimal(price), **values)
    priced(item, price, rate, **({"price_includes_tax": price_includes_tax} if rate else {}))
    event.quotas.create(name=name, size=500).items.add(item)
    return item
