"""What other systems can be told about batches and hand-overs, in the host's own way."""

from typing import cast

from django.utils.translation import gettext_lazy as _
from pretix.api.webhooks import ParametrizedWebhookEvent
from pretix.base.models import Event, LogEntry

from .jobs.registry import all_that_write
from .sellers.handing_over import HANDED_OVER


class BatchWebhookEvent(ParametrizedWebhookEvent):
    def build_payload(  # type: ignore[override]  # the host's own return None, too
        self, logentry: LogEntry
    ) -> dict | None:
        """None if the batch was deleted meanwhile: there is nothing left that could be asked for."""
        batch = logentry.content_object
        return batch and {
            "notification_id": logentry.pk,
            "organizer": batch.event.organizer.slug,
            "event": batch.event.slug,
            "batch": batch.pk,
            "action": logentry.action_type,
        }


class HandedOverWebhookEvent(ParametrizedWebhookEvent):
    def build_payload(self, logentry: LogEntry) -> dict:
        event = cast(Event, logentry.event)  # in whose history it is
        return {
            "notification_id": logentry.pk,
            "organizer": event.organizer.slug,
            "event": event.slug,
            "document": logentry.parsed_data["document"],
            "action": logentry.action_type,
        }


def webhook_events() -> list[ParametrizedWebhookEvent]:
    of_batches = [BatchWebhookEvent(kind.action, kind.webhook) for kind in all_that_write() if kind.webhook]
    return [*of_batches, HandedOverWebhookEvent(HANDED_OVER, _("Tickets for offline sales handed over"))]
