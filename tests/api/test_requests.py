"""Requests that can't be: each is refused with the name of the one field that is wrong, and leaves nothing behind."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils.timezone import now
from pretix.base.channels import SalesChannelType, get_all_sales_channel_types
from pretix.base.models import Event, Item, LogEntry, Order, Organizer

from pretix_offlinesales.models import Job, OfflineSalesBatch


def everything_made():
    return [model.objects.count() for model in (Job, OfflineSalesBatch, Order, LogEntry)]


@pytest.fixture
def refusal(api):
    """``refusal(url, body)``: the answer to a request that must be refused without a trace."""

    def refusal(url, body, content_type="application/json"):
        before = everything_made()
        response = api.post(url, body, content_type=content_type)
        assert response.status_code == 400, response.data
        assert everything_made() == before
        return response.data

    return refusal


# Values that no field takes

#: As JSON, because some can only be written there. No value is the id of anything.
NOT_AN_ID = [
    "0",
    "-1",
    "7.5",
    "1" + "0" * 30,
    "1e400",
    '"x"',
    f'"{"9" * 5000}"',
    r'"\u0000"',
    r'"\ud800"',
    "true",
    "[]",
    "[1]",
    "{}",
]
NO_VALUES = {
    "item": ["null", '""', *NOT_AN_ID],
    "variation": NOT_AN_ID,
    "subevent": NOT_AN_ID,
    "layout": NOT_AN_ID,
    "sales_channel": ["null", '""', '"Web"', *NOT_AN_ID],
    "amount": ["null", '""', "10001", *NOT_AN_ID],
    "first_number": ['""', "100000000", *NOT_AN_ID],
    "valid_from": ['"x"', '""', "1", "1e400", "true", "[]", "{}", r'"\u0000"', '"0001-01-01T00:00:00+14:00"'],
    "testmode": ["null", '""', '"x"', "2", "7.5", "1" + "0" * 30, "[]", "{}", r'"\u0000"', r'"\ud800"'],
    "consignment": ["null", '""', '"x"', "2", "7.5", "1" + "0" * 30, "[]", "{}", r'"\u0000"', r'"\ud800"'],
    "comment": ["null", "true", "[]", "{}", r'"\u0000"', r'"\ud800"', r'"x\u0000y"', r'"\udc00\ud83d"'],
    "seats": ["null", '"x"', "1", "{}", '["unknown"]', "[[]]", "[null]", r'["\u0000"]', r'["\ud800"]'],
}


@pytest.mark.parametrize(
    ("field", "value"),
    [pytest.param(field, value, id=f"{field}={value[:12]}") for field, values in NO_VALUES.items() for value in values],
)
def test_a_value_that_the_field_can_not_have(refusal, url, wanted, field, value):
    wanted.pop(field, None)
    body = f'{json.dumps(wanted)[:-1]}, "{field}": {value}}}'
    assert list(refusal(url, body)) == [field]


@pytest.mark.parametrize("field", ["item", "amount", "sales_channel"])
def test_a_required_field_that_is_missing(refusal, url, wanted, field):
    del wanted[field]
    assert refusal(url, json.dumps(wanted)) == {field: ["This field is required."]}


def test_an_empty_request_names_all_required_fields(refusal, url):
    assert set(refusal(url, "{}")) == {"item", "amount", "sales_channel"}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("[]", "non_field_errors"),
        ("[{}]", "non_field_errors"),
        ('"x"', "non_field_errors"),
        ("7", "non_field_errors"),
        ("true", "non_field_errors"),
        ("null", "non_field_errors"),
        ("{", "detail"),
        ("", None),
        (b"\xff", "detail"),
        (b"%PDF", "detail"),
    ],
)
def test_a_body_that_is_no_object(refusal, url, body, key):
    assert list(refusal(url, body)) == ([key] if key else ["sales_channel", "item", "amount"])


@pytest.mark.parametrize("amount", ["1", "10000", "7.0", '"7"'])
def test_whole_numbers_from_1_to_10000_are_fine(api, url, wanted, quota, amount):
    body = json.dumps(wanted | {"amount": None})
    assert api.post(url, body.replace("null", amount), content_type="application/json").status_code == 202


def test_a_form_can_be_posted_too(api, url, wanted):
    assert api.post(url, wanted, format="multipart").status_code == 202


# Things that do not fit


@pytest.fixture
def world(organizer, event, item, quota, tax_rule, series, subevent, series_item, layout):
    """Two events of the organizer and one of another, each with everything that a batch can be of."""
    sizes = event.items.create(name="T-shirt", default_price=Decimal("20.00"), tax_rule=tax_rule)
    small = sizes.variations.create(value="Small")
    quota.items.add(sizes)
    quota.variations.add(small)

    stranger = Organizer.objects.create(name="Circus", slug="circus")
    show = Event.objects.create(organizer=stranger, name="Show", slug="show", date_from=now())
    return SimpleNamespace(
        organizer=organizer,
        event=event,
        item=item,
        quota=quota,
        sizes=sizes,
        small=small,
        series=series,
        tour=series_item,
        morning=subevent,
        other_layout=series.ticket_layouts.create(name="Other"),
        strange_item=show.items.create(name="Seat", default_price=1),
        strange_channel=stranger.sales_channels.create(identifier="api.circus", label="Circus", type="api"),
    )


CASES = []


def refused(field, message=None, in_series=False):
    """
    The decorated function is named for what is wrong. It changes the world, and returns what the request asks for
    beyond three tickets from the web shop for a product that could be sold. ``field`` is what the answer must name.
    """

    def register(change):
        CASES.append(pytest.param(change, field, message, in_series, id=change.__name__.replace("_", " ")))
        return change

    return register


@refused("item")
def a_product_of_another_event(world):
    return {"item": world.tour.pk}


@refused("item")
def a_product_of_another_organizer(world):
    return {"item": world.strange_item.pk}


@refused("item", "This product is not active.")
def an_inactive_product(world):
    Item.objects.filter(pk=world.item.pk).update(active=False)
    return {}


@refused("item", "This product is not assigned to a quota.")
def a_product_in_no_quota(world):
    world.quota.items.remove(world.item)
    return {}


@refused("item", "This product is not assigned to a quota.")
def a_variation_in_no_quota(world):
    world.quota.variations.remove(world.small)
    return {"item": world.sizes.pk, "variation": world.small.pk}


@refused("item", "This product is not assigned to a quota.", in_series=True)
def a_product_in_no_quota_of_the_date(world):
    other = world.series.subevents.create(name="Noon", date_from=world.morning.date_from, active=True)
    return {"subevent": other.pk}


@refused("item", "This product is not available on this date.", in_series=True)
def a_product_that_is_disabled_on_the_date(world):
    world.morning.subeventitem_set.create(item=world.tour, disabled=True)
    return {}


@refused("item", "This product is only sold as an add-on to another one.")
def an_add_on(world):
    world.item.category = world.event.categories.create(name="Extras", is_addon=True)
    world.item.save()
    return {}


@refused("item", "This product is only sold as part of a bundle.")
def a_part_of_a_bundle(world):
    Item.objects.filter(pk=world.item.pk).update(require_bundling=True)
    return {}


@refused("item", "This product requires add-on products to be chosen.")
def a_product_with_required_add_ons(world):
    extras = world.event.categories.create(name="Extras", is_addon=True)
    world.item.addons.create(addon_category=extras, min_count=1, max_count=1)
    return {}


@refused("item", "This product requires a membership.")
def a_product_for_members(world):
    Item.objects.filter(pk=world.item.pk).update(require_membership=True)
    return {}


@refused("item", "This product requires a membership.")
def a_variation_for_members(world):
    world.small.require_membership = True
    world.small.save()
    return {"item": world.sizes.pk, "variation": world.small.pk}


@refused("item", "This product requires a physical medium to be presented.")
def a_product_that_reuses_a_medium(world):
    policy = {"media_policy": Item.MEDIA_POLICY_REUSE, "media_type": "barcode"}
    Item.objects.filter(pk=world.item.pk).update(**policy)
    return {}


@refused("item", "This product requires a physical medium to be presented.")
def a_product_on_a_new_chip(world):
    Item.objects.filter(pk=world.item.pk).update(media_policy=Item.MEDIA_POLICY_NEW, media_type="nfc_uid")
    return {}


@refused("item", "This event has no currency, so that only free products can be issued.")
def a_price_without_a_currency(world):
    Event.objects.filter(pk=world.event.pk).update(currency="XXX")
    return {}


@refused("seats", "This product requires a seat for each ticket: please name as many seats as tickets.")
def a_seated_product_without_seats(world):
    world.item.seat_category_mappings.create(event=world.event, layout_category="Stalls")
    return {}


@refused("variation", "This product is sold in variations, please choose one.")
def a_product_without_its_variation(world):
    return {"item": world.sizes.pk}


@refused("variation", "This product has no variations.")
def a_variation_of_a_product_without_variations(world):
    return {"variation": world.small.pk}


@refused("variation", "This variation does not belong to the product.")
def a_variation_of_another_product(world):
    other = world.event.items.create(name="Poster", default_price=3).variations.create(value="A2")
    return {"item": world.sizes.pk, "variation": other.pk}


@refused("variation")
def a_variation_of_another_event(world):
    return {"item": world.sizes.pk, "variation": world.tour.variations.create(value="Child").pk}


@refused("variation")
def a_variation_of_another_organizer(world):
    return {"item": world.sizes.pk, "variation": world.strange_item.variations.create(value="Ring").pk}


@refused("variation", "This product is not active.")
def an_inactive_variation(world):
    world.small.active = False
    world.small.save()
    return {"item": world.sizes.pk, "variation": world.small.pk}


@refused("variation", "This product is not available on this date.", in_series=True)
def a_variation_that_is_disabled_on_the_date(world):
    child = world.tour.variations.create(value="Child")
    world.morning.quotas.get().variations.add(child)
    world.morning.subeventitemvariation_set.create(variation=child, disabled=True)
    return {"variation": child.pk}


@refused("subevent", "Tickets of an event series need a date.", in_series=True)
def no_date_in_a_series(world):
    return {"subevent": None}


@refused("subevent", "This date is not active.", in_series=True)
def an_inactive_date(world):
    world.morning.active = False
    world.morning.save()
    return {}


@refused("subevent", in_series=True)
def a_date_of_another_series(world):
    festival = Event.objects.create(
        organizer=world.organizer, name="Festival", slug="festival", date_from=now(), has_subevents=True
    )
    return {"subevent": festival.subevents.create(name="Friday", date_from=now(), active=True).pk}


@refused("subevent")
def a_date_of_another_event_outside_a_series(world):
    return {"subevent": world.morning.pk}


@refused("subevent", "This event is not a series, its tickets have no date.")
def a_date_outside_a_series(world):
    return {"subevent": world.event.subevents.create(name="Odd", date_from=now(), active=True).pk}


@refused("layout")
def a_layout_of_another_event(world):
    return {"layout": world.other_layout.pk}


@refused("sales_channel")
def a_channel_of_another_organizer(world):
    return {"sales_channel": world.strange_channel.identifier}


@refused("sales_channel", "This product is not sold through this sales channel.")
def a_product_that_is_not_sold_on_the_channel(world):
    Item.objects.filter(pk=world.item.pk).update(all_sales_channels=False)
    return {}


@refused("sales_channel", "This product is not sold through this sales channel.")
def a_variation_that_is_not_sold_on_the_channel(world):
    world.small.all_sales_channels = False
    world.small.save()
    return {"item": world.sizes.pk, "variation": world.small.pk}


@refused("testmode", "This sales channel does not provide support for test mode.")
def a_test_batch_on_a_channel_without_test_mode(world):
    world.organizer.sales_channels.create(identifier="till", label="Till", type="till")
    return {"testmode": True, "sales_channel": "till"}


class Till(SalesChannelType):
    identifier = "till"
    verbose_name = "Till"
    testmode_supported = False


@pytest.fixture
def till_channel_type(monkeypatch):
    """No channel type of the host lacks test mode; a plugin's may."""
    monkeypatch.setitem(get_all_sales_channel_types(), Till.identifier, Till())


@pytest.mark.parametrize(("change", "field", "message", "in_series"), CASES)
def test_what_does_not_fit_is_refused(refusal, world, till_channel_type, change, field, message, in_series):
    event, item, date = (world.series, world.tour, world.morning.pk) if in_series else (world.event, world.item, None)
    url = f"/api/v1/organizers/{world.organizer.slug}/events/{event.slug}/offlinesalesbatches/"
    wanted = {"item": item.pk, "subevent": date, "amount": 3, "sales_channel": "web"} | change(world)
    errors = refusal(url, json.dumps(wanted))
    assert list(errors) == [field]
    assert message is None or errors[field] == [message]


def test_everything_that_is_wrong_is_named_at_once(refusal, world, url):
    Item.objects.filter(pk=world.item.pk).update(active=False, all_sales_channels=False, require_membership=True)
    assert refusal(url, json.dumps({"item": world.item.pk, "amount": 3, "sales_channel": "web"})) == {
        "item": ["This product is not active.", "This product requires a membership."],
        "sales_channel": ["This product is not sold through this sales channel."],
    }


@pytest.mark.parametrize(
    "rule",
    [
        {"available_from": datetime(2099, 1, 1, tzinfo=UTC)},
        {"available_until": datetime(2020, 1, 1, tzinfo=UTC)},
        {"hide_without_voucher": True},
        {"require_voucher": True},
        {"require_approval": True},
        {"min_per_order": 2},
        {"max_per_order": 1},
        {"allow_cancel": False},
    ],
    ids=lambda rule: next(iter(rule)),
)
def test_what_only_protects_the_shop_does_not_hinder_the_organizer(make_batch, event, item, rule):
    event.presale_end = datetime(2020, 1, 1, tzinfo=UTC)
    event.live = False
    event.save()
    Item.objects.filter(pk=item.pk).update(**rule)
    assert make_batch().tickets.count() == 3
