"""A piece of work that somebody waits for, and the parts that it is done in."""

import uuid
from datetime import datetime, timedelta
from typing import Any

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

    What is done, and what the columns that hold JSON mean, is said by the kind of the job (``jobs.registry``). All
    changes of its state are made here.
    """

    class State(models.TextChoices):
        #: Nobody works on it yet.
        WAITING = "waiting", _("waiting")
        #: A worker has claimed it.
        RUNNING = "running", _("running")
        #: Done; the result can be fetched. If there is a ``message``, it says to people what they must mind.
        SUCCEEDED = "succeeded", _("succeeded")
        #: Over without a result; ``message`` says why, to people.
        FAILED = "failed", _("failed")

    #: Of jobs that are not over.
    UNFINISHED = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey("pretixbase.Event", on_delete=models.CASCADE, related_name="offline_sales_jobs")
    #: The identifier of the kind.
    kind = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    #: What all the tickets must belong to, if it is not the whole event; what an issuing job has made.
    batch = models.ForeignKey(OfflineSalesBatch, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs")
    #: What was asked for. Written once.
    request = models.JSONField(default=dict)
    #: Which tickets are meant, as ``tickets.selection`` has it, as long as that is needed. It may be long, and hold
    #: codes that are valid, so it is apart.
    selection = models.JSONField(null=True)
    #: From where another attempt goes on. Small, since it is written again and again.
    checkpoint = models.JSONField(default=dict)
    #: What came of it, besides the file and the steps.
    result = models.JSONField(default=dict)
    #: The keys of the log entries that webhooks are to tell of, once the job is over.
    pending_webhooks = models.JSONField(default=list)
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
    queued = models.DateTimeField(default=now)
    started = models.DateTimeField(null=True, blank=True)
    #: When its worker was last heard of.
    heartbeat = models.DateTimeField(default=now)
    finished = models.DateTimeField(null=True, blank=True)
    #: Whoever asked has seen that it failed.
    dismissed = models.BooleanField(default=False)

    objects: models.Manager["Job"] = ScopedManager(organizer="event__organizer")

    class Meta:
        ordering = ("created",)
        # Somebody asks every minute which are not over, and which are and have not said so: of all that there were,
        # these are few.
        indexes = [
            models.Index(
                fields=("event",),
                name="offlinesales_job_unfinished",
                condition=models.Q(state__in=("waiting", "running")),
            ),
            models.Index(
                fields=("finished",), name="offlinesales_job_untold", condition=~models.Q(pending_webhooks=[])
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk}"

    @property
    def row(self) -> models.QuerySet:
        """
        This job's row, to be changed only if it is as expected. Not through ``objects``, whose scope would join the
        event: then PostgreSQL finds the row in a subquery, and doesn't look again when it had to wait for somebody who
        changed it.
        """
        return type(self)._base_manager.filter(pk=self.pk)

    #: Raises ``JobLost`` if the lock of whoever works on this job was lost. Set by ``jobs.runner``.
    check_lock = staticmethod(lambda: None)

    # From state to state

    def claim(self) -> bool:
        """Make this attempt the one that may write the job's end. Returns whether nobody else was faster."""
        moment = now()
        return bool(
            self.row.filter(state=self.State.WAITING).update(
                state=self.State.RUNNING,
                started=moment,
                heartbeat=moment,
                attempts=models.F("attempts") + 1,
                progress=0,
            )
        )

    def requeue(self, queued: datetime) -> None:
        """
        Another attempt shall go on with it.

        :param queued: when a worker counts as asked to do so: the earlier, the sooner another one is asked
        """
        self.update(state=self.State.WAITING, interruptions=self.interruptions, queued=queued)

    def succeed(self, message: str = "", **values: Any) -> None:
        """
        Call this, with what else is to be written, in the transaction that completes the result.

        :param message: what is to be minded, in the language of who asked
        """
        self.update(state=self.State.SUCCEEDED, progress=100, message=message, finished=now(), **values)

    def fail(self, message: str) -> None:
        """:param message: says why, in the language of who asked"""
        self.update(state=self.State.FAILED, message=message, finished=now())

    def give_up(self, message: str) -> None:
        """Nobody works on it yet, and nobody shall. Call this with the row locked."""
        self.row.filter(state=self.State.WAITING).update(state=self.State.FAILED, message=message, finished=now())

    # While it is running

    def update(self, **values: Any) -> None:
        """
        Write these values, as the worker of this attempt.

        :raises JobLost: if the job has been handed to another attempt since
        """
        mine = self.row.filter(state=self.State.RUNNING, attempts=self.attempts)
        if not mine.update(**values):
            raise JobLost(f"Job {self} is not ours any more")
        for name, value in values.items():
            setattr(self, name, value)

    def commit_progress(self, **values: Any) -> None:
        """Call this, with what else is to be written, in a transaction that completes a part of the result."""
        self.update(interruptions=0, heartbeat=now(), **values)

    def report(self, done: int, total: int) -> None:
        """
        Let those who wait see how far the work is. Writes only whole percents, so call it as often as you like.

        :raises JobLost: if the job isn't ours any more
        """
        percent = 100 * done // total
        if percent != self.progress:
            self.check_lock()
            self.update(progress=percent, heartbeat=now())

    def log(self, batch: OfflineSalesBatch, action: str, data: dict) -> None:
        """
        Write it into the batch's history, and remember to send webhooks about it once the job is over. Call this in the
        transaction that completes the result.
        """
        entry = batch.log_action(action, data, save=False, **self.requester)
        entry.save()
        self.pending_webhooks = [*self.pending_webhooks, entry.pk]
        self.row.update(pending_webhooks=self.pending_webhooks)


class JobStep(models.Model):
    """What became of the tickets that a job has dealt with in one transaction. Written once, never changed."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    #: The codes of the orders that were dealt with, by ticket.
    done = models.JSONField(default=list)
    #: What was left alone, as the API tells it: ``{"order": …, "value": …, "reason": …}``.
    skipped = models.JSONField(default=list)
    #: The keys of the log entries of these orders.
    log_entries = models.JSONField(default=list)

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.job}, {len(self.done)} tickets"


class PrintPart(models.Model):
    """
    Some of the units of a printing job: tickets, or sheets of them, counted from 1 in the order in which they are
    printed. The worker that renders it holds the lock of this row; others take other parts.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    file = models.ForeignKey("pretixbase.CachedFile", null=True, on_delete=models.SET_NULL, related_name="+")
    #: The order positions on it, each as in ``printing.tickets.Printed``, once it is done.
    printed = models.JSONField(null=True)
    #: What it says of the event, as in ``printing.look.facts``.
    facts = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("first",)

    def __str__(self):
        return f"{self.job}, {self.first} to {self.last}"

    @property
    def units(self) -> range:
        return range(self.first, self.last + 1)
