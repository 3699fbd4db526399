"""
Who decides over tickets locks their rows before reading what decides: nobody decides beside another. All do it here, in
the same order, so that none waits for one who waits for them.

Rows are locked in this order: positions and orders; sellers, by key; tickets, by key; quotas and seats; the counter of
documents. Nobody needs all of them.
"""

from collections.abc import Iterable

from ..db.queries import among, unscoped
from ..models import OfflineSalesTicket


def lock_tickets(orders: Iterable[int]) -> None:
    """
    Nobody else decides over the tickets of these orders until the end of the transaction. What is read from here on
    is what they have decided before.

    :param orders: primary keys
    """
    tickets = unscoped(OfflineSalesTicket.objects).filter(among("order", orders)).order_by("pk")
    # All of the rows are fetched, since one that is not is not locked.
    list(tickets.select_for_update(no_key=True).values_list("pk"))
