"""What can be done with tickets that sellers have sold."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from ..after_sale.kind import AfterSale, AfterSaleRequest
from ..jobs.registry import KINDS, request_of
from ..tickets.state import Fate, Sale
from . import sold


class UndoSold(AfterSale):
    """Tickets that were declared as sold by mistake are not."""

    identifier = "undo_sold"
    name = _("Undo declarations as sold")
    api_action, api_of, api_done = "undo", "sold", "undone"
    explanation = _(
        "Tickets that were declared as sold by mistake are held or in stock again. What is on a statement, paid, or "
        "bought when it was handed over, stays sold."
    )
    everything = _("All tickets of this batch that were declared as sold")
    question = ngettext_lazy(
        "%(amount)d ticket will not count as sold any more.",
        "%(amount)d tickets will not count as sold any more.",
        "amount",
    )
    verdict = _("was declared as sold")
    headline = _("We are taking back what was said of your tickets …")
    result = _("Tickets not declared as sold any more")
    outcome = _("not declared as sold any more")
    icon = "repeat"
    changes_orders = False
    entry = "undone.sold"
    history = ngettext_lazy(
        "%(amount)s ticket is not declared as sold any more.",
        "%(amount)s tickets are not declared as sold any more.",
        "amount",
    )
    order_history = _("The ticket is not declared as sold any more.")
    webhook = _("Tickets of an offline sales batch not declared as sold any more")
    candidates = Q(fate=Fate.OUTSTANDING, sale=Sale.SOLD, statement=None) & ~Q(document__terms__firm=True)
    offered_for = Q(sold__isnull=False)

    def refusal(self, orders, pk):
        return sold.refusal_to_undo(orders, pk)

    def deal_with(self, job, orders, pks, pace):
        return sold.undo(orders, pks, job.requester), {}

    def is_still_so(self, order):
        return order.offline_sales_ticket.sold is None


UNDO_SOLD = UndoSold()


@dataclass(frozen=True)
class SoldRequest(AfterSaleRequest):
    #: Nobody says so, but their deadline has passed.
    deadline: bool = False


class DeclareSold(AfterSale):
    """Tickets count as sold, since whoever sells them says so."""

    identifier = "sold"
    name = _("Declare tickets as sold")
    Request = SoldRequest
    api_action, api_done = "sold", "sold"
    explanation = _(
        "For what a seller or your own box office has sold: from now on, these tickets are owed by their holder, and "
        "can't be handed over any more. For whoever scans tickets, nothing changes."
    )
    everything = _("All tickets of this batch that are still out and not declared as sold")
    question = ngettext_lazy(
        "%(amount)d ticket will be declared as sold.", "%(amount)d tickets will be declared as sold.", "amount"
    )
    verdict = _("can be declared as sold")
    headline = _("We are declaring your tickets as sold …")
    result = _("Tickets declared as sold")
    outcome = _("declared as sold")
    icon = "check"
    changes_orders = False
    undone_by = UNDO_SOLD
    entry = "sold"
    history = ngettext_lazy(
        "%(amount)s ticket has been declared as sold.", "%(amount)s tickets have been declared as sold.", "amount"
    )
    #: If nobody said so.
    history_of_deadline = ngettext_lazy(
        "The deadline has passed: %(amount)s ticket counts as sold.",
        "The deadline has passed: %(amount)s tickets count as sold.",
        "amount",
    )
    order_history = _("The ticket has been declared as sold.")
    webhook = _("Tickets of an offline sales batch declared as sold")
    candidates = Q(fate=Fate.OUTSTANDING, sale=Sale.NONE)

    def refusal(self, orders, pk):
        return sold.refusal(orders, pk)

    def deal_with(self, job, orders, pks, pace):
        return sold.declare(orders, pks, self.entry_data(job), job.requester, now()), {}

    def entry_data(self, job):
        return {"deadline": True} if request_of(job).deadline else {}

    def describe(self, data):
        return str((self.history_of_deadline if data.get("deadline") else self.history) % data)

    def describe_order(self, data):
        if data.get("deadline"):
            return str(_("The deadline has passed, so the ticket counts as sold."))
        if data.get("paid"):
            return str(_("The order has been paid, so the ticket counts as sold."))
        return super().describe_order(data)

    def is_still_so(self, order):
        return order.offline_sales_ticket.sold is not None


DECLARE_SOLD = DeclareSold()

#: In this order on the pages.
KINDS.register(DECLARE_SOLD, UNDO_SOLD)
