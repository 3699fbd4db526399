"""Whoever sells paper for an organizer, and at what terms."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager
from pretix.base.models import LoggedModel

#: The host's permissions of whoever may see sellers over all events, and change them.
READ_SELLERS, CHANGE_SELLERS = (f"organizer.offlinesales.sellers:{action}" for action in ("read", "write"))

#: How many days before an event tickets must be back, at most.
MAX_DEADLINE = 3_650

NOT_NEGATIVE = MinValueValidator(0)


class InvoicedBy(models.TextChoices):
    """Who writes the invoice about a commission."""

    ORGANIZER = "organizer", _("The organizer, as a credit note")
    SELLER = "seller", _("The seller")


class DeadlineAction(models.TextChoices):
    """What happens to tickets that a seller holds when the deadline has passed."""

    KEEP = "keep", _("Nothing, they are overdue")
    SOLD = "sold", _("They count as sold")


class Commission(models.Model):
    """What a seller keeps of each ticket: a part of its gross price, and a sum."""

    commission_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[NOT_NEGATIVE, MaxValueValidator(100)],
        verbose_name=_("Commission in percent"),
        help_text=_("Of the gross price."),
    )
    commission_fixed = models.DecimalField(
        max_digits=13, decimal_places=2, default=0, validators=[NOT_NEGATIVE], verbose_name=_("Commission per ticket")
    )

    class Meta:
        abstract = True


class Seller(LoggedModel, Commission):
    """
    A kiosk, a tourist office, a member of the club. What was agreed when tickets were handed over stays as it was then:
    documents have terms of their own.
    """

    organizer = models.ForeignKey(
        "pretixbase.Organizer", on_delete=models.CASCADE, related_name="offline_sales_sellers"
    )
    name = models.CharField(max_length=190, verbose_name=_("Name"))
    identifier = models.CharField(
        max_length=190,
        blank=True,
        default="",
        verbose_name=_("Internal identifier"),
        help_text=_("Such as a customer number. No two sellers can have the same."),
    )
    contact = models.CharField(max_length=190, blank=True, default="", verbose_name=_("Contact person"))
    email = models.EmailField(blank=True, default="", verbose_name=_("Email"))
    phone = models.CharField(max_length=64, blank=True, default="", verbose_name=_("Phone number"))
    address = models.TextField(blank=True, default="", verbose_name=_("Address"))
    vat_id = models.CharField(max_length=64, blank=True, default="", verbose_name=_("VAT ID"))
    locale = models.CharField(max_length=32, blank=True, default="", verbose_name=_("Language"))
    #: That of the first tickets that were handed over, unless somebody has said it before.
    currency = models.CharField(max_length=10, blank=True, default="", verbose_name=_("Currency"))
    active = models.BooleanField(default=True, verbose_name=_("Active"))
    comment = models.TextField(blank=True, default="", verbose_name=_("Internal comment"))

    #: On a commission. None: it is not taxed, and ``commission_tax_text`` says why.
    commission_tax_rate = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[NOT_NEGATIVE, MaxValueValidator(100)],
        verbose_name=_("Tax rate of the commission"),
        help_text=_("In percent. Keep empty if the commission is not taxed."),
    )
    commission_tax_text = models.CharField(
        max_length=190,
        blank=True,
        default="",
        verbose_name=_("Why it is not taxed"),
        help_text=_("For small businesses, for example. It is printed on statements."),
    )
    commission_invoiced_by = models.CharField(
        max_length=16,
        choices=InvoicedBy.choices,
        default=InvoicedBy.ORGANIZER,
        verbose_name=_("The invoice about the commission is written by"),
    )
    credit_limit = models.DecimalField(
        max_digits=13,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[NOT_NEGATIVE],
        verbose_name=_("Credit limit"),
        help_text=_("What the tickets that the seller holds or owes may cost at most. Keep empty for no limit."),
    )
    firm = models.BooleanField(
        default=False,
        verbose_name=_("Firm sale"),
        help_text=_("The seller buys the tickets: they count as sold when they are handed over."),
    )
    deadline_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_DEADLINE)],
        verbose_name=_("Deadline"),
        help_text=_("How many days before the event or date tickets must be back. Keep empty for no deadline."),
    )
    deadline_action = models.CharField(
        max_length=16,
        choices=DeadlineAction.choices,
        default=DeadlineAction.KEEP,
        verbose_name=_("After the deadline"),
    )
    payment_days = models.PositiveIntegerField(
        default=14,
        validators=[MaxValueValidator(MAX_DEADLINE)],
        verbose_name=_("Days to pay"),
        help_text=_("How many days after a statement it must be paid."),
    )

    created = models.DateTimeField(default=now)
    #: When something was last handed over to or by this seller.
    last_movement = models.DateTimeField(null=True, blank=True)
    #: When all that is about a person was deleted.
    erased = models.DateTimeField(null=True, blank=True)

    objects: models.Manager["Seller"] = ScopedManager(organizer="organizer")

    class Meta:
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("organizer", "identifier"),
                condition=~models.Q(identifier=""),
                name="offlinesales_seller_identifier_uniq",
            ),
        ]

    def __str__(self):
        return self.name

    def all_logentries(self):
        """With the organizer, whose pages they link to."""
        return super().all_logentries().select_related("organizer")


class ProductCommission(Commission):
    """What a seller keeps of tickets of one product, where it differs."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="product_commissions")
    item = models.ForeignKey("pretixbase.Item", on_delete=models.CASCADE, related_name="+", verbose_name=_("Product"))

    objects: models.Manager["ProductCommission"] = ScopedManager(organizer="seller__organizer")

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=("seller", "item"), name="offlinesales_commission_uniq"),
        ]

    def __str__(self):
        return f"{self.seller}, {self.item}"
