"""How the tickets of a batch are paid: not by us. Whoever sells the paper settles with the organizer."""

from django.template.loader import get_template
from django.utils.translation import gettext_lazy as _
from pretix.base.payment import BasePaymentProvider

from .origin import Origin


class OfflineSalesPayment(BasePaymentProvider):
    """
    Marks the payment of an order as coming from a batch. It is never offered, never counts as a way to pay in the
    shop, has no settings, and refunds nothing.
    """

    identifier = "offlinesales"
    verbose_name = _("Offline sales")
    is_implicit = True
    is_enabled = False
    settings_form_fields = {}

    def is_allowed(self, request, total=None):
        return False

    def order_change_allowed(self, order, request=None):
        return False

    def execute_payment(self, request, payment):
        raise NotImplementedError("Offline sales are not paid through the shop.")

    def payment_is_valid_session(self, request):
        return False

    def checkout_confirm_render(self, request, order=None, info_data=None):
        return ""

    def payment_refund_supported(self, payment):
        return False

    def payment_partial_refund_supported(self, payment):
        return False

    def payment_control_render(self, request, payment):
        template = get_template("pretix_offlinesales/payment.html")
        return template.render({"origin": Origin.of(payment.order), "event": self.event})

    def payment_control_render_short(self, payment):
        return str(self.verbose_name)
