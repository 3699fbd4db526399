"""
The demo's pretix, made anew in a directory, on a port, until its input ends::

    python -m tests.e2e.server DIRECTORY PORT
"""

import os
import sys
import threading
from pathlib import Path

import demo

from .browser import AUTUMN, EVENT, FAIR, FESTIVAL, LOGIN, ORGANIZER, PASSWORD, READER, SUMMER


def main(directory: str, port: str):
    demo.DIRECTORY, demo.PORT, demo.URL = Path(directory), int(port), f"http://{demo.HOST}:{port}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.e2e.settings"
    threading.Thread(target=_end_with_input, daemon=True).start()

    import django
    from celery.contrib.testing.worker import start_worker
    from pretix.celery_app import app

    from demo.server import _prepare, serve

    demo.DIRECTORY.mkdir(exist_ok=True)
    django.setup()
    _prepare()
    _add_reader()
    _add_sellers()
    _add_campaign(FESTIVAL, SUMMER)
    _add_campaign(FAIR, AUTUMN)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=0):
        serve()


def _end_with_input():
    """Whoever started the server holds its input open, and takes it along when dying."""
    sys.stdin.read()
    os._exit(0)


def _add_reader():
    """Somebody who may see orders, but not change them."""
    from django_scopes import scopes_disabled
    from pretix.base.models import Organizer, User

    with scopes_disabled():
        team = Organizer.objects.get(slug=ORGANIZER).teams.create(
            name="Readers", all_events=True, limit_event_permissions={"event.orders:read": True}
        )
        team.members.add(User.objects.create_user(READER, PASSWORD, fullname="Ron Reader", needs_password_change=False))


def _add_sellers():
    from django_scopes import scopes_disabled
    from pretix.base.models import Organizer

    from pretix_offlinesales.models import Seller

    with scopes_disabled():
        organizer = Organizer.objects.get(slug=ORGANIZER)
        for name in ("Kiosk at the station", "Tourist office"):
            Seller.objects.create(organizer=organizer, name=name)


def _add_campaign(organizer_slug: str, event_slug: str):
    """An organizer and her event, with what it takes for a campaign."""
    from django_scopes import scopes_disabled
    from pretix.base.models import Event, Organizer, User

    from tests.support.campaign import add_products

    with scopes_disabled():
        night = Event.objects.get(slug=EVENT)
        values = {name: getattr(night, name) for name in ("currency", "date_from", "plugins", "live")}
        organizer = Organizer.objects.create(
            name=organizer_slug.title(), slug=organizer_slug, plugins=night.organizer.plugins
        )
        event = Event.objects.create(organizer=organizer, name=event_slug.title(), slug=event_slug, **values)
        event.settings.timezone = "Europe/Berlin"
        add_products(event)
        everything = {"all_events": True, "all_event_permissions": True, "all_organizer_permissions": True}
        organizer.teams.create(name="Ticketing", **everything).members.add(User.objects.get(email=LOGIN))


if __name__ == "__main__":
    main(*sys.argv[1:])
