"""What migrations do with what is there."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils.timezone import now
from pretix.base.models import Event, Organizer

from pretix_offlinesales.models.activation import is_active

switch_on = import_module("pretix_offlinesales.migrations.0003_organizers").switch_on


@pytest.fixture
def place(db):
    """Of an organizer with these plugins, and events with those."""

    def place(slug, plugins, *events):
        organizer = Organizer.objects.create(name=slug, slug=slug, plugins=plugins)
        for number, of_event in enumerate(events):
            Event.objects.create(
                organizer=organizer, name="x", slug=f"x{number}", date_from=now(), currency="EUR", plugins=of_event
            )
        return organizer

    return place


@pytest.mark.parametrize(
    ("plugins", "events", "expected"),
    [
        ("", ["pretix_offlinesales"], "pretix_offlinesales"),
        ("", ["pretix.plugins.badges,pretix_offlinesales"], "pretix_offlinesales"),
        ("pretix.plugins.banktransfer", ["", "pretix_offlinesales"], "pretix.plugins.banktransfer,pretix_offlinesales"),
        ("pretix_offlinesales", ["pretix_offlinesales"], "pretix_offlinesales"),
        ("", ["pretix.plugins.badges", ""], ""),
        ("", ["pretix_offlinesales_extra"], ""),
        ("", [], ""),
    ],
)
def test_organizers_whose_events_use_it_have_it_on(place, plugins, events, expected):
    organizer = place("museum", plugins, *events)
    switch_on(apps, None)
    organizer.refresh_from_db()
    assert organizer.plugins == expected


def test_nothing_changes_for_events(place):
    organizer = place("museum", "", "pretix_offlinesales", "pretix.plugins.badges")
    place("circus", "", "")
    switch_on(apps, None)
    using, other = Event.objects.filter(organizer=organizer).order_by("slug")
    assert (is_active(using), is_active(other)) == (True, False)
    assert Organizer.objects.get(slug="circus").plugins == ""
