"""Who looks at an organizer's pages."""

from django.test import Client
from pretix.base.models import Organizer, User

from pretix_offlinesales.models import CHANGE_SELLERS, READ_SELLERS

from .plugins import ORGANIZER_PLUGINS


def member(organizer, *permissions, event_permissions=False):
    """Of a team with these permissions of the organizer's, or all."""
    person = User.objects.create_user("member@example.org", "a long enough passphrase")
    team = organizer.teams.create(
        name="Team",
        all_events=True,
        all_event_permissions=event_permissions,
        all_organizer_permissions=not permissions and not event_permissions,
        limit_organizer_permissions=dict.fromkeys(permissions, True),
    )
    team.members.add(person)
    client = Client()
    client.force_login(person)
    return client


def outsider(organizer, event):
    client = Client()
    client.force_login(User.objects.create_user("member@example.org", "a long enough passphrase"))
    return client


def without_plugin(organizer, event):
    organizer.plugins = ""
    organizer.save()
    return member(organizer)


def only_organizer(organizer, event):
    event.plugins = ""
    event.save()
    return member(organizer)


PEOPLE = {
    "nobody": lambda organizer, event: Client(),
    "a user without a team": outsider,
    "who reads sellers": lambda organizer, event: member(organizer, READ_SELLERS),
    "who changes sellers": lambda organizer, event: member(organizer, READ_SELLERS, CHANGE_SELLERS),
    "who changes, but does not read": lambda organizer, event: member(organizer, CHANGE_SELLERS),
    "who may do all": lambda organizer, event: member(organizer),
    "who may do all in events": lambda organizer, event: member(organizer, event_permissions=True),
    "another organizer's member": lambda organizer, event: member(
        Organizer.objects.create(name="Circus", slug="circus", plugins=ORGANIZER_PLUGINS)
    ),
    "all, organizer without plugin": without_plugin,
    "all, only the organizer has it": only_organizer,
}
