"""An organizer who sells tickets, and the ways in which others may come to her event."""

import inspect
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from unittest import mock

import pytest
from django.utils import translation
from django_scopes import scopes_disabled
from hierarkey.proxy import dirty_cache_keys
from pretix.base.models import Event, Organizer, User, _transactions
from rest_framework.test import APIClient

from pretix_offlinesales.issuing.product import check
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import OfflineSalesBatch
from tests.support import needs
from tests.support.plugins import ORGANIZER_PLUGINS, PLUGINS


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for marker in item.iter_markers():
        needs.insist_on(marker.name)


@pytest.fixture(autouse=True)
def no_scopes():
    """Tests look into the database freely; requests and tasks still enter their own scopes."""
    with scopes_disabled():
        yield


@pytest.fixture(autouse=True)
def fresh_settings():
    """Settings changed in a transaction that is rolled back stay marked as dirty and would be read again and again."""
    yield
    dirty_cache_keys.set(set())


@pytest.fixture(autouse=True)
def fresh_language():
    """A request leaves the language of whoever made it."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def no_source_code():
    """
    In tests, the host looks at the names of the files of all callers, whenever an order is saved. It gets the source
    code, too, which takes a fifth of the time of all tests.
    """
    with mock.patch.object(_transactions, "inspect", SimpleNamespace(stack=partial(inspect.stack, 0))):
        yield


@pytest.fixture
def organizer(db):
    return Organizer.objects.create(name="Museum Trust", slug="museum", plugins=ORGANIZER_PLUGINS)


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


@pytest.fixture
def url(event):
    """The batches of the event in the API."""
    return f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/offlinesalesbatches/"


@pytest.fixture
def wanted(item, quota):
    """The smallest request for a batch."""
    return {"item": item.pk, "amount": 3, "sales_channel": "web"}


@pytest.fixture
def worker(django_capture_on_commit_callbacks):
    """
    ``with worker(): …``: what is put off until the commit, such as running a job, is done at the end of the block.
    Without it, a request answers as it does while no worker has come yet.
    """
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture
def ask(api, url, wanted, worker):
    """``ask(amount=5)``: POST a request that is the smallest one but for these values, and let a worker do the job."""

    def ask(**values):
        with worker():
            return api.post(url, wanted | values, format="json")

    return ask


@pytest.fixture
def make_batch(ask, api):
    """``make_batch(amount=5)``: ask for a batch through the API, and get it from the database."""

    def make_batch(**values):
        made = api.get(ask(**values).data["check"])
        assert made.status_code == 200, made.data
        return OfflineSalesBatch.objects.get(pk=made.data["id"])

    return make_batch


@pytest.fixture
def issued(web):
    """Ask for a batch and work on the job at once, as a worker would. Gives the job as it is afterwards."""

    def issued(event, item, amount=3, seats=(), user=None, numbers_go_on=False, next_seats=False, **values):
        batch = OfflineSalesBatch(event=event, item=item, amount=amount, **{"sales_channel": web, **values})
        if not next_seats:
            check(batch, seats)
        nobody = {"user": user, "api_token": None, "device": None, "oauth_application": None}
        job = ISSUE.create(event, IssueRequest.of(batch, seats, numbers_go_on, next_seats), nobody)
        runner.run(event, job.pk)
        job.refresh_from_db()
        return job

    return issued
