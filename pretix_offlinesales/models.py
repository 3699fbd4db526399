"""What the plugin stores: batches, their tickets, and the jobs that make and print them."""

import uuid
from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager
from pretix.base.models import LoggedModel, Order

#: The API's documented limit on the tickets of one batch.
MAX_AMOUNT = 10_000

#: Ticket numbers are at most this long, so that they fit where they are printed.
MAX_NUMBER = 99_999_999

#: The number that the position of the ticket itself has in its order. What is added to the order later gets others.
TICKET_POSITION = 1

#: How long the result of a job can be fetched.
RESULT_LIFETIME = timedelta(hours=24)


class Requested(models.Model):
    """Something that somebody asked for: in the backend (a user) or through the API (also a token, app or device)."""

    user = models.ForeignKey("pretixbase.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    api_token = models.ForeignKey(
        "pretixbase.TeamAPIToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    device = models.ForeignKey("pretixbase.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    oauth_application = models.ForeignKey(
        "pretixapi.OAuthApplication", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True

    @property
    def requested_by(self) -> dict:
        """Who asked, as the values of these fields."""
        return {field.name: getattr(self, field.name) for field in Requested._meta.get_fields()}

    @property
    def requester(self) -> dict:
        """Who asked, as ``log_action`` takes it: ``{"user": …, "auth": …}``."""
        return {"user": self.user, "auth": self.api_token or self.device or self.oauth_application}

    @property
    def requester_name(self) -> str:
        """Who asked, for people: the user, or what acted by itself. Empty if it was deleted since."""
        if self.user:
            return self.user.get_full_name()
        auth = self.requester["auth"]
        return auth.name if auth else ""


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
    item = models.ForeignKey(
        "pretixbase.Item", on_delete=models.CASCADE, related_name="+", verbose_name=_("Product")
    )
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
    #: When the validity of a product begins that begins when it is bought, otherwise.
    valid_from = models.DateTimeField(null=True, blank=True, verbose_name=_("Valid from"))
    comment = models.TextField(blank=True, default="", verbose_name=_("Internal comment"))

    objects = ScopedManager(organizer="event__organizer")

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"#{self.pk}"

    @property
    def numbers(self) -> range:
        """The numbers of the batch's tickets."""
        first = self.first_number or 1
        return range(first, first + self.amount)


class ReturnKind(models.TextChoices):
    """Why a ticket came back."""

    UNSOLD = "unsold", _("unsold")
    #: Nobody knows where the paper is, and it is written off. (As long as somebody owes it, it is reported lost.)
    LOST = "lost", _("lost or stolen")
    DAMAGED = "damaged", _("damaged")


class OfflineSalesTicket(models.Model):
    """One order of a batch, with its number."""

    batch = models.ForeignKey(OfflineSalesBatch, on_delete=models.CASCADE, related_name="tickets")
    order = models.OneToOneField("pretixbase.Order", on_delete=models.CASCADE, related_name="offline_sales_ticket")
    number = models.PositiveIntegerField()
    #: When it was taken back, unless that was undone.
    returned = models.DateTimeField(null=True, blank=True)
    return_kind = models.CharField(max_length=16, choices=ReturnKind.choices, blank=True, default="")
    #: When its paper was reported lost or stolen, unless that was undone. Its positions are blocked since.
    lost = models.DateTimeField(null=True, blank=True)
    #: When it got its present codes, if they are not its first ones.
    replaced = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(organizer="batch__event__organizer")

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=("batch", "number"), name="offlinesales_ticket_number_uniq"),
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


class JobFailed(Exception):
    """A job can't be done, for a reason that its message explains to people, in their language."""


class JobLost(Exception):
    """Somebody else works on this job now. Whoever gets this must stop at once, and change nothing any more."""


class Job(Requested):
    """
    One asynchronous piece of work that somebody waits for. This row is the truth about it; Celery only runs it.

    For an issuing job, ``data`` holds the values of the batch to be made, and ``batch`` is set by the transaction that
    makes its tickets: from then on the job can't fail any more. For a printing job, ``batch`` is what is printed, and
    ``data`` says which of its tickets and on what sheets, if that was asked for. For a data file, ``data`` says what is
    in it. For both, ``look`` says with what layouts. For a job that returns tickets, reports them lost, undoes one of
    both, or replaces some, ``selection`` says which ones and ``data`` what became of them, and ``batch`` is what they
    must belong to, if it is not the whole event.
    """

    class Kind(models.TextChoices):
        ISSUE = "issue", _("Issue tickets")
        PRINT = "print", _("Print tickets")
        RETURN = "return", _("Return tickets")
        DATA = "data", _("Make a data file")
        UNDO = "undo", _("Undo returns")
        REPLACE = "replace", _("Replace tickets")
        LOST = "lost", _("Report lost tickets")

    #: Jobs about tickets that exist, which may end half way, and where their data tells whom they have dealt with.
    DEALT_WITH = {Kind.RETURN: "returned", Kind.UNDO: "undone", Kind.REPLACE: "replaced", Kind.LOST: "lost"}

    class State(models.TextChoices):
        #: Nobody works on it yet.
        WAITING = "waiting", _("waiting")
        #: A worker has claimed it.
        RUNNING = "running", _("running")
        #: Done; the result can be fetched. If there is a ``message``, it says to people what they must mind.
        SUCCEEDED = "succeeded", _("succeeded")
        #: Over without a result; ``message`` says why, to people.
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey("pretixbase.Event", on_delete=models.CASCADE, related_name="offline_sales_jobs")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    batch = models.ForeignKey(
        OfflineSalesBatch, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs"
    )
    data = models.JSONField(default=dict)
    #: Which tickets are meant, as ``returning.selection`` has it, as long as that is needed. It may be long, and hold
    #: codes that are valid, so it is not among ``data``, which is written again and again.
    selection = models.JSONField(null=True)
    #: As ``printing.look.Look.data``.
    look = models.JSONField(default=dict)
    locale = models.CharField(max_length=32)
    progress = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    #: How many attempts were interrupted since something was last committed.
    interruptions = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    file = models.ForeignKey(
        "pretixbase.CachedFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created = models.DateTimeField(default=now)
    #: When a worker was last asked to do it.
    sent = models.DateTimeField(default=now)
    started = models.DateTimeField(null=True, blank=True)
    #: When its worker was last heard of.
    heartbeat = models.DateTimeField(default=now)
    finished = models.DateTimeField(null=True, blank=True)
    #: Whoever asked has seen that it failed.
    dismissed = models.BooleanField(default=False)

    objects = ScopedManager(organizer="event__organizer")

    class Meta:
        ordering = ("created",)

    def __str__(self):
        return f"{self.kind} {self.pk}"

    @property
    def is_shared(self) -> bool:
        """Several workers may do it together: they draw different parts of a print."""
        return self.kind == self.Kind.PRINT

    @property
    def dealt_with(self) -> str | None:
        """Where ``data`` lists the codes of the orders that were dealt with."""
        return self.DEALT_WITH.get(self.kind)

    @property
    def is_committed(self) -> bool:
        """
        The tickets exist, or something was done with some of them, and the rest must be done, too. Whatever happens
        now, this job must go on and not fail.
        """
        if self.dealt_with:
            return not self.data.get("dry_run") and bool(self.data.get(self.dealt_with))
        return self.kind == self.Kind.ISSUE and self.batch_id is not None

    @property
    def row(self) -> models.QuerySet:
        """
        This job's row, to be changed only if it is as expected. Not through ``objects``, whose scope would join the
        event: then PostgreSQL finds the row in a subquery, and doesn't look again when it had to wait for somebody who
        changed it.
        """
        return type(self)._base_manager.filter(pk=self.pk)

    def report(self, done: int, total: int) -> None:
        """
        Let those who wait see how far the work is. Writes only whole percents, so call it as often as you like.

        :raises JobLost: if the job isn't ours any more
        """
        percent = 100 * done // total
        if percent != self.progress:
            self.check_lock()
            self.update(progress=percent, heartbeat=now())

    #: Raises ``JobLost`` if the lock of whoever works on this job was lost. Set by ``jobs.run``.
    check_lock = staticmethod(lambda: None)

    def write_down(self, batch: OfflineSalesBatch, action: str, data: dict) -> None:
        """
        In the batch's history, for all to be told of it once the job is over (see ``jobs.tell``): until then it is
        remembered here. Call this in the transaction that completes the result.
        """
        entry = batch.log_action(action, data, save=False, **self.requester)
        entry.save()
        self.data = self.data | {"untold": [*self.data.get("untold", []), entry.pk]}
        self.row.update(data=self.data)

    def succeed(self, message: str = "") -> None:
        """
        Call this in the transaction that completes the result.

        :param message: what is to be minded, in the language of who asked
        """
        self.update(state=self.State.SUCCEEDED, progress=100, message=message, finished=now())

    def fail(self, message: str) -> None:
        """:param message: says why, in the language of who asked"""
        self.update(state=self.State.FAILED, message=message, finished=now())

    def wait(self, sent: datetime) -> None:
        """
        Somebody else shall go on with it.

        :param sent: when a worker counts as asked to do so: the earlier, the sooner another one is asked
        """
        self.update(state=self.State.WAITING, interruptions=self.interruptions, sent=sent)

    def progress_is_committed(self, **values) -> None:
        """Call this, with what else is to be written, in a transaction that completes a part of the result."""
        self.update(interruptions=0, heartbeat=now(), **values)

    def update(self, **values) -> None:
        """
        Write these values, as the worker of this attempt.

        :raises JobLost: if the job has been handed to another attempt since
        """
        mine = self.row.filter(state=self.State.RUNNING, attempts=self.attempts)
        if not mine.update(**values):
            raise JobLost(f"Job {self} is not ours any more")
        for name, value in values.items():
            setattr(self, name, value)


class PrintPart(models.Model):
    """
    Some of the units of a printing job: tickets, or sheets of them, counted from 1 in the order in which they are
    printed. Who draws it holds the lock of this row; others take other parts.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    file = models.ForeignKey("pretixbase.CachedFile", null=True, on_delete=models.SET_NULL, related_name="+")
    #: The order positions on it, each as in ``printing.tickets.Printed``, once it is done.
    drawn = models.JSONField(null=True)
    #: What it says of the event, as in ``printing.look.facts``.
    facts = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("first",)

    def __str__(self):
        return f"{self.job}, {self.first} to {self.last}"

    @property
    def units(self) -> range:
        return range(self.first, self.last + 1)


class SheetPreset(models.Model):
    """What an organizer's sheets look like, and where her printer lays them."""

    event = models.ForeignKey("pretixbase.Event", on_delete=models.CASCADE, related_name="offline_sales_presets")
    name = models.CharField(max_length=190, verbose_name=_("Name"))
    #: As ``printing.sheets.Sheet.data``.
    sheet = models.JSONField(default=dict)

    objects = ScopedManager(organizer="event__organizer")

    class Meta:
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(fields=("event", "name"), name="offlinesales_preset_name_uniq"),
        ]

    def __str__(self):
        return self.name
