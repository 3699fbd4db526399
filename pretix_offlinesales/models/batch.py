"""A batch: what was asked for, and made together."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager
from pretix.base.models import LoggedModel

from .requested import Requested

#: The API's documented limit on the tickets of one batch.
MAX_AMOUNT = 10_000

#: Ticket numbers are at most this long, so that they fit where they are printed.
MAX_NUMBER = 99_999_999


def join_names(*names: object) -> str:
    """``Ticket – Reduced``: those that there are."""
    return " – ".join(str(name) for name in names if name)


class OfflineSalesBatch(LoggedModel, Requested):
    """
    Tickets of one product that were made together. A row exists from the transaction that makes the tickets on;
    ``completed`` is set when the rest of pretix has heard of them, and only then the API shows the batch.
    """

    event = models.ForeignKey("pretixbase.Event", on_delete=models.CASCADE, related_name="offline_sales_batches")
    creation = models.DateTimeField(default=now, verbose_name=_("Creation date"))
    completed = models.DateTimeField(null=True, blank=True)
    testmode = models.BooleanField(default=False, verbose_name=_("Test mode"))
    sales_channel = models.ForeignKey(
        "pretixbase.SalesChannel", on_delete=models.CASCADE, related_name="+", verbose_name=_("Sales channel")
    )
    layout = models.ForeignKey(
        "ticketoutputpdf.TicketLayout",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("Ticket layout"),
    )
    subevent = models.ForeignKey(
        "pretixbase.SubEvent", null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("Date")
    )
    item = models.ForeignKey("pretixbase.Item", on_delete=models.CASCADE, related_name="+", verbose_name=_("Product"))
    variation = models.ForeignKey(
        "pretixbase.ItemVariation",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("Variation"),
    )
    amount = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_AMOUNT)], verbose_name=_("Number of tickets")
    )
    #: Where the numbers of a product's tickets go on over batches. Without it, the batch counts from 1 on its own.
    first_number = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_NUMBER)],
        verbose_name=_("First ticket number"),
    )
    #: How many tickets are in one of its books, if it has any; the last one may have fewer.
    book_size = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_AMOUNT)],
        verbose_name=_("Tickets in a book"),
    )
    #: When the validity of a product begins that begins when it is bought, otherwise.
    valid_from = models.DateTimeField(null=True, blank=True, verbose_name=_("Valid from"))
    #: Its orders are pending, and valid all the same, until whoever sells the tickets has paid for them.
    consignment = models.BooleanField(default=False, verbose_name=_("Consignment"))
    comment = models.TextField(blank=True, default="", verbose_name=_("Internal comment"))

    objects: models.Manager["OfflineSalesBatch"] = ScopedManager(organizer="event__organizer")

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"#{self.pk}"

    @property
    def product(self) -> str:
        """As staff calls it: a product may have a name that only staff sees."""
        return join_names(self.item, self.variation)

    @property
    def public_product(self) -> str:
        """As everybody else calls it."""
        return join_names(self.item.name, self.variation)

    @property
    def date(self) -> str:
        """``Morning – Sat, May 8, 2027 08:00``, in the language of whoever reads it; empty without dates."""
        if not self.subevent:
            return ""
        return join_names(self.subevent.name, self.subevent.get_date_range_display_with_times())

    @property
    def numbers(self) -> range:
        """The numbers of the batch's tickets."""
        first = self.first_number or 1
        return range(first, first + self.amount)
