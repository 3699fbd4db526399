"""Paper is not sold through the online shop: which sales channel is preset, and one that we offer to make."""

import pytest
from django.urls import reverse
from pretix.base.channels import get_all_sales_channel_types
from pretix.base.models import Event

from tests.support.pages import alerts, soup, words
from tests.support.plugins import PLUGINS


@pytest.fixture
def kiosk(organizer):
    return organizer.sales_channels.create(identifier="api.kiosk", label="Kiosk", type="api", position=9)


def preset(client, pages):
    return words(soup(client.get(f"{pages}add")).select_one("[name=sales_channel] option[selected]"))


def offers(client, pages):
    return [words(button) for button in soup(client.get(f"{pages}add")).select(f'form[action="{pages}channel"] button')]


def test_the_channel_that_the_event_used_last_is_preset(anna, pages, kiosk, make_batch):
    assert preset(anna, pages) == "Online shop"
    make_batch(sales_channel="api.kiosk")
    assert preset(anna, pages) == "Kiosk"
    make_batch(sales_channel="web")
    assert preset(anna, pages) == "Online shop"


def test_other_events_have_their_own(anna, pages, organizer, event, kiosk, make_batch):
    make_batch(sales_channel="api.kiosk")
    other = Event.objects.create(
        organizer=organizer, name="Day", slug="day", currency="EUR", date_from=event.date_from, plugins=PLUGINS
    )
    assert preset(anna, pages.replace("night", other.slug)) == "Online shop"


def test_where_there_is_only_the_shop_one_can_be_made(anna, pages, user, organizer):
    assert offers(anna, pages) == ["Create a sales channel “Offline sales”"]
    response = anna.post(f"{pages}channel", follow=True)
    assert response.redirect_chain == [(f"{pages}add", 302)]
    assert alerts(response) == ["The sales channel has been created."]
    shop, channel = organizer.sales_channels.all()
    assert (channel.identifier, channel.type, channel.position > shop.position) == ("api.offlinesales", "api", True)
    assert channel.label.localize("en") == "Offline sales"
    [entry] = channel.all_logentries()
    assert (entry.action_type, entry.user) == ("pretix.saleschannel.created", user)
    assert entry.parsed_data["identifier"] == "api.offlinesales"
    assert (preset(anna, pages), offers(anna, pages)) == ("Offline sales", [])


def test_it_is_made_once(anna, pages, organizer):
    for _click in range(2):
        anna.post(f"{pages}channel")
    assert organizer.sales_channels.count() == 2


def test_the_host_knows_it_without_us(anna, pages, organizer):
    anna.post(f"{pages}channel")
    channel = organizer.sales_channels.get(identifier="api.offlinesales")
    channel_type = get_all_sales_channel_types()[channel.type]
    assert type(channel_type).__module__ == "pretix.base.channels"
    place = {"organizer": organizer.slug, "channel": channel.identifier}
    page = anna.get(reverse("control:organizer.channel.edit", kwargs=place))
    assert page.status_code == 200


def test_where_there_is_another_one_none_is_offered(anna, pages, kiosk):
    assert offers(anna, pages) == []


def test_it_is_offered_only_to_whoever_may_make_channels(anna, pages, team):
    team.all_organizer_permissions = False
    team.save()
    assert offers(anna, pages) == []
    assert anna.post(f"{pages}channel").status_code == 403


def test_batches_can_be_issued_on_it(anna, pages, make_batch, organizer):
    anna.post(f"{pages}channel")
    batch = make_batch(sales_channel="api.offlinesales")
    assert {ticket.order.sales_channel.identifier for ticket in batch.tickets.all()} == {"api.offlinesales"}
