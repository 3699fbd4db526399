"""How the tickets of a batch are paid, and refunded: not by us. Whoever sells the paper settles with the organizer."""

import json

from django.template.loader import get_template
from django.utils.translation import gettext_lazy as _
from pretix.base.models import OrderPayment
from pretix.base.payment import BasePaymentProvider

from ..models import READ_SELLERS
from .origin import Origin

#: Said wherever staff decides about a refund, or looks at one.
IN_THE_BOOKS = _("Refunds are only written into the books, nobody gets money from pretix.")


def info_about(statement: int, number: int) -> str:
    """
    What a payment says of the statement by which the order was paid.

    :param statement: its key
    """
    return json.dumps({"statement": number, "document": statement}, sort_keys=True)


def statement_of(payment: OrderPayment) -> dict | None:
    """Its key as ``document`` and its number as ``statement``, if the order was paid by one."""
    info = payment.info_data
    is_ours = isinstance(info, dict) and all(isinstance(info.get(name), int) for name in ("statement", "document"))
    return {name: info[name] for name in ("statement", "document")} if is_ours else None


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
        context: dict[str, object] = {"origin": origin, "event": self.event, "in_the_books": IN_THE_BOOKS}
        if statement := statement_of(payment):
            organizer = self.event.organizer
            may_read = request.user.has_organizer_permission(organizer, READ_SELLERS, request=request)
            context |= {"statement": statement, "may_read_sellers": may_read}
        return template.render(context)

    def api_payment_details(self, payment):
        """The number of the statement by which it was paid."""
        statement = statement_of(payment)
        return {"statement": statement["statement"]} if statement else {}

    def matching_id(self, payment):
        """The same, for whoever compares the host's list of payments with those of sellers."""
        statement = statement_of(payment)
        return str(statement["statement"]) if statement else None

    def payment_control_render_short(self, payment):
        """Shown where staff chooses how to refund it, beside the name of the provider."""
        return str(IN_THE_BOOKS)

    def refund_control_render(self, request, refund):
        return str(IN_THE_BOOKS)

    def refund_control_render_short(self, refund):
        return str(IN_THE_BOOKS)
