"""Invoices of orders, as the host makes them and cancels them."""

from pretix.base.services.invoices import generate_cancellation, generate_invoice, invoice_qualified

__all__ = ["generate_cancellation", "generate_invoice", "invoice_qualified"]
