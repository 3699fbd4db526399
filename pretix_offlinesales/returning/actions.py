"""What can be done with tickets that exist, each said once for whoever chooses, refuses, writes down or announces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from pretix.base.models import Order
from pretix.base.signals import EventPluginSignal, order_canceled, order_changed, order_paid, order_reactivated

from ..models import Job
from ..tickets.reasons import ALREADY_CANCELED, REVOKED
from ..tickets.state import RETURNED, Fate
from . import lost, replace, undo
from .orders import Orders


@dataclass(frozen=True)
class Action:
    kind: Job.Kind
    #: In the histories of batches, after ``pretix_offlinesales.batch``.
    entry: str
    #: For the server's log: what an order is then.
    outcome: str
    #: Why it can't be done with an order; empty if it can.
    refusal: Callable[[Orders, int], str]
    #: What all tickets are that something can be done about.
    candidates: Q
    #: What is said of paper whose code has been revoked.
    dead: str = REVOKED
    #: Whether an order still is what it was made, when others are told: somebody may have undone it since.
    is_still_so: Callable[[Order], bool] = lambda order: True
    #: What the host tells other plugins of such an order.
    signals: Callable[[Order], Sequence[EventPluginSignal]] = lambda order: []
    #: What is undone, where something is.
    of: Job.Kind | None = None


def _is_canceled(order: Order) -> bool:
    return order.status == Order.STATUS_CANCELED


#: Also of orders that have expired. Lost paper is not out any more: it is written off, or found again, if it is named.
OUT = Q(left=True, lost=None) & ~Q(order__status=Order.STATUS_CANCELED)

RETURN = Action(
    Job.Kind.RETURN,
    entry="returned",
    outcome="canceled",
    refusal=Orders.refusal,
    candidates=OUT,
    dead=ALREADY_CANCELED,  # whoever returns it need not care why it is not valid any more
    is_still_so=_is_canceled,
    signals=lambda order: [order_canceled],
)
UNDO_RETURN = Action(
    Job.Kind.UNDO,
    of=Job.Kind.RETURN,
    entry="undone",
    outcome="valid again",
    refusal=undo.refusal,
    candidates=Q(fate__in=RETURNED),
    is_still_so=lambda order: not _is_canceled(order),
    signals=lambda order: [order_reactivated, *([order_paid] if order.status == Order.STATUS_PAID else [])],
)
REPLACE = Action(
    Job.Kind.REPLACE,
    entry="replaced",
    outcome="replaced",
    refusal=replace.refusal,
    candidates=Q(fate=Fate.OUTSTANDING),
)
REPORT_LOST = Action(
    Job.Kind.LOST,
    entry="lost",
    outcome="lost",
    refusal=lost.refusal,
    candidates=Q(fate=Fate.OUTSTANDING),
    is_still_so=lambda order: order.offline_sales_ticket.lost is not None,
    signals=lambda order: [order_changed],
)
UNDO_LOST = Action(
    Job.Kind.UNDO,
    of=Job.Kind.LOST,
    entry="undone.lost",
    outcome="not lost any more",
    refusal=lost.refusal_to_undo,
    candidates=Q(fate=Fate.REPORTED_LOST),
    is_still_so=lambda order: order.offline_sales_ticket.lost is None,
    signals=lambda order: [order_changed],
)

ACTIONS = (RETURN, UNDO_RETURN, REPLACE, REPORT_LOST, UNDO_LOST)

#: What can be undone.
UNDOABLE = [action.of for action in ACTIONS if action.of]


def find(kind: Job.Kind, of: str = Job.Kind.RETURN) -> Action:
    """:param of: what is undone, if ``kind`` says that something is"""
    return next(action for action in ACTIONS if action.kind == kind and action.of in (None, of))


def action_of(job: Job) -> Action:
    return find(job.kind, job.data.get("of", Job.Kind.RETURN))
