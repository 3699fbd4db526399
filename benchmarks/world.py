"""
What is measured in: one event with so many tickets, as an organizer would set it up, made by our own issuing; and who
asks for something there.

A world is a database. It is made once, from the next smaller one, and copied for each run.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from django.core.management import call_command
from django.db import connection, connections
from django.utils.crypto import get_random_string
from django_scopes import scopes_disabled
from pretix import __version__
from pretix.base.models import Event, Item, Organizer, Team, User

import pretix_offlinesales
from pretix_offlinesales.issuing.request import IssueRequest
from pretix_offlinesales.jobs import runner
from pretix_offlinesales.kinds import ISSUE
from pretix_offlinesales.models import Job, OfflineSalesBatch

from .apart import apart
from .scratch import WORLD, administer, forget, scratch_database

#: Tickets of an event. A thousand small batches come first, then large ones.
SIZES = (1_000, 10_000, 100_000, 320_000)
SMALL_BATCH, LARGE_BATCH, OF_SMALL_BATCHES = 10, 10_000, 10_000

NOBODY = {"user": None, "api_token": None, "device": None, "oauth_application": None}


@contextmanager
def copied_world(tickets: int) -> Iterator[None]:
    """Use a copy of the world with so many tickets, which is made if there is none."""
    with scratch_database(_world(tickets)) as copy:
        use(copy)
        yield


def use(database: str) -> None:
    """From here on, in this process and in those that it forks."""
    connections.close_all()
    connection.settings_dict["NAME"] = database
    forget()


def _world(tickets: int) -> str:
    name = f"{WORLD}{_digest()}_{tickets}"
    if (name,) not in administer(f"SELECT datname FROM pg_database WHERE datname LIKE '{WORLD}%'"):
        smaller = [size for size in SIZES if size < tickets]
        template = _world(smaller[-1]) if smaller else "template1"
        with scratch_database(template) as unfinished:
            use(unfinished)
            apart(_fill, tickets)
            administer(f"ALTER DATABASE {unfinished} RENAME TO {name}")
    return name


def _digest() -> str:
    """Of what tables and rows of a world depend on."""
    package = Path(pretix_offlinesales.__file__).parent
    sources = (*sorted((package / "models").glob("*.py")), package / "issuing" / "insert.py", Path(__file__))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources) + __version__.encode()).hexdigest()[:8]


@scopes_disabled()
def _fill(tickets: int) -> None:
    if "pretixbase_event" in connection.introspection.table_names():
        item = the_item()
    else:
        call_command("migrate", run_syncdb=True, verbosity=0)
        item = make_event()
    issued = item.event.orders.count()
    while issued < tickets:
        amount = SMALL_BATCH if issued < OF_SMALL_BATCHES else LARGE_BATCH
        issue_batch(item, amount)
        issued += amount
        if issued in (100, 300, 1_000, 3_000) or issued % LARGE_BATCH == 0:
            _look_at_tables()


def _look_at_tables():
    """As autovacuum does, where it is on."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def the_item() -> Item:
    """What all tickets of the world are of."""
    return Item.objects.select_related("event__organizer").get(event__organizer__slug="museum")


def make_event(organizer: str = "museum", **item) -> Item:
    """An event, of an organizer of its own, and its ticket. The layout is the host's default one."""
    event = Event.objects.create(
        organizer=Organizer.objects.create(name="Museum Trust", slug=organizer, plugins="pretix_offlinesales"),
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
    event.quotas.create(name="House", size=10_000_000).items.add(ticket)
    return ticket


def make_other_event(**item) -> Item:
    """For what would change the event of the world."""
    return make_event(get_random_string(10).lower(), **item)


def request_batch(item: Item, amount: int, **values: object) -> Job:
    """
    A waiting job that asks for so many tickets.

    :param values: what else is asked for, by the fields of the batch
    """
    event = item.event
    web = event.organizer.sales_channels.get(identifier="web")
    layout = event.ticket_layouts.get()
    batch = OfflineSalesBatch(event=event, item=item, amount=amount, sales_channel=web, layout=layout, **values)
    return ISSUE.create(event, IssueRequest.of(batch), NOBODY)


def issue_batch(item: Item, amount: int, **values: object) -> OfflineSalesBatch:
    job = done(request_batch(item, amount, **values))
    assert job.batch
    return job.batch


def done(job: Job) -> Job:
    """
    The job, after it has been done.

    :raises RuntimeError: if it has failed
    """
    runner.run(job.event, job.pk)
    job.refresh_from_db()
    if job.state != Job.State.SUCCEEDED:
        raise RuntimeError(f"{job.kind}: {job.message}")
    return job


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
