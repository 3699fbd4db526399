"""Tickets that are paid when a statement is."""

from datetime import date
from decimal import Decimal

from django.utils.timezone import now
from pretix.base.models import Event, LogEntry, Order, OrderPayment

from pretix_offlinesales.models import Job, OfflineSalesBatch, Seller, Statement
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.settling.paying import pay

from .sellers import NOBODY, handed_over


def stated(seller: Seller, batch: OfflineSalesBatch, numbers: str, *others: OfflineSalesBatch) -> Statement:
    """These tickets, of each of the batches, are handed over to the seller, sold, and on a statement."""
    for each in (batch, *others):
        document = handed_over(each, seller, numbers)
        each.tickets.filter(document=document).update(sold=now())
    return make(seller, list({each.event for each in (batch, *others)}), now(), NOBODY)


def paid(statement: Statement, amount: Decimal | None = None, requested_by: dict = NOBODY) -> list[Job]:
    """The jobs to be done since somebody has paid it, in full unless it is said how much."""
    amount = statement.due if amount is None else amount
    return pay(statement, amount, date(2027, 5, 1), "", requested_by)[1]
