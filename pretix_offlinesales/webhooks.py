"""What other systems can be told about batches, in the host's own way."""

from pretix.api.webhooks import ParametrizedWebhookEvent
from pretix.base.models import LogEntry

from .jobs.registry import all_that_write


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


def webhook_events() -> list[BatchWebhookEvent]:
    return [BatchWebhookEvent(kind.action, kind.webhook) for kind in all_that_write() if kind.webhook]
