"""Sellers, and what they are handed."""

from pretix_offlinesales.models import Document, OfflineSalesBatch, OfflineSalesTicket, Seller
from pretix_offlinesales.sellers.handing_over import hand_over
from pretix_offlinesales.tickets.selection import Selection, choose

NOBODY = {"user": None, "api_token": None, "device": None, "oauth_application": None}


def make_seller(organizer, name="Kiosk", **values) -> Seller:
    return Seller.objects.create(organizer=organizer, name=name, **values)


def handed_over(batch: OfflineSalesBatch, seller: Seller | None, numbers: str, comment="") -> Document:
    """Tickets of one batch, to a seller or (None) back to stock."""
    choices = choose(batch.event, batch, Selection.numbered(numbers, batch))
    return hand_over(batch.event, seller, choices, NOBODY, comment)


def held(seller: Seller | None, batch: OfflineSalesBatch) -> list[int]:
    """The numbers of the batch that a seller, or (None) the stock holds."""
    tickets = OfflineSalesTicket.objects.filter(batch=batch, seller=seller)
    return list(tickets.order_by("number").values_list("number", flat=True))
