"""What is measured in: an event with one kind of ticket, as an organizer would set it up, and the requests to it."""

from datetime import UTC, datetime
from decimal import Decimal

from django.utils.crypto import get_random_string
from pretix.base.models import Event, Item, Organizer, Team, User

from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job, OfflineSalesBatch

NOBODY = {"user": None, "api_token": None, "device": None, "oauth_application": None}


def make_event(**item) -> Item:
    """An event, of an organizer of its own, and its ticket. The layout is the host's default one."""
    organizer = Organizer.objects.create(name="Museum Trust", slug=get_random_string(10).lower())
    event = Event.objects.create(
        organizer=organizer,
        name="Long Night of Museums",
        slug="night",
        currency="EUR",
        date_from=datetime(2027, 5, 8, 18, 0, tzinfo=UTC),
        location="Old town\nMarket square 1",
        plugins="pretix.plugins.ticketoutputpdf,pretix_offlinesales",
        live=True,
    )
    event.settings.timezone = "Europe/Berlin"
    event.ticket_layouts.create(name="Default", default=True)
    ticket = event.items.create(
        name="Ticket",
        default_price=Decimal("23.00"),
        tax_rule=event.tax_rules.create(name="VAT", rate=Decimal("19.00")),
        admission=True,
        **item,
    )
    event.quotas.create(name="House", size=100_000).items.add(ticket)
    return ticket


def request_batch(item: Item, amount: int) -> Job:
    """A waiting job that asks for so many tickets."""
    event = item.event
    web = event.organizer.sales_channels.get(identifier="web")
    layout = event.ticket_layouts.get()
    batch = OfflineSalesBatch(event=event, item=item, amount=amount, sales_channel=web, layout=layout)
    return ISSUE.create(event, IssueRequest.of(batch), NOBODY)


def issue_batch(item: Item, amount: int) -> OfflineSalesBatch:
    job = request_batch(item, amount)
    runner.run(item.event, job.pk)
    job.refresh_from_db()
    if job.state != Job.State.SUCCEEDED:
        raise RuntimeError(f"No batch of {amount} tickets: {job.message}")
    return job.batch


def make_token(item: Item) -> str:
    return _make_team(item).tokens.create(name="Token").token


def make_user(item: Item) -> User:
    # Without a password, since it would take 100 MB to hash it.
    user = User.objects.create(email=f"{get_random_string(10)}@example.org")
    _make_team(item).members.add(user)
    return user


def _make_team(item: Item) -> Team:
    """It may do everything at the organizer."""
    return item.event.organizer.teams.create(
        name="Team", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )
