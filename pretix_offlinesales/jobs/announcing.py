"""
Tell the rest of pretix about orders that a job has made or changed, as if it had been done with each alone: other
plugins rely on it.

Each receiver hears of each order at least once, whatever dies meanwhile. There may be an order that no worker survives.
So orders that were tried too often are tried one by one, and one that was tried alone too often is skipped.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.utils.timezone import now
from pretix.base.models import Event, Order
from pretix.base.signals import EventPluginSignal

from ..db.queries import among, unscoped
from ..host.quotas import refresh_quotas_of
from ..host.signals import active_receivers
from ..models import Job, OfflineSalesBatch
from .registry import checkpoint, checkpoint_of

logger = logging.getLogger(__name__)

#: How many orders are announced at once, so that all that receivers are likely to ask for is fetched together.
CHUNK = 500

#: How often the same orders are tried, before they are tried one by one, and the one that is at fault is skipped.
MAX_TRIES = 3

T = TypeVar("T")


def announce(
    job: Job,
    following: Callable[[int, int], Sequence[tuple[int, T]]],
    notify: Callable[[list[T]], None],
    done: Callable[[int, list[T]], None] = lambda place, found: None,
) -> None:
    """
    Go on from where the job's checkpoint says that everybody knows.

    :param following: gets a place and an amount, and gives so many at most of what comes after, each with its place, in
        ascending order
    :param notify: tells all others of these
    :param done: what else is done with these, whether others could be told or not, before that is remembered; gets the
        last place, too
    """
    while True:
        known = checkpoint_of(job)
        alone = known.announced < known.alone_until
        places = following(known.announced, 1 if alone else CHUNK)
        if not places:
            return
        last, found = places[-1][0], [each for _place, each in places]
        if known.tries >= MAX_TRIES and not alone:
            _remember(job, tries=0, alone_until=last)
            continue
        if known.tries < MAX_TRIES:
            # Written before anything is sent.
            _remember(job, tries=known.tries + 1)
            notify(found)
        else:
            logger.error("Nobody was told of %s by job %s: no worker survived it", found[0], job)
        done(last, found)
        _remember(job, tries=0, announced=last)


def _remember(job: Job, **values: int) -> None:
    job.update(checkpoint=checkpoint(job, **values))


class Audience:
    """Whoever hears of a signal in an event, found out once for many orders."""

    def __init__(self, signal: EventPluginSignal, event: Event):
        self._signal, self._event = signal, event
        self._receivers = active_receivers(signal, event)

    def hear(self, order: Order, **kwargs: Any) -> None:
        """A receiver that raises is logged, and holds nobody else up."""
        for receiver in self._receivers:
            try:
                receiver(signal=self._signal, sender=self._event, order=order, **kwargs)
            except Exception:
                logger.exception("%r failed to hear of order %s", receiver, order.full_code)


def touch(orders: Sequence[Order]) -> None:
    """Scanners ask for what was modified since they last asked, and must not miss rows stamped before their commit."""
    unscoped(Order.objects).filter(among("pk", [order.pk for order in orders])).update(last_modified=now())


def refresh_quotas(batch: OfflineSalesBatch) -> None:
    """Of the batch's tickets, which all take the same: what the host has cached of them is not so any more."""
    with holding_nobody_up("Quotas could not be refreshed"):
        refresh_quotas_of(batch.tickets.all()[0].order)


@contextmanager
def holding_nobody_up(message: str) -> Iterator[None]:
    """What is done is done; what fails now is for the log."""
    try:
        yield
    except Exception:
        logger.exception(message)
