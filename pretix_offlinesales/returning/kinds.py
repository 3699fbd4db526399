"""What can be done with tickets that exist."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext_lazy
from pretix.base.models import Order
from pretix.base.signals import order_canceled, order_changed, order_paid, order_reactivated

from ..after_sale.announce import cancel_open_payments, invoice_again
from ..after_sale.kind import CHUNK, AfterSale, AfterSaleRequest, Option
from ..after_sale.pace import Pace
from ..jobs.registry import KINDS, request_of
from ..models import ReturnKind
from ..tickets.reasons import ALREADY_CANCELED
from ..tickets.state import RETURNED, Fate
from . import lost, replace, undo
from .cancel import cancel

#: The most whose returns are undone in one transaction: quotas are counted once for all of them, which customers of the
#: shop wait for. Nobody is to be let in with them yet.
UNDO_CHUNK = 2_000

#: Also of orders that have expired. Lost paper is not out any more: it is written off, or found again, if it is named.
OUT = Q(left=True, lost=None) & ~Q(order__status=Order.STATUS_CANCELED)


def _is_canceled(order: Order) -> bool:
    return order.status == Order.STATUS_CANCELED


class UndoReturn(AfterSale):
    """Tickets that were returned by mistake become valid again."""

    identifier = "undo"
    name = _("Undo returns")
    api_action, api_of, api_done = "undo", "return", "undone"
    explanation = _(
        "Tickets that were returned by mistake become valid again, as long as there is still quota for them."
    )
    everything = _("All tickets of this batch that were returned")
    question = ngettext_lazy(
        "%(amount)d ticket will become valid again, if there is enough quota.",
        "%(amount)d tickets will become valid again, if there is enough quota.",
        "amount",
    )
    verdict = _("can become valid again")
    headline = _("We are making your tickets valid again …")
    result = _("Tickets that are valid again")
    outcome = _("valid again")
    icon = "repeat"
    leaves_lost = True
    entry = "undone"
    history = ngettext_lazy(
        "The return of %(amount)s ticket has been undone.",
        "The return of %(amount)s tickets has been undone.",
        "amount",
    )
    webhook = _("Return of tickets of an offline sales batch undone")
    candidates = Q(fate__in=RETURNED)
    offered_for = Q(returned__isnull=False)

    def pace(self):
        return Pace(CHUNK, most=UNDO_CHUNK)

    def refusal(self, orders, pk):
        return undo.refusal(orders, pk)

    def deal_with(self, job, orders, pks, pace):
        return undo.reactivate(orders, pks, job.requester, now(), pace)

    def is_still_so(self, order):
        return not _is_canceled(order)

    def signals(self, order):
        return [order_reactivated, *([order_paid] if order.status == Order.STATUS_PAID else [])]

    def after_signals(self, job, orders):
        invoice_again(orders)


UNDO_RETURN = UndoReturn()


@dataclass(frozen=True)
class ReturnRequest(AfterSaleRequest):
    #: Why they come back.
    kind: str = ReturnKind.UNSOLD.value


class Return(AfterSale):
    """Tickets that come back are canceled."""

    identifier = "return"
    name = _("Return tickets")
    Request = ReturnRequest
    options = {"kind": Option(_("Reason"), ReturnKind.choices)}
    api_action, api_done = "return", "returned"
    explanation = _(
        "Returned tickets are canceled: their codes are not valid any more, and their places can be sold again."
    )
    everything = _("All tickets of this batch that are still out")
    question = ngettext_lazy("%(amount)d ticket will be returned.", "%(amount)d tickets will be returned.", "amount")
    verdict = _("can be returned")
    headline = _("We are returning your tickets …")
    result = _("Returned tickets")
    outcome = _("returned")
    icon = "undo"
    leaves_lost = True
    undone_by = UNDO_RETURN
    entry = "returned"
    history = ngettext_lazy(
        "%(amount)s ticket has been returned (%(kind)s).",
        "%(amount)s tickets have been returned (%(kind)s).",
        "amount",
    )
    order_history = _("The ticket has been returned ({kind}).")
    webhook = _("Tickets of an offline sales batch returned")
    candidates = OUT
    dead = ALREADY_CANCELED  # whoever returns it need not care why it is not valid any more

    def refusal(self, orders, pk):
        return orders.refusal(pk)

    def deal_with(self, job, orders, pks, pace):
        return cancel(orders, pks, request_of(job).kind, job.requester, moment=now()), {}

    def entry_data(self, job):
        return {"kind": request_of(job).kind}

    def describe(self, data):
        return super().describe(data | {"kind": _label(data)})

    def describe_order(self, data):
        return super().describe_order(data).format(kind=_label(data))

    def is_still_so(self, order):
        return _is_canceled(order)

    def signals(self, order):
        return [order_canceled]

    def before_signals(self, job, orders):
        cancel_open_payments(job, orders)


def _label(data: dict) -> str:
    return Return.options["kind"].label_of(data.get("kind", ""))


class Replace(AfterSale):
    """Tickets whose paper is spoiled get new codes: number, order and price stay, the old paper is refused."""

    identifier = "replace"
    name = _("Replace tickets")
    api_action, api_done = "replace", "replaced"
    explanation = _(
        "For spoiled paper: the tickets get new codes, and the old paper is refused at the door. Numbers, orders and "
        "prices stay."
    )
    everything = _("All valid tickets of this batch")
    question = ngettext_lazy(
        "%(amount)d ticket will get a new code.", "%(amount)d tickets will get new codes.", "amount"
    )
    verdict = _("can be replaced")
    headline = _("We are replacing your tickets …")
    result = _("Replaced tickets")
    outcome = _("replaced")
    icon = "exchange"
    moves_money = False
    needs_print = True
    entry = "replaced"
    history = ngettext_lazy("%(amount)s ticket has been replaced.", "%(amount)s tickets have been replaced.", "amount")
    webhook = _("Tickets of an offline sales batch replaced")
    candidates = Q(fate=Fate.OUTSTANDING)

    def refusal(self, orders, pk):
        return replace.refusal(orders, pk)

    def deal_with(self, job, orders, pks, pace):
        return replace.renew(orders, pks, job.requester), {}


class UndoLost(AfterSale):
    """Tickets that were found again are free of our block."""

    identifier = "undo_lost"
    name = _("Undo losses")
    api_action, api_of, api_done = "undo", "lost", "undone"
    explanation = _(
        "Tickets whose paper was found again, or that were reported lost by mistake, are good again. Where somebody "
        "has blocked a ticket for another reason, it stays blocked."
    )
    everything = _("All tickets of this batch that were reported lost or stolen")
    question = ngettext_lazy(
        "%(amount)d ticket will not be reported lost any more.",
        "%(amount)d tickets will not be reported lost any more.",
        "amount",
    )
    verdict = _("was reported lost")
    headline = _("We are unblocking your tickets …")
    result = _("Tickets not reported lost any more")
    outcome = _("not reported lost any more")
    icon = "repeat"
    entry = "undone.lost"
    history = ngettext_lazy(
        "%(amount)s ticket is not reported lost any more.",
        "%(amount)s tickets are not reported lost any more.",
        "amount",
    )
    order_history = _("The ticket is not reported lost any more.")
    webhook = _("Loss of tickets of an offline sales batch undone")
    candidates = Q(fate=Fate.REPORTED_LOST)
    offered_for = Q(lost__isnull=False)

    def refusal(self, orders, pk):
        return lost.refusal_to_undo(orders, pk)

    def deal_with(self, job, orders, pks, pace):
        return lost.unblock(orders, pks, job.requester, now()), {}

    def is_still_so(self, order):
        return order.offline_sales_ticket.lost is None

    def signals(self, order):
        return [order_changed]


UNDO_LOST = UndoLost()


class ReportLost(AfterSale):
    """Tickets whose paper is lost or stolen are blocked: nobody is let in with them, and all else stays."""

    identifier = "lost"
    name = _("Report lost tickets")
    api_action, api_done = "lost", "lost"
    explanation = _(
        "For paper that was lost or stolen: the tickets are blocked, so that nobody is let in with them. They are not "
        "canceled: their places stay taken, and whoever should have sold them still owes what they cost."
    )
    everything = _("All tickets of this batch that are still out")
    question = ngettext_lazy("%(amount)d ticket will be blocked.", "%(amount)d tickets will be blocked.", "amount")
    verdict = _("can be reported lost")
    headline = _("We are blocking your tickets …")
    result = _("Tickets reported lost or stolen")
    outcome = _("lost or stolen")
    icon = "ban"
    undone_by = UNDO_LOST
    entry = "lost"
    history = ngettext_lazy(
        "%(amount)s ticket has been reported lost or stolen.",
        "%(amount)s tickets have been reported lost or stolen.",
        "amount",
    )
    order_history = _("The ticket has been reported lost or stolen.")
    webhook = _("Tickets of an offline sales batch reported lost")
    candidates = Q(fate=Fate.OUTSTANDING)

    def refusal(self, orders, pk):
        return lost.refusal(orders, pk)

    def deal_with(self, job, orders, pks, pace):
        return lost.block(orders, pks, job.requester, now()), {}

    def is_still_so(self, order):
        return order.offline_sales_ticket.lost is not None

    def signals(self, order):
        return [order_changed]


RETURN, REPLACE, REPORT_LOST = Return(), Replace(), ReportLost()

#: In this order on the pages.
KINDS.register(RETURN, UNDO_RETURN, REPORT_LOST, UNDO_LOST, REPLACE)
