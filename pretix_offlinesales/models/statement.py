"""What sellers were told that they owe, and what they have paid."""

from datetime import date
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from .document import MAX_DIGITS, Document
from .requested import Requested
from .seller import Seller
from .ticket import OfflineSalesTicket


def _sum(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=2, **options)


class Statement(models.Model):  # type: ignore[django-manager-missing]  # of what is defined below
    """
    What differs between what a seller owes and what statements said so far. The document that it is has number, sums of
    tickets, and what it says; it never changes. What was paid is in ``SellerPayment``.
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="statement")
    seller = models.ForeignKey(Seller, on_delete=models.RESTRICT, related_name="statements")
    events: "models.ManyToManyField" = models.ManyToManyField("pretixbase.Event", related_name="+")
    #: Up to which moment sales are in it.
    until = models.DateTimeField()
    #: Until when it is to be paid; None, if nothing is.
    pay_until = models.DateField(null=True, blank=True)
    #: Face value of what was sold, less what came back.
    total = _sum()
    commission = _sum()
    commission_tax = _sum()
    #: total - commission - commission_tax
    due = _sum()
    #: As the self-billing invoice that it is about commissions; without gaps for each organizer. None, if it is none.
    invoice_number = models.PositiveIntegerField(null=True, blank=True)
    #: When it was paid in full first. Nothing takes that back.
    settled = models.DateTimeField(null=True, blank=True)

    objects: models.Manager["Statement"] = ScopedManager(organizer="document__organizer")

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return str(self.document)


class StatementEntry(models.Model):
    """
    A ticket was stated, or what was stated of it is taken back. It is only ever added: what statements say of a ticket
    is the sum of its entries, as it is with the host's transactions.
    """

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="entries")
    #: None, if its event was deleted since.
    ticket = models.ForeignKey(OfflineSalesTicket, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    #: 1, or -1 if it takes back what was stated before.
    count = models.SmallIntegerField()
    #: What the ticket cost with all that was bundled with it, and by tax rate: ``[["19.00", "23.00", "3.67"], …]``,
    #: rate, gross and tax.
    price = _sum()
    taxes = models.JSONField()
    #: The document by which the seller got it, at its terms.
    agreed = models.ForeignKey(Document, on_delete=models.RESTRICT, related_name="+")
    #: The key of its product, for which terms may differ. Products can be deleted.
    item = models.PositiveBigIntegerField()

    objects: models.Manager["StatementEntry"] = ScopedManager(organizer="statement__document__organizer")

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.statement}, {self.ticket}: {self.count}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("What was stated is never changed.")
        super().save(*args, **kwargs)


class SellerPayment(Requested):
    """What a seller has paid, in her currency. It is never changed: what is wrong is answered by a negative one."""

    seller = models.ForeignKey(Seller, on_delete=models.RESTRICT, related_name="payments")
    #: For which it was paid first of all.
    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="payments")
    amount = _sum(verbose_name=_("Amount"), help_text=_("Negative, if a payment was wrong or is given back."))
    date = models.DateField(
        verbose_name=_("Date"), validators=[MinValueValidator(date(1990, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
    )
    reference = models.CharField(max_length=190, blank=True, default="", verbose_name=_("Reference"))
    created = models.DateTimeField(default=now)

    objects: models.Manager["SellerPayment"] = ScopedManager(organizer="seller__organizer")

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.statement}: {self.amount}"
