"""Where pretix calls us."""

from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from pretix.base.logentrytypes import EventLogEntryType, NoOpShredderMixin, OrderLogEntryType, log_entry_types
from pretix.base.signals import register_payment_providers

from .models import OfflineSalesBatch
from .payment import OfflineSalesPayment


@receiver(register_payment_providers, dispatch_uid="offlinesales_payment")
def payment_provider(sender, **kwargs):
    return OfflineSalesPayment


class BatchLogEntryType(NoOpShredderMixin, EventLogEntryType):
    object_link_wrapper = _("Offline sales batch {val}")
    content_type = OfflineSalesBatch


@log_entry_types.new_from_dict(
    {
        "pretix_offlinesales.batch.issued": _("{amount} tickets have been issued for offline sales."),
        "pretix_offlinesales.batch.changed": _("The comment has been changed."),
    }
)
class BatchChanged(BatchLogEntryType):
    pass


@log_entry_types.new("pretix_offlinesales.order.issued", _("Offline sales batch {batch}, ticket {number} of {amount}."))
class OrderIssued(NoOpShredderMixin, OrderLogEntryType):
    pass
