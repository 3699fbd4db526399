"""An organizer who sells tickets, and the ways in which others may come to her event."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django_scopes import scopes_disabled
from pretix.base.models import Event, Organizer, User
from rest_framework.test import APIClient

PLUGINS = "pretix.plugins.ticketoutputpdf,pretix_offlinesales"


@pytest.fixture(autouse=True)
def no_scopes():
    """Tests look into the database freely; requests and tasks still enter their own scopes."""
    with scopes_disabled():
        yield


@pytest.fixture
def organizer(db):
    return Organizer.objects.create(name="Museum Trust", slug="museum")


@pytest.fixture
def event(organizer):
    event = Event.objects.create(
        organizer=organizer,
        name="Long Night",
        slug="night",
        currency="EUR",
        date_from=datetime(2027, 5, 8, 18, 0, tzinfo=UTC),
        plugins=PLUGINS,
        live=True,
    )
    event.settings.timezone = "Europe/Berlin"
    return event


@pytest.fixture
def tax_rule(event):
    return event.tax_rules.create(name="VAT", rate=Decimal("19.00"))


@pytest.fixture
def item(event, tax_rule):
    return event.items.create(name="Ticket", default_price=Decimal("23.00"), tax_rule=tax_rule, admission=True)


@pytest.fixture
def quota(event, item):
    quota = event.quotas.create(name="House", size=100)
    quota.items.add(item)
    return quota


@pytest.fixture
def web(organizer):
    return organizer.sales_channels.get(identifier="web")


@pytest.fixture
def layout(event):
    return event.ticket_layouts.create(name="Paper", default=True)


@pytest.fixture
def series(organizer):
    return Event.objects.create(
        organizer=organizer,
        name="Guided tours",
        slug="tours",
        currency="EUR",
        date_from=datetime(2027, 5, 8, 18, 0, tzinfo=UTC),
        plugins=PLUGINS,
        live=True,
        has_subevents=True,
    )


@pytest.fixture
def subevent(series):
    return series.subevents.create(name="Morning", date_from=datetime(2027, 5, 8, 8, 0, tzinfo=UTC), active=True)


@pytest.fixture
def series_item(series, subevent):
    item = series.items.create(name="Tour", default_price=Decimal("12.00"), admission=True)
    quota = series.quotas.create(name="Group", size=50, subevent=subevent)
    quota.items.add(item)
    return item


@pytest.fixture
def user(db):
    return User.objects.create_user("anna@example.org", "correct horse battery staple 1")


@pytest.fixture
def team(organizer, user):
    team = organizer.teams.create(
        name="Everything", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )
    team.members.add(user)
    return team


@pytest.fixture
def token(team):
    return team.tokens.create(name="Integration")


@pytest.fixture
def api(token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.token}")
    return client
