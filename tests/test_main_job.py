"""
The main job, whole: a batch is asked for through the API, printed, its pages are scanned, and the host lets each ticket
in once.
"""

import pytest
from pretix.base.models import OrderPosition

from tests.support.pdf import rasterized, read_by_zbar

pytestmark = [pytest.mark.django_db, pytest.mark.readers]


@pytest.fixture
def scanned(api, url, worker):
    """Print a batch through the API, and read the code on each page from its picture."""

    def scanned(batch_id):
        with worker():
            download = api.post(f"{url}{batch_id}/render/").data["download"]
        pdf = b"".join(api.get(download).streaming_content)
        return [read_by_zbar(page) for page in rasterized(pdf)]

    return scanned


@pytest.fixture
def redeem(api, event):
    entrance = event.checkin_lists.create(name="Entrance", all_products=True)

    def redeem(secret):
        """What a scanner at the door gets as an answer."""
        answer = api.post(
            f"/api/v1/organizers/{event.organizer.slug}/checkinrpc/redeem/",
            {"lists": [entrance.pk], "secret": secret, "source_type": "barcode"},
            format="json",
        )
        return answer.data["status"], answer.data.get("reason")

    return redeem


def plain(event, item):
    pass


def gift_cards(event, item):
    item.issue_giftcard = True
    item.save()


def reusable_media(event, item):
    event.organizer.settings.reusable_media_type_barcode = True
    item.media_policy, item.media_type = "new", "barcode"
    item.save()


def signed_codes(event, item):
    event.settings.ticket_secret_generator = "pretix_sig1"


def variation(event, item):
    child = item.variations.create(value="Child", default_price=5)
    event.quotas.get().variations.add(child)
    return {"variation": child.pk}


def seats(event, item):
    event.seat_category_mappings.create(layout_category="Stalls", product=item)
    for guid in "ABC":
        event.seats.create(seat_number=guid, seat_guid=guid, product=item)
    return {"seats": ["C", "A", "B"]}


def bundle(event, item, addon_tickets=False):
    event.settings.ticket_download_addons = addon_tickets
    tour = event.items.create(name="Tour", default_price=3, admission=True)
    event.quotas.get().items.add(tour)
    item.bundles.create(bundled_item=tour, count=1, designated_price=3)


def bundle_with_tickets_of_its_own(event, item):
    bundle(event, item, addon_tickets=True)


def bundle_that_is_only_the_sum_of_its_parts(event, item):
    bundle_with_tickets_of_its_own(event, item)
    item.generate_tickets = False
    item.save()


@pytest.mark.parametrize(
    ("kind", "positions"),
    [
        (plain, [1]),
        (gift_cards, [1]),
        (reusable_media, [1]),
        (signed_codes, [1]),
        (variation, [1]),
        (seats, [1]),
        (bundle, [1]),
        (bundle_with_tickets_of_its_own, [1, 2]),
        (bundle_that_is_only_the_sum_of_its_parts, [2]),
    ],
)
def test_every_printed_code_lets_its_ticket_in_once(
    ask, api, url, event, item, quota, layout, scanned, redeem, kind, positions
):
    wanted = kind(event, item) or {}
    batch = api.get(ask(amount=3, **wanted).data["check"]).data

    expected = [
        OrderPosition.objects.get(order__code=code, positionid=position).secret
        for code in batch["orders"]
        for position in positions
    ]
    assert scanned(batch["id"]) == [[secret] for secret in expected]
    assert [redeem(secret) for secret in expected] == [("ok", None)] * len(expected)
    assert [redeem(secret) for secret in expected] == [("error", "already_redeemed")] * len(expected)
