"""
What has happened beside us to tickets that a seller holds, and somebody should know: in the books it is right already,
or will be with the next statement.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Case, CharField, F, OuterRef, Q, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _
from pretix.base.models import Order

from ..db.queries import first, planned_plainly, unscoped
from ..models import OfflineSalesTicket, Seller, StatementEntry
from ..tickets.splitting import find_split_off
from ..tickets.state import LET_IN_ALL_THE_SAME, LIVE, Fate, Sale, with_state
from ..tickets.worth import with_paid_directly


class Remark(TextChoices):
    """The first of these that is true of a ticket."""

    LET_IN_ALL_THE_SAME = "let_in_all_the_same", _("Returned, but let in all the same")
    SPLIT_OFF = "split_off", _("Split off to another order, which the seller has nothing to do with")
    EXPIRED = "expired", _("Expired, so the paper is worthless although the seller holds it")
    PAID_DIRECTLY = "paid_directly", _("Paid to you directly: the seller owes nothing for them and keeps no commission")
    CANCELED = "canceled", _("Canceled since they were stated: the next statement takes them back")
    REPRICED = "repriced", _("They cost something else than was stated: the next statement says so")
    LET_IN = "let_in", _("Let in, although the seller has not said that they were sold: the next statement says so")


@dataclass
class Remarked:
    """Tickets of which the same is to be said."""

    remark: Remark
    count: int = 0
    #: The first ones, by batch and number, with their orders. They know where they were split off to (``split_to``).
    tickets: list[OfflineSalesTicket] = field(default_factory=list)

    @property
    def more(self) -> int:
        """How many there are besides."""
        return self.count - len(self.tickets)


#: Of so many tickets it is said which they are.
MAX_NAMED = 20

#: Of tickets with their state, that know whether they are ``paid_directly``, and what was ``stated`` that they cost.
_REMARKS = {
    Remark.LET_IN_ALL_THE_SAME: Q(LET_IN_ALL_THE_SAME),
    Remark.SPLIT_OFF: Q(split_off=True, returned=None),
    Remark.EXPIRED: Q(order__status=Order.STATUS_EXPIRED, left=True),
    Remark.PAID_DIRECTLY: Q(paid_directly=True, left=True),
    Remark.CANCELED: Q(Q(canceled=True), statement__isnull=False),
    Remark.REPRICED: Q(LIVE, left=True, statement__isnull=False) & ~Q(order__total=F("stated")),
    Remark.LET_IN: Q(fate=Fate.OUTSTANDING, sale=Sale.NONE, checked_in=True, statement=None),
}


def remarked(seller: Seller) -> list[Remarked]:
    """In the order of ``Remark``, only what there is. Two queries, or four where tickets were split off."""
    entries = unscoped(StatementEntry.objects).filter(ticket=OuterRef("pk"), statement=OuterRef("statement"), count=1)
    tickets = unscoped(OfflineSalesTicket.objects).filter(seller=seller)
    known = with_paid_directly(with_state(tickets)).annotate(stated=first(entries.order_by(), "price"))
    remark = Case(
        *(When(condition, then=Value(each.value)) for each, condition in _REMARKS.items()),
        default=Value(""),
        output_field=CharField(),
    )
    with planned_plainly():
        rows = list(
            known.annotate(remark=remark).exclude(remark="").order_by("batch", "number").values_list("remark", "pk")
        )
    by_remark = defaultdict(list)
    for each, pk in rows:
        by_remark[each].append(pk)
    shown = [pk for keys in by_remark.values() for pk in keys[:MAX_NAMED]]
    named = unscoped(OfflineSalesTicket.objects).select_related("batch__event", "order").in_bulk(shown)
    split_off = set(by_remark.get(Remark.SPLIT_OFF.value, ()))
    for pk, ticket in named.items():
        ticket.split_off = pk in split_off
    find_split_off(named.values())
    return [
        Remarked(remark, len(keys), [named[pk] for pk in keys[:MAX_NAMED]])
        for remark in Remark
        if (keys := by_remark.get(remark.value))
    ]
