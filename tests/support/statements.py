"""Statements of sellers, and what they say."""

from django.utils.timezone import now
from pretix.base.models import Event

from pretix_offlinesales.documents.statements import SellerStatement
from pretix_offlinesales.models import OfflineSalesBatch, Seller, Statement
from pretix_offlinesales.sellers.statements import make

from .sellers import NOBODY, handed_over


def sell(batch: OfflineSalesBatch, seller: Seller, numbers: str) -> None:
    """They are handed over, and all of them are sold."""
    document = handed_over(batch, seller, numbers)
    batch.tickets.filter(document=document).update(sold=now())


def state(seller: Seller, *events: Event) -> Statement:
    return make(seller, events, now(), NOBODY)


def said(statement: Statement) -> SellerStatement:
    return SellerStatement.from_json(statement.document.snapshot)
