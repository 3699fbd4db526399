"""What ticket layouts can say about a batch and its tickets. None of it costs a query per ticket."""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _
from pretix.base.models import Event, Order

from .models import OfflineSalesBatch
from .origin import Origin


def text_variables(event: Event) -> dict:
    """As ``layout_text_variables`` wants them. Comments are remembered as long as what is returned here."""
    comments = {}

    def comment(origin: Origin) -> str:
        if origin.batch not in comments:
            batch = OfflineSalesBatch.objects.filter(event=event, pk=origin.batch).only("comment").first()
            comments[origin.batch] = batch.comment if batch else ""
        return comments[origin.batch]

    return {
        "offlinesales_batch": {
            "label": _("Offline sales: batch number"),
            "editor_sample": "3",
            "evaluate": _from_origin(lambda origin: str(origin.batch)),
        },
        "offlinesales_number": {
            "label": _("Offline sales: ticket number"),
            "editor_sample": "17",
            "evaluate": _from_origin(lambda origin: str(origin.number)),
        },
        "offlinesales_number_padded": {
            "label": _("Offline sales: ticket number with leading zeros"),
            "editor_sample": "0017",
            "evaluate": _from_origin(lambda origin: origin.padded_number),
        },
        "offlinesales_amount": {
            "label": _("Offline sales: number of tickets in the batch"),
            "editor_sample": "200",
            "evaluate": _from_origin(lambda origin: str(origin.amount)),
        },
        "offlinesales_comment": {
            "label": _("Offline sales: internal comment of the batch"),
            "editor_sample": _("Kiosk at the harbour"),
            "evaluate": _from_origin(comment),
        },
    }


def _from_origin(text: Callable[[Origin], str]):
    """Tickets that are sold elsewhere leave the place empty."""

    def evaluate(position, order: Order, event) -> str:
        origin = Origin.of(order)
        return text(origin) if origin else ""

    return evaluate
