"""Statements of sellers, and what they say."""

from decimal import Decimal

from django.utils.timezone import now
from pretix.base.models import Event

from pretix_offlinesales.documents.statements import SellerStatement
from pretix_offlinesales.models import Document, DocumentKind, OfflineSalesBatch, Seller, Statement
from pretix_offlinesales.sellers.statements import look, make

from .sellers import NOBODY, handed_over


def sell(batch: OfflineSalesBatch, seller: Seller, numbers: str) -> None:
    """They are handed over, and all of them are sold."""
    document = handed_over(batch, seller, numbers)
    batch.tickets.filter(document=document).update(sold=now())


def state(seller: Seller, *events: Event) -> Statement:
    return make(seller, events, now(), NOBODY)


def said(statement: Statement) -> SellerStatement:
    return SellerStatement.from_json(statement.document.snapshot)


def bare(seller: Seller, event: Event, due: str = "10.00", number: int = 1) -> Statement:
    """One without tickets, that says nothing but what is due."""
    seller.currency = event.currency
    seller.save(update_fields=["currency"])
    draft, amount = look(seller, [event], now()), Decimal(due)
    document = Document.objects.create(
        organizer=seller.organizer,
        kind=DocumentKind.STATEMENT,
        number=number,
        target=seller,
        count=0,
        value=amount,
        currency=event.currency,
        snapshot=draft.snapshot().to_json(),
    )
    sums = {"total": amount, "due": amount, "commission": 0, "commission_tax": 0}
    statement = Statement.objects.create(document=document, seller=seller, until=draft.until, **sums)
    statement.events.add(event)
    return statement
