"""What the organizer would lose if a seller paid nothing any more: it is this that her credit limit is about."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from ..db.queries import unscoped
from ..models import OfflineSalesTicket, Seller, Statement
from ..tickets.figures import figures
from ..tickets.worth import NOTHING, with_paid_directly
from .payments import Allocation, allocations


def exposures(sellers: Iterable[Seller]) -> dict[int, Decimal]:
    """
    The face value of what each of them holds or owes, over all events, in four queries.

    What was paid to the organizer directly she neither holds nor owes. From what else is sold or lost, stated or not,
    that is taken off which her statements need no money for any more, and what was paid and is not needed yet. So it is
    never less than what she holds.
    """
    keys = [seller.pk for seller in sellers]
    if not keys:
        return {}
    tickets = with_paid_directly(unscoped(OfflineSalesTicket.objects).filter(seller__in=keys))
    groups = figures(tickets, by=("seller", "paid_directly", "order__require_approval"))
    held: dict[int, Decimal] = defaultdict(lambda: NOTHING)
    owed: dict[int, Decimal] = defaultdict(lambda: NOTHING)
    for (seller, paid_directly, is_inactive), counted in groups.items():
        if paid_directly:
            continue
        held[seller] += counted.held.value
        if not is_inactive:
            owed[seller] += (counted.sold + counted.settled + counted.reported_lost).value
    found = allocations(Seller(pk=pk) for pk in keys)
    covered = _covered(found)
    # Where commissions are not known to be earned yet, they are not taken off what came back, either: no more is owed
    # for that than the tickets cost, but what was given back beyond what was paid.
    most = {pk: owed[pk] - min(sum(found[pk].paid.values(), found[pk].left), NOTHING) for pk in keys}
    return {pk: held[pk] + min(max(owed[pk] - covered[pk], NOTHING), most[pk]) for pk in keys}


def _covered(found: dict[int, Allocation]) -> dict[int, Decimal]:
    """
    Of what each of them was ever told to owe, at face value: of a statement that was paid in full, or gives something
    back, all but what is open of it; of others what was paid. What gives something back counts below 0, since those
    tickets are not owed any more; that it has paid others is in what was paid of them.
    """
    covered = {pk: allocation.left for pk, allocation in found.items()}
    statements = unscoped(Statement.objects).filter(seller__in=found).order_by()
    for seller, pk, total, due, settled in statements.values_list("seller", "pk", "total", "due", "settled"):
        paid = found[seller].paid.get(pk, NOTHING)  # none of one that was made just now
        is_never_paid = due > paid and due > 0 and not settled
        covered[seller] += paid if is_never_paid else total - (due - paid)
    return covered
