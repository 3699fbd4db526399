"""The host's task that tells webhooks about log entries."""

from collections.abc import Sequence

from pretix.api.webhooks import notify_webhooks
from pretix.base.models import Event
from pretix.helpers.celery import get_task_priority


def notify(event: Event, entries: Sequence[int]) -> None:
    """
    Let the host tell of these log entries (primary keys) whoever listens to them, with the priority that it gives to
    notifications of the organizer.
    """
    notify_webhooks.apply_async(args=(entries,), priority=get_task_priority("notifications", event.organizer_id))
