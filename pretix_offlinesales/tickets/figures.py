"""How many tickets there are of each kind, and what they cost: of any set of tickets. Counted, never stored."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from pretix.base.models import Event

from ..db.queries import planned_plainly, unscoped
from ..models import OfflineSalesBatch, OfflineSalesTicket
from .state import Fate, state_of, with_facts, with_fate
from .worth import NOTHING, money, with_due, with_worth

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: What is told about tickets, in this order, by the names in ``Figures``.
LABELS: "dict[str, StrOrPromise]" = {
    "issued": _("Issued"),
    **{fate.value: fate.label for fate in Fate},
    "checked_in": _("Checked in"),
    "due": _("Due"),
    "due_besides": _("Due besides: returned, but let in"),
}


@dataclass(frozen=True)
class Tally:
    """So many tickets, and what they cost, with what is bundled with them."""

    count: int = 0
    value: Decimal = NOTHING

    def __bool__(self) -> bool:
        return self.count > 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, self.value + other.value)


@dataclass(frozen=True)
class Figures:
    """Of some tickets. Only what still exists counts: orders of test mode can be deleted."""

    # One for each of ``Fate``.
    outstanding: Tally = Tally()
    reported_lost: Tally = Tally()
    unsold: Tally = Tally()
    lost: Tally = Tally()
    damaged: Tally = Tally()
    canceled: Tally = Tally()
    # Of the outstanding ones, one for each of ``State`` that they can be in.
    stock: Tally = Tally()
    held: Tally = Tally()
    sold: Tally = Tally()
    settled: Tally = Tally()
    #: Let in at least once; most of them are outstanding as well.
    checked_in: Tally = Tally()
    #: What the host's ledger says of the orders of all of them. A canceled one may have left something there: a fee
    #: that was kept, or what else is in its order.
    due: Tally = Tally()
    #: Returned, but let in all the same: a scanner that was offline knew nothing of it. Not in the ledger.
    due_besides: Tally = Tally()

    @property
    def returned(self) -> Tally:
        return self.unsold + self.lost + self.damaged

    @property
    def issued(self) -> Tally:
        return self.outstanding + self.reported_lost + self.returned + self.canceled

    @property
    def lines(self) -> "list[tuple[StrOrPromise, Tally]]":
        """All of them, each with its label."""
        return [(label, getattr(self, name)) for name, label in LABELS.items()]

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in Figures.__dataclass_fields__})


def tickets_of(batches: QuerySet[OfflineSalesBatch] | Iterable[OfflineSalesBatch]) -> QuerySet[OfflineSalesTicket]:
    """Those of some batches, to be counted. Batches that are asked for by a query become part of the question."""
    return unscoped(OfflineSalesTicket.objects).filter(batch__in=batches)


def tickets_of_event(event: Event) -> QuerySet[OfflineSalesTicket]:
    """Those of its batches that are complete."""
    return tickets_of(unscoped(OfflineSalesBatch.objects).filter(event=event, completed__isnull=False))


def figures(tickets: QuerySet[OfflineSalesTicket], by: str | tuple[str, ...]) -> dict[Any, Figures]:
    """
    The figures of each group of these tickets, in one query. Groups without tickets have empty ones.

    :param by: the field that the tickets of a group have in common: ``batch``, ``batch__item``, …; or several fields,
        then a group is called by a tuple of their values
    """
    found: dict[Any, Figures] = defaultdict(Figures)
    fields = (by,) if isinstance(by, str) else by
    for row in _count(tickets, *fields):
        found[row[by] if isinstance(by, str) else tuple(row[field] for field in fields)] += _figures(row)
    return found


def total(tickets: QuerySet[OfflineSalesTicket]) -> Figures:
    """The figures of all these tickets together, in one query."""
    return sum(map(_figures, _count(tickets)), Figures())


def tally(tickets: QuerySet[OfflineSalesTicket], by: str) -> dict[Any, Tally]:
    """How many tickets are in each group of these, and what they cost, in one query. Only groups that have tickets."""
    worth = with_worth(with_fate(tickets)).order_by().values(by)
    with planned_plainly():
        rows = list(worth.annotate(count=Count("pk"), value=Sum("worth")))
    return {row[by]: Tally(row["count"], money(row["value"])) for row in rows}


def _count(tickets, *by):
    facts = ("fate", "checked_in", "is_held", "sale", "in_ledger", "let_in_all_the_same")
    states = with_due(with_facts(tickets)).order_by().values(*by, *facts)
    sums = {f"{name}_sum": Sum(name) for name in ("worth", "due")}
    with planned_plainly():
        return list(states.annotate(count=Count("pk"), **sums))


def _figures(row):
    count = row["count"]
    tally = Tally(count, money(row["worth_sum"]))
    state = state_of(row["fate"], row["is_held"], row["sale"], row["checked_in"])
    return Figures(
        **{row["fate"]: tally},
        **({state: tally} if row["fate"] == Fate.OUTSTANDING else {}),
        checked_in=tally if row["checked_in"] else Tally(),
        due=Tally(count, money(row["due_sum"])) if row["in_ledger"] else Tally(),
        due_besides=tally if row["let_in_all_the_same"] else Tally(),
    )
