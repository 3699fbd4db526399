"""What an event's sheets look like."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager


class SheetPreset(models.Model):
    """What an organizer's sheets look like, and where her printer lays them."""

    event = models.ForeignKey("pretixbase.Event", on_delete=models.CASCADE, related_name="offline_sales_presets")
    name = models.CharField(max_length=190, verbose_name=_("Name"))
    #: As ``printing.sheets.Sheet.data``.
    sheet = models.JSONField(default=dict)

    objects: models.Manager["SheetPreset"] = ScopedManager(organizer="event__organizer")

    class Meta:
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(fields=("event", "name"), name="offlinesales_preset_name_uniq"),
        ]

    def __str__(self):
        return self.name
