"""What tickets cost, and what is to be paid for them."""

from decimal import Decimal

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from pretix.base.models import Order, OrderPayment, Transaction

from ..db.queries import exists_for_each, first, unscoped
from ..models import TICKET_POSITION, OfflineSalesTicket
from .payment import OfflineSalesPayment
from .state import IN_LEDGER, LET_IN_ALL_THE_SAME, LONG_AGO

NOTHING = Decimal("0.00")

PROVIDER = OfflineSalesPayment.identifier


def with_worth(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that know what they cost, with what is bundled with them (``worth``): if they are canceled, what was
    canceled with them.

    :param tickets: with their fate
    """
    # An order that is canceled as a whole keeps its total.
    worth = Case(When(left=True, then=F("order__total")), default=Subquery(_gone_with_the_ticket()))
    return tickets.annotate(worth=worth)


def with_due(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    Tickets that also know whether something of their orders is in the host's ledger (``in_ledger``), whether they were
    returned, but let in (``let_in_all_the_same``), and what is to be paid for them: what is in the ledger (``due``), or
    what those that were let in cost (``due_besides``).

    :param tickets: with their state
    """
    known = tickets.annotate(in_ledger=Q(IN_LEDGER), let_in_all_the_same=Q(LET_IN_ALL_THE_SAME))
    return with_worth(known).annotate(
        due=Case(When(in_ledger=True, then=F("order__total")), default=Value(NOTHING)),
        due_besides=Case(When(let_in_all_the_same=True, then=F("worth")), default=Value(NOTHING)),
    )


def with_paid_directly(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """Tickets that know whether the organizer has got the money without whoever sold them (``paid_directly``)."""
    payments = unscoped(OrderPayment.objects).filter(
        order=OuterRef("order"), state=OrderPayment.PAYMENT_STATE_CONFIRMED
    )
    ours = Q(provider=PROVIDER)
    is_direct = Q(exists_for_each(payments.filter(~ours, amount__gt=0)), ~Q(exists_for_each(payments.filter(ours))))
    return tickets.annotate(
        paid_directly=Case(When(is_direct, order__status=Order.STATUS_PAID, then=True), default=False)
    )


def _gone_with_the_ticket() -> QuerySet:
    """The sum of all positions that left the order when the ticket did, as the host's ledger has it."""
    # The time has an index of its own, which must not be chosen (see ``db.queries``).
    entries = unscoped(Transaction.objects).alias(moment=Coalesce("datetime", LONG_AGO)).order_by()
    gone = entries.filter(order=OuterRef("order"), count__lt=0)
    moment = first(gone.filter(positionid=TICKET_POSITION).order_by("-moment"), "datetime")
    # A position whose price was changed at that moment has left the ledger, too, and come back.
    come_back = entries.filter(
        order=OuterRef("order"), moment=OuterRef("datetime"), positionid=OuterRef("positionid"), count__gt=0
    )
    with_it = gone.filter(~Exists(come_back), moment=moment, positionid__isnull=False)
    return with_it.values("order").values(sum=Sum(-F("price") * F("count")))


def money(value: Decimal | None) -> Decimal:
    """As it is stored: sums on SQLite have any number of places."""
    return (value or NOTHING).quantize(NOTHING)
