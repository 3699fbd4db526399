"""Tell webhooks of log entries, in the host's own way."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from pretix.api.models import WebHook, WebHookEventListener
from pretix.api.webhooks import notify_webhooks
from pretix.base.models import Event, LogEntry
from pretix.helpers.celery import get_task_priority


def send_webhooks(event: Event, entries: QuerySet[LogEntry]) -> None:
    """
    Tell of these log entries whoever wants to hear of them.

    The host's task asks the database about each entry that it is given, and a ticket has several. So it is given only
    those that some webhook listens to, and where none does, it is not called.
    """
    wanted = _wanted(event)
    if not wanted[None]:
        return
    rows = list(entries.order_by("pk").values_list("pk", "action_type", "event"))
    types = {action: LogEntry(action_type=action).webhook_type for _pk, action, _event in rows}
    heard = [pk for pk, action, of in rows if (kind := types[action]) and kind.action_type in wanted[of]]
    if heard:
        notify_webhooks.apply_async(args=(heard,), priority=get_task_priority("notifications", event.organizer_id))


def send_organizer_webhooks(entry: LogEntry) -> None:
    """
    Tell of a log entry that is of the organizer, and of no event: all webhooks that listen to it hear of it, whatever
    events they are limited to.
    """
    if entry.webhook_type:
        priority = get_task_priority("notifications", entry.organizer_id)
        notify_webhooks.apply_async(args=([entry.pk],), priority=priority)


def _wanted(event: Event) -> dict[int | None, set[str]]:
    """
    The types that enabled webhooks of the organizer listen to, by what an entry is of: of this event, or of none, as
    those of gift cards are. The latter are for all webhooks, whatever events these are limited to.
    """
    limits = WebHook.limit_events.through.objects.filter(webhook=OuterRef("webhook"), event=event)
    listeners = list(
        WebHookEventListener.objects.filter(webhook__organizer=event.organizer_id, webhook__enabled=True)
        .annotate(hears_event=Q(webhook__all_events=True) | Exists(limits))
        .order_by()
        .values_list("action_type", "hears_event")
        .distinct()
    )
    return {
        None: {action for action, _hears_event in listeners},
        event.pk: {action for action, hears_event in listeners if hears_event},
    }
