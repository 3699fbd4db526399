"""What ticket layouts can say about a batch and its tickets. None of it costs a query per ticket."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from pretix.base.models import Event, Order, OrderPosition

from ..db.queries import unscoped
from ..models import OfflineSalesBatch, OfflineSalesTicket
from .origin import Origin

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: The code of the order that the host's layout editor makes up for its preview. Some of its characters are in no code
#: of a real order.
PREVIEW = "PREVIEW1234"

#: So many tickets are asked for at once who holds them.
GROUP = 1_000


def text_variables(event: Event) -> dict:
    """
    As ``layout_text_variables`` wants them. Comments and sellers are remembered as long as what is returned here: for
    one order, or for a part of a print.
    """
    comments: dict[int, str] = {}

    def comment(origin: Origin) -> str:
        if origin.batch not in comments:
            batch = OfflineSalesBatch.objects.filter(event=event, pk=origin.batch).only("comment").first()
            comments[origin.batch] = batch.comment if batch else ""
        return comments[origin.batch]

    @cache
    def sellers(batch: int, group: int) -> dict[int, str]:
        """Names, by the numbers of the tickets that are not in stock: of all in a group, since others may be next."""
        tickets = unscoped(OfflineSalesTicket.objects).filter(
            batch=batch, batch__event=event, number__range=(group * GROUP, group * GROUP + GROUP - 1)
        )
        return dict(tickets.filter(seller__isnull=False).order_by().values_list("number", "seller__name"))

    variables: dict[str, tuple[StrOrPromise, StrOrPromise, Callable[[Origin], str]]] = {
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
        "seller": (
            _("Offline sales: seller"),
            _("Tourist office"),
            lambda origin: sellers(origin.batch, origin.number // GROUP).get(origin.number, ""),
        ),
        "comment": (_("Offline sales: internal comment of the batch"), _("Kiosk at the harbour"), comment),
    }
    return {
        f"offlinesales_{name}": {"label": label, "editor_sample": sample, "evaluate": _evaluate(sample, text)}
        for name, (label, sample, text) in variables.items()
    }


def _evaluate(sample: "StrOrPromise", text: Callable[[Origin], str]) -> Callable[[OrderPosition, Order, Event], str]:
    """Tickets that are sold elsewhere leave the place empty."""

    def evaluate(position: OrderPosition, order: Order, event: Event) -> str:
        if origin := Origin.of(order):
            return text(origin)
        return str(sample) if order.code == PREVIEW else ""

    return evaluate
