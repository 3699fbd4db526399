"""All ways to come to the API of an organizer: each is given the places, and returns a client."""

from datetime import timedelta

from django.utils.timezone import now
from pretix.api.models import OAuthAccessToken, OAuthApplication
from pretix.base.models import Device, Event, Organizer, User
from rest_framework.test import APIClient

from pretix_offlinesales.models import CHANGE_SELLERS, READ_SELLERS


class Ways:
    """An event, another event of the organizer, and another organizer."""

    def __init__(self, event, other_event):
        self.event, self.organizer, self.other_event = event, event.organizer, other_event

    @property
    def other_organizer(self):
        return Organizer.objects.create(name="Circus", slug="circus", plugins="pretix_offlinesales")

    def organizer_for(self, who):
        organizer = "unknown" if who.endswith("unknown organizer") else self.organizer.slug
        return f"/api/v1/organizers/{organizer}/"

    def event_for(self, who):
        event = "unknown" if who.endswith("unknown event") else self.event.slug
        return f"{self.organizer_for(who)}events/{event}/"


def with_header(value):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=value)
    return client


def team(organizer, *permissions, events=None):
    """A team with these permissions, of events and of the organizer, or all, for these events, or all."""
    limits = {
        f"limit_{level}_permissions": {name: True for name in permissions if name.startswith(f"{level}.")}
        for level in ("event", "organizer")
    }
    team = organizer.teams.create(
        name="Team",
        all_events=events is None,
        all_event_permissions=not permissions,
        all_organizer_permissions=not permissions,
        **limits,
    )
    team.limit_events.set(events or [])
    return team


def token(organizer, *permissions, events=None, active=True):
    token = team(organizer, *permissions, events=events).tokens.create(name="Integration", active=active)
    return with_header(f"Token {token.token}")


def device(organizer, events=None, **values):
    device = Device.objects.create(
        **{
            "organizer": organizer,
            "name": "Till",
            "all_events": events is None,
            "api_token": "till",
            "initialized": now(),
        }
        | values
    )
    device.limit_events.set(events or [])
    return with_header(f"Device {device.api_token}")


def app(organizer, scope, allowed_organizer=None, lifetime=timedelta(hours=1)):
    user = member(organizer)
    access = OAuthAccessToken.objects.create(
        application=OAuthApplication.objects.create(name="App", redirect_uris="https://example.org", user=user),
        user=user,
        scope=scope,
        token="access",
        expires=now() + lifetime,
    )
    access.organizers.add(allowed_organizer or organizer)
    return with_header(f"Bearer {access.token}")


def member(organizer):
    user = User.objects.create_user("member@example.org", "a long enough passphrase")
    team(organizer).members.add(user)
    return user


def signed_in(user):
    client = APIClient()
    client.force_login(user)
    return client


def off_for_the_event(places):
    Event.objects.filter(pk=places.event.pk).update(plugins="pretix.plugins.ticketoutputpdf")
    return token(places.organizer)


def off_for_the_organizer(places):
    Organizer.objects.filter(pk=places.organizer.pk).update(plugins="")
    return token(places.organizer)


WAYS = {
    "nobody": lambda places: APIClient(),
    "a wrong token": lambda places: with_header("Token wrong"),
    "an inactive token": lambda places: token(places.organizer, active=False),
    "a token without order permissions": lambda places: token(
        places.organizer, "event.settings.general:write", "event.items:write", "event.vouchers:read"
    ),
    "a token for check-in only": lambda places: token(places.organizer, "event.orders:checkin"),
    "a token that reads orders": lambda places: token(places.organizer, "event.orders:read"),
    "a token that writes orders": lambda places: token(places.organizer, "event.orders:write"),
    "a token that reads and writes": lambda places: token(places.organizer, "event.orders:read", "event.orders:write"),
    "a token for all permissions": lambda places: token(places.organizer),
    "a token that reads sellers": lambda places: token(places.organizer, READ_SELLERS),
    "a token that changes sellers": lambda places: token(places.organizer, CHANGE_SELLERS),
    "a token for sellers": lambda places: token(places.organizer, READ_SELLERS, CHANGE_SELLERS),
    "a token that hands over": lambda places: token(places.organizer, "event.orders:write", READ_SELLERS),
    "a token for this event": lambda places: token(places.organizer, events=[places.event]),
    "a token for another event": lambda places: token(places.organizer, events=[places.other_event]),
    "a token of another organizer": lambda places: token(places.other_organizer),
    "a device": lambda places: device(places.organizer),
    "a device for another event": lambda places: device(places.organizer, events=[places.other_event]),
    "a device for scanning": lambda places: device(places.organizer, security_profile="pretixscan"),
    "a device before its initialization": lambda places: device(places.organizer, initialized=None),
    "a revoked device": lambda places: device(places.organizer, revoked=True),
    "an app that reads": lambda places: app(places.organizer, "read"),
    "an app that writes": lambda places: app(places.organizer, "write"),
    "an app that reads and writes": lambda places: app(places.organizer, "read write"),
    "an app for another organizer": lambda places: app(places.organizer, "read write", places.other_organizer),
    "an app with an expired token": lambda places: app(places.organizer, "read write", lifetime=-timedelta(hours=1)),
    "a member of the team": lambda places: signed_in(member(places.organizer)),
    "a user without a team": lambda places: signed_in(User.objects.create_user("nobody@example.org", "passphrase")),
    "everything, off for the event": off_for_the_event,
    "everything, off for the organizer": off_for_the_organizer,
    "everything, to an unknown event": lambda places: token(places.organizer),
    "everything, to an unknown organizer": lambda places: token(places.organizer),
}
