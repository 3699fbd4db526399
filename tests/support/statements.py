"""Statements, without the tickets that they would be about."""

from decimal import Decimal

from django.utils.timezone import now

from pretix_offlinesales.models import Document, DocumentKind, Statement
from pretix_offlinesales.sellers.statements import look


def make_statement(seller, event, due="10.00", number=1) -> Statement:
    """It says nothing but what is due."""
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
