"""When tickets were sold, by whom."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.db.models import Count, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce, TruncMinute
from pretix.base.models import OrderPayment

from ..db.queries import first, planned_plainly, unscoped
from ..models import OfflineSalesTicket, Seller
from ..tickets.over_time import in_steps
from ..tickets.state import IN_STATE, State, entries_with_it, with_facts

#: Of so many sellers one is told apart; what the others have sold is added up.
MAX_SELLERS = 6


@dataclass(frozen=True)
class Sales:
    #: Those who have sold most, the first of them first. None stands for all others.
    sellers: Sequence[Seller | None]
    #: Moments at the same distance, and what each of them has sold from there on to the next.
    steps: Sequence[tuple[datetime, Sequence[int]]]

    def __bool__(self) -> bool:
        return bool(self.steps)


def sales_over_time(tickets: QuerySet[OfflineSalesTicket], timezone: tzinfo) -> Sales:
    """
    A ticket is sold when its seller says so, or else when somebody is let in with it first, or else when it is paid. Of
    what nobody holds, nobody knows when it was sold. Two queries.
    """
    counts = _counts(tickets.filter(seller__isnull=False))
    sold: Counter[int] = Counter()
    for _moment, seller, count in counts:
        sold[seller] += count
    most = [pk for pk, _count in sorted(sold.items(), key=lambda item: (-item[1], item[0]))]
    shown = most if len(most) <= MAX_SELLERS else most[: MAX_SELLERS - 1]
    names = unscoped(Seller.objects).in_bulk(shown)
    series: list[int | None] = [*shown, *([None] if len(most) > len(shown) else [])]
    steps = in_steps(
        [(moment, seller if seller in names else None, count) for moment, seller, count in counts], timezone
    )
    return Sales(
        [pk and names[pk] for pk in series],  # type: ignore[misc]  # no key is 0
        [(moment, [found[pk] for pk in series]) for moment, found in steps],
    )


def _counts(tickets: QuerySet[OfflineSalesTicket]) -> list[tuple[datetime, int, int]]:
    entered = first(entries_with_it().order_by("datetime"), "datetime")
    payments = unscoped(OrderPayment.objects).filter(
        order=OuterRef("order"), state=OrderPayment.PAYMENT_STATE_CONFIRMED, payment_date__isnull=False
    )
    paid = first(payments.order_by("payment_date"), "payment_date")
    known = with_facts(tickets.order_by()).filter(IN_STATE[State.SOLD] | IN_STATE[State.SETTLED])
    by_minute = known.annotate(minute=TruncMinute(Coalesce(F("sold"), entered, paid))).exclude(minute=None)
    with planned_plainly():
        counted = by_minute.values("minute", "seller").annotate(count=Count("pk"))
        return list(counted.values_list("minute", "seller", "count"))
