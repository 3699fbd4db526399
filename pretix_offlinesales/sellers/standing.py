"""How much of a statement is paid, and whether the rest is overdue. It is computed when somebody asks, never stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, Self

from django.db.models import QuerySet, TextChoices
from django.utils.timezone import now
from django.utils.translation import pgettext_lazy
from pretix.base.models import Organizer

from ..models import Seller, Statement
from ..tickets.worth import NOTHING
from .payments import allocations


class Stage(TextChoices):
    OPEN = "open", pgettext_lazy("statement", "Open")
    #: The day until which it was to be paid is over.
    OVERDUE = "overdue", pgettext_lazy("statement", "Overdue")
    #: Paid, or given back.
    SETTLED = "settled", pgettext_lazy("statement", "Settled")


class Item(NamedTuple):
    """A statement, as far as it matters here."""

    pk: int
    seller: int
    due: Decimal
    pay_until: date | None
    settled: datetime | None


@dataclass(frozen=True)
class Standing:
    due: Decimal
    #: Negative, if the statement gives something back: what was taken from that.
    paid: Decimal
    stage: Stage
    #: It was paid in full before.
    is_open_again: bool

    @classmethod
    def of(cls, item: Item, paid: Decimal, today: date) -> Self:
        if paid == item.due:
            return cls(item.due, paid, Stage.SETTLED, is_open_again=False)
        is_late = item.due > 0 and item.pay_until is not None and item.pay_until < today
        stage = Stage.OVERDUE if is_late else Stage.OPEN
        return cls(item.due, paid, stage, is_open_again=item.settled is not None)

    @property
    def open(self) -> Decimal:
        """What is still to be paid; negative, if there is something to be given back."""
        return self.due - self.paid

    @property
    def is_overdue(self) -> bool:
        return self.stage == Stage.OVERDUE


def standings(organizer: Organizer, statements: QuerySet[Statement]) -> dict[int, Standing]:
    """
    By the keys of the statements, in three queries: payments are set against all statements of a seller.

    :param statements: of this organizer
    """
    rows = statements.order_by().values_list(*Item._fields)
    return _standings(organizer, [Item._make(row) for row in rows])


def standing_of(statement: Statement) -> Standing:
    item = Item(statement.pk, statement.seller_id, statement.due, statement.pay_until, statement.settled)
    return _standings(statement.document.organizer, [item])[statement.pk]


def _standings(organizer: Organizer, items: Iterable[Item]) -> dict[int, Standing]:
    found = list(items)
    known = allocations([Seller(pk=pk) for pk in {item.seller for item in found}]) if found else {}
    today = now().astimezone(organizer.timezone).date()
    return {item.pk: Standing.of(item, known[item.seller].paid.get(item.pk, NOTHING), today) for item in found}
