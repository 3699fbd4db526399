"""What other systems can be told about batches, hand-overs and statements, in the host's own way."""

from typing import TYPE_CHECKING, cast

from django.utils.translation import gettext_lazy as _
from pretix.api.webhooks import ParametrizedWebhookEvent
from pretix.base.models import Event, LogEntry, Organizer

from .jobs.registry import all_that_write
from .sellers.handing_over import HANDED_OVER
from .sellers.payments import PAID
from .sellers.statements import STATED

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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


class StatementWebhookEvent(ParametrizedWebhookEvent):
    """About the history of a seller, which is the organizer's."""

    def __init__(self, action_type: str, verbose_name: "StrOrPromise", key: str):
        """:param key: under which the entry knows the statement"""
        super().__init__(action_type, verbose_name)
        self._key = key

    def build_payload(self, logentry: LogEntry) -> dict:
        data, organizer = logentry.parsed_data, cast(Organizer, logentry.organizer)
        payment = {"payment": data["payment"]} if "payment" in data else {}
        return {
            "notification_id": logentry.pk,
            "organizer": organizer.slug,
            "seller": logentry.object_id,
            "statement": data[self._key],
            **payment,
            "action": logentry.action_type,
        }


def webhook_events() -> list[ParametrizedWebhookEvent]:
    of_batches = [BatchWebhookEvent(kind.action, kind.webhook) for kind in all_that_write() if kind.webhook]
    return [
        *of_batches,
        HandedOverWebhookEvent(HANDED_OVER, _("Tickets for offline sales handed over")),
        StatementWebhookEvent(STATED, _("Statement of a seller of offline sales made"), "document"),
        StatementWebhookEvent(PAID, _("Payment of a seller of offline sales written down"), "statement"),
    ]
