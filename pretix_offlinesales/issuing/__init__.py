"""A request becomes a batch of orders."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import Seat

from ..host.rendering import usual_layout
from ..models import Job, JobFailed, OfflineSalesBatch
from .announce import announce
from .blueprint import draw
from .insert import insert
from .product import check, is_seated, next_number, valid_from_purchase
from .quote import Quote, quote
from .seats import SeatTaken, next_free, read_seats

__all__ = [
    "Quote",
    "check",
    "is_seated",
    "issue",
    "next_free",
    "next_number",
    "quote",
    "read_seats",
    "request_data",
    "requested_batches",
    "usual_layout",
    "valid_from_purchase",
]

logger = logging.getLogger(__name__)

#: How often seats that nobody has named are chosen, if others are faster.
MAX_CHOICES = 5

#: What a request consists of, besides seats and the beginning of validity: the values of the batch that it asks for.
REQUESTED = (
    "testmode",
    "sales_channel_id",
    "layout_id",
    "subevent_id",
    "item_id",
    "variation_id",
    "amount",
    "first_number",
    "comment",
)


def issue(job: Job) -> None:
    """
    Make the tickets that the job asks for: check the request once more, let the host draw one order, copy and insert
    it, tell everybody about it.

    A job that was interrupted after the insert goes on with telling; everything before is done at once or not at all.

    :raises JobFailed: before anything is made
    """
    if not job.batch:
        _make(job)
    announce(job)
    with transaction.atomic():
        job.batch.completed = now()
        job.batch.save(update_fields=["completed"])
        job.write_down(job.batch, "pretix_offlinesales.batch.issued", {"amount": job.batch.amount})
        job.succeed()


def _make(job: Job) -> None:
    """Where nobody has named the seats, and one is sold at that very moment, there may be others."""
    for choices_left in reversed(range(MAX_CHOICES)):
        batch, seats = _requested(job)
        try:
            insert(job, batch, draw(batch, seats), seats)
            break
        except SeatTaken:
            if not (choices_left and job.data.get("next_seats")):
                raise


def request_data(
    batch: OfflineSalesBatch, seats: Sequence[Seat] = (), numbers_go_on: bool = False, next_seats: bool = False
) -> dict:
    """
    What a job remembers of the request for this (unsaved, checked) batch on these seats.

    :param numbers_go_on: nobody has chosen a first number. It will be the next one of the product when the batch is
        made, after all those that are made before it.
    :param next_seats: nobody has named seats. They will be the next free ones of the product when the batch is made.
    """
    data = {name: getattr(batch, name) for name in REQUESTED}
    data["valid_from"] = batch.valid_from and batch.valid_from.isoformat()
    if numbers_go_on:
        data["first_number"] = None
    data |= {"numbers_go_on": numbers_go_on, "seats": [seat.pk for seat in seats]}
    return data | ({"next_seats": True} if next_seats else {})


def requested_batches(jobs: Sequence[Job]) -> list[OfflineSalesBatch]:
    """
    The unsaved batches that these jobs ask for, to be shown, in few queries. What was deleted since is missing, and
    so is the first number where numbers go on.
    """
    batches = [_batch(job) for job in jobs]
    prefetch_related_objects(batches, "item", "variation", "subevent", "sales_channel", "layout")
    return batches


def _batch(job: Job) -> OfflineSalesBatch:
    """Unsaved."""
    values = {name: job.data[name] for name in REQUESTED}
    valid_from = job.data.get("valid_from")
    valid_from = datetime.fromisoformat(valid_from) if valid_from else None
    return OfflineSalesBatch(event=job.event, valid_from=valid_from, **values, **job.requested_by)


def _requested(job: Job) -> tuple[OfflineSalesBatch, list[Seat]]:
    """What the job remembers, checked again: the world may have changed since."""
    batch = _batch(job)
    try:
        for name in ("item", "variation", "subevent", "sales_channel", "layout"):
            getattr(batch, name)
        seats = job.event.seats.in_bulk(job.data["seats"])
        seats = next_free(batch) if job.data.get("next_seats") else [seats[pk] for pk in job.data["seats"]]
        check(batch, seats)
    except (ObjectDoesNotExist, KeyError):
        raise JobFailed(_("Something that this batch should have been made of has been deleted in the meantime."))
    except ValidationError as error:
        raise JobFailed(" ".join(error.messages))
    return batch, seats
