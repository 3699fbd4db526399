"""What is asked for when a batch is to be made, as a job remembers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from pretix.base.models import Event, Seat

from ..jobs.registry import Stored, request_of
from ..models import Job, JobFailed, OfflineSalesBatch, Seller
from .product import check
from .seats import next_free

#: The values of the batch itself.
VALUES = (
    "testmode",
    "sales_channel_id",
    "layout_id",
    "subevent_id",
    "item_id",
    "variation_id",
    "amount",
    "first_number",
    "book_size",
    "consignment",
    "comment",
)


@dataclass(frozen=True)
class IssueRequest(Stored):
    sales_channel_id: int
    item_id: int
    amount: int
    testmode: bool = False
    layout_id: int | None = None
    subevent_id: int | None = None
    variation_id: int | None = None
    first_number: int | None = None
    book_size: int | None = None
    consignment: bool = False
    comment: str = ""
    #: In ISO 8601.
    valid_from: str | None = None
    #: Nobody has chosen a first number. It will be the next one of the product when the batch is made, after all those
    #: that are made before it.
    numbers_go_on: bool = False
    #: By key, in the order of the tickets.
    seats: Sequence[int] = ()
    #: Nobody has named seats. They will be the next free ones of the product when the batch is made.
    next_seats: bool = False
    #: Who gets the tickets as soon as they are made; nobody, if they stay in stock.
    seller_id: int | None = None
    #: Somebody who may change sellers has confirmed that this seller gets more than her credit limit.
    over_limit: bool = False

    @classmethod
    def of(
        cls,
        batch: OfflineSalesBatch,
        seats: Sequence[Seat] = (),
        numbers_go_on: bool = False,
        next_seats: bool = False,
        seller: Seller | None = None,
        over_limit: bool = False,
    ) -> Self:
        """:param batch: unsaved and checked, on these seats"""
        values = {name: getattr(batch, name) for name in VALUES}
        if numbers_go_on:
            values["first_number"] = None
        return cls(
            **values,
            valid_from=batch.valid_from.isoformat() if batch.valid_from else None,
            numbers_go_on=numbers_go_on,
            seats=tuple(seat.pk for seat in seats),
            next_seats=next_seats,
            seller_id=seller.pk if seller else None,
            over_limit=over_limit,
        )


def requested_batches(jobs: Sequence[Job]) -> list[OfflineSalesBatch]:
    """
    The unsaved batches that these jobs ask for, to be shown, in few queries. What was deleted since is missing, and
    so is the first number where numbers go on.
    """
    batches = [_shown(job) for job in jobs]
    prefetch_related_objects(batches, "item", "variation", "subevent", "sales_channel", "layout")
    return batches


def _shown(job: Job) -> OfflineSalesBatch:
    """Of a request that another version of the plugin has written, what is known of all."""
    try:
        return batch_of(request_of(job), job.event, job.requested_by)
    except TypeError:
        return OfflineSalesBatch(event=job.event, amount=job.request.get("amount", 0), **job.requested_by)


def checked_again(request: IssueRequest, event: Event, requested_by: dict) -> tuple[OfflineSalesBatch, list[Seat]]:
    """
    The unsaved batch that a job asks for, and its seats: the world may have changed since.

    :raises JobFailed: if it can't be made any more
    """
    batch = batch_of(request, event, requested_by)
    try:
        for name in ("item", "variation", "subevent", "sales_channel", "layout"):
            getattr(batch, name)
        named = event.seats.in_bulk(request.seats)
        seats = next_free(batch) if request.next_seats else [named[pk] for pk in request.seats]
        check(batch, seats)
    except (ObjectDoesNotExist, KeyError) as error:
        message = _("Something that this batch should have been made of has been deleted in the meantime.")
        raise JobFailed(message) from error
    except ValidationError as error:
        raise JobFailed(" ".join(error.messages)) from error
    return batch, seats


def batch_of(request: IssueRequest, event: Event, requested_by: dict) -> OfflineSalesBatch:
    """Unsaved."""
    values = {name: getattr(request, name) for name in VALUES}
    valid_from = datetime.fromisoformat(request.valid_from) if request.valid_from else None
    return OfflineSalesBatch(event=event, valid_from=valid_from, **values, **requested_by)
