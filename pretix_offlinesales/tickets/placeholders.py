"""What ticket layouts can say about a batch and its tickets. None of it costs a query per ticket."""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _
from pretix.base.models import Event, Order

from ..models import OfflineSalesBatch
from .origin import Origin

#: The code of the order that the host's layout editor makes up for its preview. Some of its characters are in no code
#: of a real order.
PREVIEW = "PREVIEW1234"


def text_variables(event: Event) -> dict:
    """As ``layout_text_variables`` wants them. Comments are remembered as long as what is returned here."""
    comments = {}

    def comment(origin: Origin) -> str:
        if origin.batch not in comments:
            batch = OfflineSalesBatch.objects.filter(event=event, pk=origin.batch).only("comment").first()
            comments[origin.batch] = batch.comment if batch else ""
        return comments[origin.batch]

    variables = {
        "batch": (_("Offline sales: batch number"), "3", lambda origin: str(origin.batch)),
        "number": (_("Offline sales: ticket number"), "17", lambda origin: str(origin.number)),
        "number_padded": (
            _("Offline sales: ticket number with leading zeros"),
            "0017",
            lambda origin: origin.padded_number,
        ),
        "amount": (
            _("Offline sales: number of tickets in the batch"),
            "200",
            lambda origin: str(origin.amount),
        ),
        "comment": (_("Offline sales: internal comment of the batch"), _("Kiosk at the harbour"), comment),
    }
    return {
        f"offlinesales_{name}": {"label": label, "editor_sample": sample, "evaluate": _evaluate(sample, text)}
        for name, (label, sample, text) in variables.items()
    }


def _evaluate(sample: str, text: Callable[[Origin], str]):
    """Tickets that are sold elsewhere leave the place empty."""

    def evaluate(position, order: Order, event) -> str:
        if origin := Origin.of(order):
            return text(origin)
        return str(sample) if order.code == PREVIEW else ""

    return evaluate
