"""A ticket of a batch, and what became of it."""

from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager
from pretix.base.models import Order

from .batch import OfflineSalesBatch
from .document import Document
from .seller import Seller

#: The number that the position of the ticket itself has in its order. What is added to the order later gets others.
TICKET_POSITION = 1


class ReturnKind(models.TextChoices):
    """Why a ticket came back."""

    UNSOLD = "unsold", _("unsold")
    #: Nobody knows where the paper is, and it is written off. (As long as somebody owes it, it is reported lost.)
    LOST = "lost", _("lost or stolen")
    DAMAGED = "damaged", _("damaged")


class OfflineSalesTicket(models.Model):
    """One order of a batch, with its number."""

    #: The index of the constraint below begins with it.
    batch = models.ForeignKey(OfflineSalesBatch, on_delete=models.CASCADE, related_name="tickets", db_index=False)
    order = models.OneToOneField("pretixbase.Order", on_delete=models.CASCADE, related_name="offline_sales_ticket")
    number = models.PositiveIntegerField()
    #: When it was taken back, unless that was undone.
    returned = models.DateTimeField(null=True, blank=True)
    return_kind = models.CharField(max_length=16, choices=ReturnKind.choices, blank=True, default="")
    #: When its paper was reported lost or stolen, unless that was undone. Its positions are blocked since.
    lost = models.DateTimeField(null=True, blank=True)
    #: When it got its present codes, if they are not its first ones.
    replaced = models.DateTimeField(null=True, blank=True)
    #: Who holds it; None is the stock. Whatever becomes of the ticket, it stays: somebody answers for it.
    seller = models.ForeignKey(
        Seller, null=True, blank=True, on_delete=models.RESTRICT, related_name="tickets", db_index=False
    )
    #: By which the holder got it, at its terms.
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.RESTRICT, related_name="tickets", db_index=False
    )
    #: When the holder bought it, or said that it was sold. (Who was let in with it is in the host's check-ins.)
    sold = models.DateTimeField(null=True, blank=True)
    #: The last statement that says that its holder owes it, unless another has taken that back.
    statement = models.ForeignKey(
        "Statement", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    #: When a statement was paid that it is on.
    settled = models.DateTimeField(null=True, blank=True)

    objects: models.Manager["OfflineSalesTicket"] = ScopedManager(organizer="batch__event__organizer")

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=("batch", "number"), name="offlinesales_ticket_number_uniq"),
        ]
        # Most tickets may be in stock.
        indexes = [
            models.Index(
                fields=("seller", "batch"),
                name="offlinesales_ticket_held",
                condition=models.Q(seller__isnull=False),
            ),
            models.Index(
                fields=("statement",),
                name="offlinesales_ticket_unsettled",
                condition=models.Q(statement__isnull=False, settled=None),
            ),
        ]

    def __str__(self):
        return f"{self.batch}-{self.number}"


@receiver(post_delete, sender=OfflineSalesTicket, dispatch_uid="offlinesales_ticket_deleted")
def delete_empty_batch(sender, instance, origin=None, **kwargs):
    """
    A batch goes with its last order. (Only test orders can be deleted.) The history of the event tells, unless
    something else goes that the batch could not do without, such as the event itself.
    """
    if isinstance(origin, OfflineSalesBatch):
        return
    for batch in OfflineSalesBatch.objects.filter(pk=instance.batch_id, tickets__isnull=True).select_related("event"):
        if getattr(origin, "model", type(origin)) is Order:
            batch.event.log_action("pretix_offlinesales.deleted", {"batch": batch.pk, "amount": batch.amount})
        batch.delete()
