"""What the organizer would lose if a seller paid nothing any more: it is this that her credit limit is about."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Case, Value, When

from ..db.queries import unscoped
from ..models import OfflineSalesTicket, Seller, Statement
from ..tickets.figures import figures
from ..tickets.worth import NOTHING, with_paid_directly
from .payments import Allocation, allocations, is_paid_for


def exposures(sellers: Iterable[Seller]) -> dict[int, Decimal]:
    """
    The face value of what each of them holds or owes, over all events, in four queries.

    What was paid to the organizer directly she neither holds nor owes, nor does she owe what is on a statement that was
    paid in full. What was paid of the others, or is not needed yet, is taken off what she owes; what is open again of
    one that had been paid is added. So it is never less than what she holds.
    """
    keys = [seller.pk for seller in sellers]
    if not keys:
        return {}
    tickets = with_paid_directly(unscoped(OfflineSalesTicket.objects).filter(seller__in=keys))
    is_paid = Case(When(is_paid_for(), then=Value(True)), default=Value(False))
    groups = figures(
        tickets.annotate(is_paid=is_paid), by=("seller", "paid_directly", "is_paid", "order__require_approval")
    )
    held: dict[int, Decimal] = defaultdict(lambda: NOTHING)
    owed: dict[int, Decimal] = defaultdict(lambda: NOTHING)
    for (seller, paid_directly, is_paid, is_inactive), found in groups.items():
        if paid_directly:
            continue
        held[seller] += found.held.value
        if not (is_paid or is_inactive):
            owed[seller] += (found.sold + found.reported_lost).value
    settled = _settled_before(keys)
    found_allocations = allocations(Seller(pk=pk) for pk in keys)
    return {pk: held[pk] + max(owed[pk] - _paid(found_allocations[pk], settled), NOTHING) for pk in keys}


def _settled_before(sellers: Iterable[int]) -> dict[int, Decimal]:
    """What is due of each statement that was paid in full once."""
    statements = unscoped(Statement.objects).filter(seller__in=sellers, settled__isnull=False).order_by()
    return dict(statements.values_list("pk", "due"))


def _paid(allocation: Allocation, settled: dict[int, Decimal]) -> Decimal:
    """Of what is not settled."""
    of_open_ones = (paid for pk, paid in allocation.paid.items() if pk not in settled and paid > 0)
    open_again = (due - allocation.paid[pk] for pk, due in settled.items() if pk in allocation.paid and due > 0)
    return sum(of_open_ones, NOTHING) + allocation.left - sum(open_again, NOTHING)
