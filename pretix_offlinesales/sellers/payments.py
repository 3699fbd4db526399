"""
What sellers have paid, and which statements are paid by it.

What was paid for a statement pays that one first. What is left of it, and what statements give back, pays the others,
the oldest first. Balance is what statements say less what was paid.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils.timezone import now
from pretix.base.models import LogEntry

from ..db.queries import unscoped
from ..host.webhooks import send_organizer_webhooks
from ..jobs.announcing import holding_nobody_up
from ..models import Requested, Seller, SellerPayment, Statement, StatementEntry
from ..tickets.worth import NOTHING, money

#: In the history of the seller.
PAID = "pretix_offlinesales.seller.paid"


@dataclass(frozen=True)
class Allocation:
    #: What of each statement is paid, by its key: of one that gives something back, what was taken from it. Less than
    #: that or nothing, if more was taken back of it than was paid.
    paid: dict[int, Decimal]
    #: What was paid and is not needed yet.
    left: Decimal

    @classmethod
    def of(cls, dues: dict[int, Decimal], payments: Iterable[tuple[int, Decimal]]) -> "Allocation":
        """
        :param dues: of the statements of one seller, by key, the oldest first
        :param payments: each the key of a statement, and the amount
        """
        named: dict[int, Decimal] = defaultdict(lambda: NOTHING)
        for statement, amount in payments:
            named[statement] += amount
        # What a statement does not need is there for others; what it lacks, if more was taken back, they must give.
        paid = {pk: max(min(due, named[pk]), NOTHING) if due > 0 else NOTHING for pk, due in dues.items()}
        credits = {pk: -due for pk, due in dues.items() if due < 0}
        pool = sum(named.values(), NOTHING) - sum(paid.values(), NOTHING) + sum(credits.values(), NOTHING)
        for pk, due in dues.items():
            if pool > 0 and due > paid[pk]:
                more = min(pool, due - paid[pk])
                paid[pk], pool = paid[pk] + more, pool - more
        for pk in reversed(dues):
            if pool < 0 < paid[pk]:
                less = min(-pool, paid[pk])
                paid[pk], pool = paid[pk] - less, pool + less
        # What nobody needs is of the newest of those that give something back.
        for pk, credit in reversed(credits.items()):
            unused = min(max(pool, NOTHING), credit)
            paid[pk], pool = unused - credit, pool - unused
        # More was taken back than was ever paid: it is open where that was said.
        for pk in reversed(dues):
            if pool < 0 and named[pk] < 0:
                less = min(-pool, -named[pk])
                paid[pk], pool = paid[pk] - less, pool + less
        return cls(paid, pool)


def allocation(seller: Seller) -> Allocation:
    return allocations([seller])[seller.pk]


def allocations(sellers: Iterable[Seller]) -> dict[int, Allocation]:
    """By the keys of the sellers, in two queries."""
    keys = [seller.pk for seller in sellers]
    dues: dict[int, dict[int, Decimal]] = defaultdict(dict)
    payments: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    statements = unscoped(Statement.objects).filter(seller__in=keys).order_by("pk")
    for seller, pk, due in statements.values_list("seller", "pk", "due"):
        dues[seller][pk] = due
    paid = unscoped(SellerPayment.objects).filter(seller__in=keys).order_by().values("seller", "statement")
    for row in paid.annotate(sum=Sum("amount")):
        payments[row["seller"]].append((row["statement"], money(row["sum"])))
    return {pk: Allocation.of(dues[pk], payments[pk]) for pk in keys}


def is_paid(statement: Statement, allocation: Allocation) -> bool:
    return allocation.paid[statement.pk] == statement.due


def is_paid_for() -> Q:
    """
    Of tickets: on statements for which the money has come in. What a ticket costs may have been stated bit by bit, so
    that is asked of all statements of its seller that name it. One that gives something back need not be paid, but
    others are paid by it: it waits for those that are older.
    """
    open_ones = unscoped(Statement.objects).filter(settled=None, due__gt=0).order_by()
    older = open_ones.filter(seller=OuterRef("statement__seller"), pk__lt=OuterRef("statement"))
    named = unscoped(StatementEntry.objects).filter(
        ticket=OuterRef("pk"), count=1, statement__seller=OuterRef("statement__seller")
    )
    is_open = Q(statement__settled=None, statement__due__gt=0) | Q(Exists(older), statement__due__lte=0)
    is_on_paid_one = Q(statement__settled__isnull=False) | Q(statement__due__lte=0)
    return Q(is_on_paid_one, ~Q(Exists(named.filter(is_open).order_by())))


@transaction.atomic
def write_payment(
    statement: Statement, amount: Decimal, day: date, reference: str, requested_by: dict
) -> tuple[SellerPayment, list[Statement]]:
    """
    Returns the payment, and the statements that are settled since: what they say is to be paid in pretix now.

    :param amount: in the currency of the seller, not 0
    :param requested_by: as the fields of ``Requested``
    """
    seller = lock(statement.seller_id)
    payment = SellerPayment(
        seller=seller, statement=statement, amount=amount, date=day, reference=reference, **requested_by
    )
    payment.save(force_insert=True)
    data = {
        "payment": payment.pk,
        "statement": statement.pk,
        "number": statement.document.number,
        "amount": amount,
        "currency": statement.document.currency,
        "date": day,
        "reference": reference,
    }
    log(seller, PAID, data, payment)
    return payment, newly_settled(seller)


def log(seller: Seller, action: str, data: dict, requested: Requested) -> None:
    """In her history. Webhooks hear of it once it is committed."""
    entry = seller.log_action(action, data, save=False, **requested.requester)
    entry.save()
    transaction.on_commit(partial(_tell, entry))


def _tell(entry: LogEntry) -> None:
    with holding_nobody_up("Webhooks could not be sent"):
        send_organizer_webhooks(entry)


def lock(seller: int) -> Seller:
    """Nobody else states anything of her or takes her money until the end of the transaction."""
    return unscoped(Seller.objects).select_for_update(no_key=True).get(pk=seller)


def newly_settled(seller: Seller) -> list[Statement]:
    """
    Remember which statements are paid in full, and return those of which nobody knew that yet.

    :param seller: locked
    """
    found = allocation(seller)
    open_ones = unscoped(Statement.objects).filter(seller=seller, settled=None).order_by("pk")
    settled: Sequence[Statement] = [each for each in open_ones.select_related("document") if is_paid(each, found)]
    unscoped(Statement.objects).filter(pk__in=[each.pk for each in settled]).update(settled=now())
    return list(settled)
