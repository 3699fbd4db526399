"""Through whose hands a ticket went."""

from ..db.queries import unscoped
from ..models import Movement, OfflineSalesTicket


def movements_of(ticket: OfflineSalesTicket) -> list[Movement]:
    """
    The lines of the ledger that are about it, the oldest first, each with its document and whom it names. One query
    where its batch was never handed over, or else two: what numbers a line is about, only the line knows.
    """
    ledger = unscoped(Movement.objects).filter(batch=ticket.batch_id)
    found = [pk for pk, numbers in ledger.values_list("pk", "numbers") if _is_in(ticket.number, numbers)]
    if not found:
        return []
    named = ledger.filter(pk__in=found).select_related("document__source", "document__target")
    # What a document says may be long, and so may be a line.
    return list(named.defer("numbers", "document__snapshot").order_by("document__created", "pk"))


def _is_in(number: int, ranges: list[list[int]]) -> bool:
    return any(first <= number <= last for first, last in ranges)
