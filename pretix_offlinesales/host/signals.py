"""Who hears of a signal. The host finds that out each time it sends one, which takes as long as to tell them."""

from collections.abc import Callable
from typing import Any

from pretix.base.models import Event
from pretix.base.signals import EventPluginSignal


def active_receivers(signal: EventPluginSignal, event: Event) -> list[Callable[..., Any]]:
    """Those that the host calls when it sends the signal for this event, in the same order."""
    live, _asynchronous = signal._live_receivers(event)
    return [receiver for receiver in live if signal._is_receiver_active(event, receiver)]
