"""A piece of work that somebody waits for, and the parts that it is done in."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from .batch import OfflineSalesBatch
from .requested import Requested

#: How long the result of a job can be fetched.
RESULT_LIFETIME = timedelta(hours=24)


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
