"""For whom the plugin is switched on."""

from pretix.base.models import Event, Organizer

PLUGIN = "pretix_offlinesales"


def is_active(event: Event) -> bool:
    """Whether the event uses the plugin: it and its organizer have it on, as the host asks it of its own signals."""
    return PLUGIN in event.get_plugins() and is_active_for(event.organizer)


def is_active_for(organizer: Organizer) -> bool:
    """Whether the organizer has it on: sellers are the organizer's."""
    return PLUGIN in organizer.get_plugins()
