"""For which events the plugin is switched on."""

from pretix.base.models import Event


def is_active(event: Event) -> bool:
    """Whether the event uses the plugin, as the host asks it of its own signals."""
    return "pretix_offlinesales" in event.get_plugins()
