"""How the tickets of a batch are paid, and refunded: not by us. Whoever sells the paper settles with the organizer."""

from django.template.loader import get_template
from django.utils.translation import gettext_lazy as _
from pretix.base.payment import BasePaymentProvider

from .origin import Origin

#: Said wherever staff decides about a refund, or looks at one.
IN_THE_BOOKS = _("Refunds are only written into the books, nobody gets money from pretix.")


class OfflineSalesPayment(BasePaymentProvider):
    """
    Marks the payment of an order as coming from a batch. It is never offered, never counts as a way to pay in the
    shop, and has no settings. It can refund, in whole or in part, but only in the books: so the host's own tools, which
    cancel an event or refund what is overpaid, leave nothing behind that would have to be settled by hand.
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
        return True

    def payment_partial_refund_supported(self, payment):
        return True

    def execute_refund(self, refund):
        """There is no money to move: whoever has it gives it back, or need not pay it to the organizer."""
        refund.done()

    def payment_control_render(self, request, payment):
        template = get_template("pretix_offlinesales/payment.html")
        origin = Origin.of(payment.order)
        return template.render({"origin": origin, "event": self.event, "in_the_books": IN_THE_BOOKS})

    def payment_control_render_short(self, payment):
        """Shown where staff chooses how to refund it, beside the name of the provider."""
        return str(IN_THE_BOOKS)

    def refund_control_render(self, request, refund):
        return str(IN_THE_BOOKS)

    def refund_control_render_short(self, refund):
        return str(IN_THE_BOOKS)
