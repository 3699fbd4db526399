"""Batches on consignment, as they are when nothing has been paid yet."""

from datetime import timedelta

from django.utils.timezone import now
from pretix.base.models import Order, OrderPayment

from pretix_offlinesales.models import OfflineSalesBatch


def on_consignment(batch: OfflineSalesBatch) -> OfflineSalesBatch:
    """Its orders are pending and valid, and nobody has paid anything."""
    orders = Order.objects.filter(offline_sales_ticket__batch=batch)
    OrderPayment.objects.filter(order__in=orders).delete()
    orders.update(status=Order.STATUS_PENDING, valid_if_pending=True, expires=now() + timedelta(days=365))
    batch.consignment = True
    batch.save()
    return batch


def pay(order: Order, provider: str = "manual") -> Order:
    """As the host does it, by another provider than ours."""
    order = Order.objects.get(pk=order.pk)
    payment = order.payments.create(provider=provider, amount=order.total)
    payment.confirm(send_mail=False)
    order.refresh_from_db()
    return order
