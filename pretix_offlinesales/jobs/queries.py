"""Find jobs."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import Event

from ..models import REQUESTER, RESULT_LIFETIME, Job, OfflineSalesBatch
from . import runner
from .registry import Kind, all_kinds, is_known, kind_of

#: How many unfinished jobs an event may have.
MAX_UNFINISHED = 20


def find(event: Event, pk: UUID, *kinds: Kind, **filters: Any) -> Job:
    """
    :param kinds: of which it must be one
    :raises Job.DoesNotExist: if there is no such job of the event, or if its result is too old to be fetched
    """
    found = remembered(event).select_related("batch", "file")
    return found.get(kind__in=[kind.identifier for kind in kinds], pk=pk, **filters)


def remembered(event: Event) -> QuerySet[Job]:
    """Jobs that are unfinished, or whose result can still be fetched, as far as we know what they are."""
    recent = Q(finished__isnull=True) | Q(finished__gt=now() - RESULT_LIFETIME)
    return Job.objects.filter(recent, event=event, kind__in=[kind.identifier for kind in all_kinds()]).defer("look")


def unfinished(**filters: Any) -> QuerySet[Job]:
    """Of all events."""
    return Job.objects.filter(state__in=Job.UNFINISHED, **filters).select_related("event__organizer")


def too_many(event: Event) -> str:
    """Why nobody should ask for more before some is done; empty, as long as one can."""
    if unfinished(event=event).count() < MAX_UNFINISHED:
        return ""
    return _("There are too many unfinished jobs of this event. Please wait for some.")


def failures(event: Event, *kinds: Kind) -> QuerySet[Job]:
    """
    What was asked for in the backend and could not be done, and nobody has seen it. (The user may be gone meanwhile.)
    API clients are told by their request.
    """
    return Job.objects.filter(
        event=event,
        kind__in=[kind.identifier for kind in kinds],
        state=Job.State.FAILED,
        dismissed=False,
        api_token=None,
        device=None,
        oauth_application=None,
    )


def last_failed(batch: OfflineSalesBatch, kind: Kind) -> Job | None:
    """The job that ended last, if it failed. No longer than a file would live, since later ones go with theirs."""
    newest = _ended(batch, kind).filter(dismissed=False).order_by("finished").last()
    return newest if newest and newest.state == Job.State.FAILED else None


def last_fetchable(batch: OfflineSalesBatch, kind: Kind) -> Job | None:
    """The job whose file is the newest one, as long as it can be fetched."""
    prints = _ended(batch, kind).filter(state=Job.State.SUCCEEDED, file__isnull=False)
    return prints.select_related("file", *REQUESTER).order_by("finished").last()


def _ended(batch: OfflineSalesBatch, kind: Kind) -> QuerySet[Job]:
    return Job.objects.filter(batch=batch, kind=kind.identifier, finished__gt=now() - RESULT_LIFETIME)


def followers(pk: UUID) -> list[Job]:
    """
    What a job has asked for that nobody works on yet. Whoever should start them and dies leaves them waiting, until
    somebody recovers them.
    """
    job = Job.objects.filter(pk=pk).first()
    keys = kind_of(job).followers(job) if job and is_known(job) else []
    return list(Job.objects.filter(pk__in=keys, state=Job.State.WAITING)) if keys else []


def with_pending_webhooks() -> QuerySet[Job]:
    """Jobs that are over, and whose worker did not live to send all webhooks. Of all events."""
    return Job.objects.filter(finished__lt=now() - runner.PATIENCE).exclude(pending_webhooks=[])
