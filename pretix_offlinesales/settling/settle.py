"""The money for a statement has come in: what is on it is paid, in pretix, too."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext_lazy
from pretix.base.models import Event, Order
from pretix.base.signals import order_paid

from ..after_sale.kind import AfterSale, AfterSaleRequest
from ..after_sale.orders import Orders
from ..db.queries import among, unscoped
from ..db.rows import log, sent
from ..jobs.registry import KINDS, request_of
from ..models import TICKET_POSITION, Job, OfflineSalesTicket, Statement, StatementEntry
from ..sellers.payments import is_paid_for
from ..tickets.payment import info_about
from ..tickets.reasons import ALREADY_CANCELED, CHANGED, NOT_STATED, SETTLED, UNKNOWN
from ..tickets.selection import By, Selection
from ..tickets.state import LIVE, Sale
from .mark_paid import mark_paid

#: Of tickets on a statement: what there is to be done about once it is settled.
UNPAID = Q(LIVE, settled=None) & ~Q(batch__consignment=True, order__status=Order.STATUS_PAID)

#: Of the keys of these jobs.
NAMESPACE = UUID("6f1a8d6e-3b0c-4b5c-9a43-2f6f7f3a8c11")


@dataclass(frozen=True)
class SettleRequest(AfterSaleRequest):
    #: The key of the statement, and its number.
    statement: int = 0
    number: int = 0


class Settle(AfterSale):
    """Tickets are settled, since their statement is. Orders on consignment are paid, others are left as they are."""

    identifier = "settle"
    name = _("Settle tickets")
    Request = SettleRequest
    is_offered = False
    result = _("Settled tickets")
    outcome = _("settled")
    entry = "settled"
    history = ngettext_lazy(
        "%(amount)s ticket has been paid: statement %(statement)s.",
        "%(amount)s tickets have been paid: statement %(statement)s.",
        "amount",
    )
    order_history = _("The ticket has been paid: statement {statement}.")
    webhook = _("Tickets of an offline sales batch settled")
    candidates = Q(UNPAID, statement__settled__isnull=False)

    def ask_for(self, statement: Statement, event: Event, requested_by: dict) -> Job:
        """The job for a statement and an event. There is one at a time; one that is over makes room for another."""
        pk = key_of(statement.pk, event.pk)
        Job.objects.filter(pk=pk, state=Job.State.FAILED).delete()
        if Job.objects.filter(pk=pk, state=Job.State.SUCCEEDED).exists():
            pk = uuid4()  # some had to wait until another statement was paid; what is done stays done
        request = self.Request(statement=statement.pk, number=statement.document.number)
        selection = Selection(By.STATEMENT, statement.pk)
        return self.create(event, request, requested_by, pk=pk, selection=sent(selection.data))

    def refusal(self, orders, pk):
        order, positions = orders.orders.get(pk), orders.positions[pk]
        if not order:
            return UNKNOWN
        if order.status in (Order.STATUS_CANCELED, Order.STATUS_EXPIRED) or not positions:
            return ALREADY_CANCELED
        if all(position.positionid != TICKET_POSITION for position in positions) or order.require_approval:
            return CHANGED  # what is left is not what was sold, or it is not valid any more
        return SETTLED if orders.sales[pk] == Sale.SETTLED else ""

    def deal_with(self, job, orders, pks, pace):
        stated = _stated(request_of(job), orders)
        theirs = [pk for pk in pks if pk in stated]
        written = _settle(orders, theirs, stated, job) if theirs else []
        return written, {pk: NOT_STATED for pk in pks if pk not in stated}

    def entry_data(self, job):
        return {"statement": request_of(job).number}

    def describe_order(self, data):
        return super().describe_order(data).format(statement=data.get("statement", ""))

    def is_still_so(self, order):
        return order.status != Order.STATUS_CANCELED

    def changes(self, order):
        return order.offline_sales_ticket.batch.consignment

    def signals(self, order):
        return [order_paid] if self.changes(order) and order.status == Order.STATUS_PAID else []


def key_of(statement: int, event: int) -> UUID:
    """Of the job for a statement and an event, by their keys."""
    return uuid5(NAMESPACE, f"{statement} {event}")


def _stated(request: SettleRequest, orders: Orders) -> dict[int, Decimal]:
    """
    What the statement says of each order, unless it has come back since, or another one says something else, or is to
    be paid, too.
    """
    tickets = unscoped(OfflineSalesTicket.objects).filter(among("order", orders.orders), statement=request.statement)
    entries = unscoped(StatementEntry.objects).filter(
        statement=request.statement, ticket__in=tickets.filter(is_paid_for()).order_by(), count=1
    )
    return dict(entries.order_by().values_list("ticket__order", "price"))


def _settle(orders: Orders, pks: Iterable[int], stated: dict[int, Decimal], job: Job) -> list[int]:
    moment, request, written = now(), request_of(job), []
    on_consignment = {pk: stated[pk] for pk in pks if pk in orders.on_consignment}
    if on_consignment:
        info = info_about(request.statement, request.number)
        written += mark_paid(orders, on_consignment, info, job.requester, moment)
    unscoped(OfflineSalesTicket.objects).filter(among("order", pks)).update(settled=moment)
    data = SETTLE.entry_data(job)
    first = next(iter(orders.orders.values()))
    return written + log(first, SETTLE.order_action, list(pks), [data for _pk in pks], job.requester)


SETTLE = Settle()
KINDS.register(SETTLE)
