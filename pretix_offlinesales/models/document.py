"""Numbered papers that are kept as they were, and the ledger of what went from hand to hand."""

from typing import Any

from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.crypto import get_random_string
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from django_scopes import ScopedManager

from .batch import OfflineSalesBatch
from .requested import Requested
from .seller import Seller

#: Of sums: thousands of the dearest tickets that the host knows.
MAX_DIGITS = 18


class DocumentKind(models.TextChoices):
    #: From stock to a seller.
    DELIVERY = "delivery", _("Delivery note")
    #: From a seller to stock.
    TAKE_BACK = "take_back", _("Take-back note")
    #: From one seller to another.
    TRANSFER = "transfer", pgettext_lazy("document", "Transfer note")
    #: What a seller owes.
    STATEMENT = "statement", _("Statement")

    @classmethod
    def of_hand_over(cls, source: Seller | None, target: Seller | None) -> "DocumentKind":
        """None is the stock."""
        if source and target:
            return cls.TRANSFER
        return cls.DELIVERY if target else cls.TAKE_BACK


def private_path(document: "Document", filename: str) -> str:
    """Where its PDF is stored: nobody can guess it."""
    extension = filename.rsplit(".", 1)[-1]
    name = f"{document.kind}-{document.number}-{get_random_string(32)}.{extension}"
    return f"offlinesales/{document.organizer.slug}/{name}"


class Document(Requested):
    """
    A paper with a number, and what it says. It never changes, but for what is deleted since it is about a person.
    It is also the head of the ledger: ``movements`` say which tickets it is about.
    """

    organizer = models.ForeignKey(
        "pretixbase.Organizer", on_delete=models.CASCADE, related_name="offline_sales_documents"
    )
    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    #: Without gaps for each kind and organizer.
    number = models.PositiveIntegerField()
    event = models.ForeignKey(
        "pretixbase.Event", null=True, blank=True, on_delete=models.SET_NULL, related_name="offline_sales_documents"
    )
    #: Who gave the tickets away, and who got them; None is the stock.
    source = models.ForeignKey(Seller, null=True, blank=True, on_delete=models.RESTRICT, related_name="documents_from")
    target = models.ForeignKey(Seller, null=True, blank=True, on_delete=models.RESTRICT, related_name="documents_to")
    created = models.DateTimeField(default=now)
    #: How many tickets it is about, and what they cost.
    count = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=MAX_DIGITS, decimal_places=2)
    currency = models.CharField(max_length=10)
    comment = models.TextField(blank=True, default="")
    #: What was agreed, as ``sellers.terms.Terms``.
    terms = models.JSONField(default=dict)
    #: What it says, as a ``documents.snapshot.Snapshot``.
    snapshot = models.JSONField(default=dict)
    #: The PDF, once somebody has asked for it.
    file = models.FileField(null=True, blank=True, upload_to=private_path, max_length=255)

    objects: models.Manager["Document"] = ScopedManager(organizer="organizer")

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=("organizer", "kind", "number"), name="offlinesales_document_number_uniq"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.number}"

    @property
    def seller(self) -> Seller | None:
        """Whose it is: who got the tickets, or gave them back."""
        return self.target or self.source


@receiver(post_delete, sender=Document, dispatch_uid="offlinesales_document_deleted")
def delete_file(sender, instance, **kwargs):
    """With the organizer, for example."""
    file = instance.file
    if name := file.name:
        transaction.on_commit(lambda: file.storage.delete(name))


class DocumentCounter(models.Model):
    """The last number of a kind of document. Locked, and last of all, by whoever writes one."""

    organizer = models.ForeignKey("pretixbase.Organizer", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    last = models.PositiveIntegerField(default=0)

    objects: models.Manager["DocumentCounter"] = ScopedManager(organizer="organizer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("organizer", "kind"), name="offlinesales_counter_uniq"),
        ]

    def __str__(self):
        return f"{self.kind} {self.last}"


class Movement(models.Model):
    """
    A line of the ledger: these tickets of a batch went from hand to hand, as its document says (when, from whom, to
    whom, by whom). It is only ever added.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="movements")
    batch = models.ForeignKey(OfflineSalesBatch, null=True, on_delete=models.SET_NULL, related_name="movements")
    #: Ranges in ascending order, each with its first and last number: ``[[1, 50], [60, 60]]``.
    numbers = models.JSONField()
    count = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=MAX_DIGITS, decimal_places=2)

    objects: models.Manager["Movement"] = ScopedManager(organizer="document__organizer")

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.document}, {self.batch}: {self.count}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("The ledger of movements is never changed.")
        super().save(*args, **kwargs)
