"""Tickets of several batches go to a seller, at once."""

from pretix_offlinesales.models import OfflineSalesTicket, Seller
from pretix_offlinesales.sellers.handing_over import hand_over
from pretix_offlinesales.tickets.selection import Selection, choose

from .apart import Measured
from .world import NOBODY, issue_batch, the_item

#: In so many batches they are.
BATCHES = 4


def hand_over_all(amount: int) -> dict:
    """From the numbers that somebody has typed to the document: what a page or the API does."""
    item = the_item()
    event = item.event
    seller = Seller.objects.create(organizer=event.organizer, name="Kiosk")
    batches = [issue_batch(item, amount // BATCHES) for _ in range(BATCHES)]
    text = "\n".join(f"#{batch.pk}: 1-{batch.amount}" for batch in batches)
    with Measured() as measured:
        document = hand_over(event, seller, choose(event, None, Selection.parse(text, event, None)), NOBODY)
    assert document.count == OfflineSalesTicket.objects.filter(seller=seller).count() == amount
    return measured.found
