"""What other systems can be told about batches, in the host's own way."""

from django.utils.translation import gettext_lazy as _
from pretix.api.webhooks import ParametrizedWebhookEvent
from pretix.base.models import LogEntry

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
