"""What other systems can be told about batches, in the host's own way."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from pretix.api.models import WebHook, WebHookEventListener
from pretix.api.webhooks import ParametrizedWebhookEvent
from pretix.base.models import Event, LogEntry

from .host.webhooks import notify

#: By the action of the log entry that is told of.
EVENTS = {
    "pretix_offlinesales.batch.issued": _("Tickets issued for offline sales"),
    "pretix_offlinesales.batch.printed": _("Tickets of an offline sales batch printed"),
    "pretix_offlinesales.batch.returned": _("Tickets of an offline sales batch returned"),
    "pretix_offlinesales.batch.undone": _("Return of tickets of an offline sales batch undone"),
    "pretix_offlinesales.batch.lost": _("Tickets of an offline sales batch reported lost"),
    "pretix_offlinesales.batch.undone.lost": _("Loss of tickets of an offline sales batch undone"),
    "pretix_offlinesales.batch.replaced": _("Tickets of an offline sales batch replaced"),
}


class BatchWebhookEvent(ParametrizedWebhookEvent):
    def build_payload(self, logentry: LogEntry) -> dict | None:
        """None if the batch was deleted meanwhile: there is nothing left that could be asked for."""
        batch = logentry.content_object
        return batch and {
            "notification_id": logentry.pk,
            "organizer": batch.event.organizer.slug,
            "event": batch.event.slug,
            "batch": batch.pk,
            "action": logentry.action_type,
        }


def webhook_events() -> list[BatchWebhookEvent]:
    return [BatchWebhookEvent(action, name) for action, name in EVENTS.items()]


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
        notify(event, heard)


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
