"""What a job needs may go away and come back: database, Redis, storage, broker. That says nothing about the job."""

from collections.abc import Iterator

from celery.exceptions import SoftTimeLimitExceeded as SoftTimeLimit
from django.db import IntegrityError, InterfaceError, OperationalError
from django_redis.exceptions import ConnectionInterrupted
from kombu.exceptions import OperationalError as BrokerError
from PIL import UnidentifiedImageError
from redis.exceptions import RedisError

from ..models import JobFailed

#: So many attempts in a row that have come to nothing are enough.
MAX_INTERRUPTIONS = 3

#: Storages raise ``OSError``, or something of their own that is caused by one.
GONE = (InterfaceError, OperationalError, ConnectionInterrupted, RedisError, BrokerError, OSError, SoftTimeLimit)

#: These say what is wrong, though they may be of a kind of ``GONE``, or raised because of one.
WRONG = (JobFailed, UnidentifiedImageError)


def is_interruption(error: BaseException) -> bool:
    """
    May the same work succeed if it is done once more? Yes if something was away, or if what the work refers to was
    deleted in the middle of it: whoever begins anew finds out what is still there.
    """
    if isinstance(error, WRONG):
        return False
    return has_lost_reference(error) or any(isinstance(each, GONE) for each in _chain(error))


def has_lost_reference(error: BaseException) -> bool:
    """Was something deleted that was to be written about?"""
    return any(isinstance(each, IntegrityError) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was raised from or in the course of."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
