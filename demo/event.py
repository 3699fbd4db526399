"""The organizer of the demo, what she sells, and the keys to her pretix."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from json import dumps

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import Event, Organizer, Team, User

from . import ticket

LOGIN, PASSWORD = "demo@example.org", "offline-sales-1"
ORGANIZER, EVENT, SERIES = "museum", "night", "tours"
PLUGINS = "pretix.plugins.ticketoutputpdf,pretix.plugins.checkinlists,pretix_offlinesales"


@scopes_disabled()
@transaction.atomic
def create() -> str:
    """Fill an empty pretix, and return the API token of the organizer's team."""
    organizer = Organizer.objects.create(name="Museum Trust", slug=ORGANIZER, plugins="pretix_offlinesales")
    # Without a language of her own, she has that of her browser.
    user = User.objects.create_user(LOGIN, PASSWORD, fullname="Anna Demo", locale="", needs_password_change=False)
    everything = {"all_events": True, "all_event_permissions": True, "all_organizer_permissions": True}
    team = Team.objects.create(organizer=organizer, name="Ticketing", **everything)
    team.members.add(user)
    year = now().year + 1
    _night(organizer, year)
    _tours(organizer, year)
    return team.tokens.create(name="Demo").token


def _night(organizer: Organizer, year: int):
    """One evening, with a product, one with variations, and one of which there are only few."""
    event = _event(organizer, EVENT, "Long Night of the Museums", datetime(year, 5, 8, 16, 0, tzinfo=UTC))
    vat = event.tax_rules.create(name="VAT", rate=Decimal("7.00"))
    admission = {"tax_rule": vat, "admission": True}
    night_pass = event.items.create(name="Night pass", default_price=Decimal("23.00"), **admission)
    workshop = event.items.create(name="Workshop", default_price=Decimal("12.00"), position=1, **admission)
    variations = [
        workshop.variations.create(value="Adult", position=0),
        workshop.variations.create(value="Child", position=1, default_price=Decimal("6.00")),
    ]
    roof = event.items.create(name="Roof terrace", default_price=Decimal("35.00"), position=2, **admission)
    event.quotas.create(name="Museums", size=None).items.add(night_pass)
    quota = event.quotas.create(name="Workshops", size=None)
    quota.items.add(workshop)
    quota.variations.add(*variations)
    event.quotas.create(name="Roof", size=5).items.add(roof)


def _tours(organizer: Organizer, year: int):
    """A series: three dates of the same tour."""
    series = _event(organizer, SERIES, "Lantern tours", datetime(year, 6, 4, 19, 0, tzinfo=UTC), has_subevents=True)
    vat = series.tax_rules.create(name="VAT", rate=Decimal("19.00"))
    tour = series.items.create(name="Lantern tour", default_price=Decimal("14.00"), tax_rule=vat, admission=True)
    for week in range(3):
        date_from = series.date_from + timedelta(weeks=week)
        date = series.subevents.create(name=tour.name, date_from=date_from, location=series.location, active=True)
        series.quotas.create(name="Tour", size=None, subevent=date).items.add(tour)


def _event(organizer: Organizer, slug: str, name: str, date_from: datetime, **kwargs) -> Event:
    event = Event.objects.create(
        organizer=organizer,
        slug=slug,
        name=name,
        currency="EUR",
        date_from=date_from,
        location="Old Harbour, all museums",
        plugins=PLUGINS,
        live=True,
        **kwargs,
    )
    event.set_defaults()
    event.settings.set("timezone", "Europe/Berlin")
    event.settings.set("ticket_download", True)
    event.settings.set("ticketoutput_pdf__enabled", True)
    paper = event.ticket_layouts.create(name="Paper ticket", default=True, layout=dumps(ticket.layout()))
    paper.background.save("background.pdf", ContentFile(ticket.background()))
    return event
