"""Who gets the tickets of a batch as they are made."""

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.timezone import now
from django.utils.translation import gettext as _

from ..db.rows import reserve_ids
from ..models import Document, JobFailed, OfflineSalesBatch, Seller
from ..sellers.handing_over import (
    Moved,
    NotHandedOver,
    OverLimit,
    check_seller,
    exceeds_limit,
    lock_sellers,
    write_document,
)
from ..tickets.figures import Tally

#: The code of a validation error.
OVER_LIMIT = "over_limit"


def check_delivery(batch: OfflineSalesBatch, seller: Seller, price: Decimal, over_limit: bool = False) -> None:
    """
    :param batch: unsaved and checked
    :param price: of one ticket
    :param over_limit: as in ``check_seller``
    :raises ValidationError: naming ``seller``, if she can't get all of them; with the code ``OVER_LIMIT``, if that is
        all that stands in the way
    """
    if batch.testmode:
        raise ValidationError({"seller": [_("Tickets of test mode cannot be handed over.")]})
    try:
        check_seller(seller, batch.event, _tally(batch, price), over_limit=over_limit)
    except NotHandedOver as error:
        code = OVER_LIMIT if isinstance(error, OverLimit) else None
        raise ValidationError({"seller": [ValidationError(str(error), code)]}) from error


def _tally(batch: OfflineSalesBatch, price: Decimal) -> Tally:
    return Tally(batch.amount, price * batch.amount)


class Delivery:
    """Of a batch that is being made, within the transaction that does it. Begun before quotas are locked."""

    def __init__(self, batch: OfflineSalesBatch, seller: int, price: Decimal, over_limit: bool = False):
        """
        Lock the seller, and look at her again.

        :raises JobFailed: if she can't get the tickets any more
        """
        self._batch, self._price = batch, price
        self._moment: datetime = now()
        try:
            [self._seller] = lock_sellers(batch.event, Seller(pk=seller))
            assert self._seller
            check_delivery(batch, self._seller, price, over_limit)
        except NotHandedOver as error:
            raise JobFailed(str(error)) from error
        except ValidationError as error:
            raise JobFailed(" ".join(error.messages)) from error
        self._is_above_limit = over_limit and exceeds_limit(self._seller, _tally(batch, price))
        [self._document] = reserve_ids(Document, 1)

    @property
    def values(self) -> dict:
        """Of all its tickets."""
        sold = self._moment if self._seller and self._seller.firm else None
        return {"seller": self._seller, "document_id": self._document, "sold": sold}

    def write(self) -> int:
        """The document, last of all. Returns the key of the log entry that nobody has been told of yet."""
        batch = self._batch
        moved = [Moved(batch, self._price, batch.numbers)]
        _document, entry = write_document(
            batch.event,
            None,
            self._seller,
            moved,
            self._document,
            self._moment,
            batch.requested_by,
            is_above_limit=self._is_above_limit,
        )
        return entry
