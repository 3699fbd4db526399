"""Tickets that are paid when a statement is."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils.timezone import now
from pretix.base.models import LogEntry, Order, OrderPayment

from pretix_offlinesales.models import Job, OfflineSalesBatch, Seller, Statement
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.settling.paying import pay

from .sellers import NOBODY, handed_over


def put_on_consignment(batch: OfflineSalesBatch) -> OfflineSalesBatch:
    """As if it had been issued so."""
    OfflineSalesBatch.objects.filter(pk=batch.pk).update(consignment=True)
    orders = Order.objects.filter(offline_sales_ticket__batch=batch)
    OrderPayment.objects.filter(order__in=orders).delete()
    paid = LogEntry.objects.filter(content_type__model="order", object_id__in=orders.values("pk"))
    paid.filter(action_type__in=["pretix.event.order.payment.confirmed", "pretix.event.order.paid"]).delete()
    orders.update(status=Order.STATUS_PENDING, valid_if_pending=True, expires=now() + timedelta(days=600))
    batch.refresh_from_db()
    return batch


def stated(seller: Seller, numbers: str, *batches: OfflineSalesBatch) -> Statement:
    """These tickets, of each of the batches, are handed over to the seller, sold, and on a statement."""
    for batch in batches:
        document = handed_over(batch, seller, numbers)
        batch.tickets.filter(document=document).update(sold=now())
    return make(seller, list({batch.event for batch in batches}), now(), NOBODY)


def paid(statement: Statement, amount: Decimal | None = None, requested_by: dict = NOBODY) -> list[Job]:
    """The jobs to be done since somebody has paid it, in full unless it is said how much."""
    amount = statement.due if amount is None else amount
    return pay(statement, amount, date(2027, 5, 1), "", requested_by)[1]


def pay_directly(order: Order, provider: str = "manual") -> Order:
    """As the host does it, by another provider than ours."""
    order = Order.objects.get(pk=order.pk)
    order.payments.create(provider=provider, amount=order.total).confirm(send_mail=False)
    order.refresh_from_db()
    return order
