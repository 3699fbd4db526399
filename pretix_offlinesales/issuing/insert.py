"""Rows into the database: all of a batch, or nothing."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import IntegrityError, connection
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import Event, Order, OrderPosition, Quota, Seat

from ..db.queries import planned_plainly
from ..db.rows import check_references, insert_copies, reserve_ids, send_copies
from ..host.errors import BUSY, LockTimeoutException
from ..host.quotas import left, lock, places
from ..jobs.patience import with_patience
from ..models import MAX_NUMBER, JobFailed, OfflineSalesBatch, OfflineSalesTicket
from ..tickets.codes import Unique, order_codes, plain_secrets, pseudonymization_ids, ticket_secrets
from ..tickets.origin import Origin
from .blueprint import Blueprint
from .delivery import Delivery
from .making import Making
from .product import next_number, overlapping
from .seats import refuse_taken

logger = logging.getLogger(__name__)

#: Seconds to wait before the next attempt, when others held the locks for as long as the host waits for them.
BACK_OFF = (0.5, 1, 2, 4, 8)


#: Our key in PostgreSQL's space of two-integer advisory locks; the host's locks use the space of single integers.
ONE_BATCH_AT_A_TIME = 0x0FF5A1E


@dataclass(frozen=True)
class Codes:
    """What is generated for the orders of a batch before anybody has to wait; a list for each column, by ticket."""

    orders: Unique
    secrets: list[str]
    internal_secrets: list[str]
    positions: list[dict[str, list[str]]]  # by position of the blueprint

    def replace_taken(self) -> int:
        """Generate anew what somebody has taken by now. Returns how many values that are."""
        columns = [self.orders, *(values for position in self.positions for values in position.values())]
        return sum(values.replace_taken() for values in columns if isinstance(values, Unique))


def insert(making: Making, batch: OfflineSalesBatch, blueprint: Blueprint, seats: Sequence[Seat] = ()) -> None:
    """
    Make the batch, ``batch.amount`` copies of the blueprint, and have the job remember it, in one transaction.

    Only positions count for quotas and seats. So everything else is written first, and others wait for the positions
    only. (Whether enough is left is looked at before, to spare the work, and again under the lock, to be sure.)

    Codes are generated before anybody has to wait, and looked at again where no other batch can take them any more. It
    may still be that a shopper is faster. Then there is one who has the code, which tells it from all other reasons why
    the database may refuse a row.

    :raises JobFailed: with the host's own message, if a quota has too few left, if a seat is taken, or if they stay
        locked; then nothing is made
    :raises IntegrityError: if something that the rows refer to does not exist (any more)
    """
    codes = _generate(blueprint, batch.amount)
    making.report(20, 100)
    try:
        with_patience(
            making.job,
            lambda: _insert_with_free_codes(making, batch, blueprint, codes, seats),
            busy=(LockTimeoutException,),
            pauses=BACK_OFF,
        )
    except LockTimeoutException as error:
        raise JobFailed(BUSY) from error


def _insert_with_free_codes(
    making: Making, batch: OfflineSalesBatch, blueprint: Blueprint, codes: Codes, seats: Sequence[Seat]
) -> None:
    while True:
        try:
            return _insert_once(making, batch, blueprint, codes, seats)
        except IntegrityError:
            if not codes.replace_taken():
                raise
            logger.info("A code was taken while a batch was being inserted, and is generated again")


def _insert_once(making, batch, blueprint, codes, seats):
    try:
        with planned_plainly():
            _wait_for_other_batches(batch.event)
            if taken := codes.replace_taken():
                logger.info("%d codes were taken while a batch waited for others, and are generated again", taken)
            _number(batch, making.request.numbers_go_on)
            needed = _needed(batch, blueprint)
            _refuse_oversold(needed, places(needed))
            _save_anew(batch)
            seller = making.request.seller_id
            delivery = Delivery(batch, seller, blueprint.order.total, making.request.over_limit) if seller else None
            order_ids = _write_orders(batch, blueprint, codes, delivery)
            insert_positions = _send_positions(blueprint, codes, order_ids, seats)
            making.remember(batch)
            _claim(batch, needed, seats)
            insert_positions()
            if delivery:
                making.tell_later(delivery.write())
    except BaseException:
        making.forget()
        raise


def _generate(blueprint: Blueprint, amount: int) -> Codes:
    secrets: set[str] = set()
    ids: set[str] = set()
    return Codes(
        orders=order_codes(blueprint.order, amount),
        secrets=plain_secrets(amount),
        internal_secrets=plain_secrets(amount),
        positions=[
            {
                "secret": ticket_secrets(position, amount, secrets),
                "web_secret": plain_secrets(amount),
                "pseudonymization_id": pseudonymization_ids(amount, ids),
            }
            for position in blueprint.positions
        ],
    )


def _wait_for_other_batches(event: Event) -> None:
    """
    One batch inserts per organizer at a time, so that they queue here and not before the locks that shoppers need. All
    events of an organizer have their order codes and secrets from the same pot.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ONE_BATCH_AT_A_TIME, event.organizer_id % 2**31])


def _number(batch: OfflineSalesBatch, numbers_go_on: bool) -> None:
    """A number that somebody has chosen may be taken by now, one that nobody has chosen is found only here."""
    if numbers_go_on:
        batch.first_number = next_number(batch.event, batch.item)
        if batch.first_number > MAX_NUMBER:
            raise JobFailed(_("Ticket numbers are between 1 and {max}.").format(max=MAX_NUMBER))
    if batch.first_number is not None and (other := overlapping(batch)):
        raise JobFailed(_("Some of these ticket numbers have been taken by batch {batch}.").format(batch=other))


def _save_anew(batch: OfflineSalesBatch) -> None:
    batch.pk = None
    batch.save(force_insert=True)


def _needed(batch: OfflineSalesBatch, blueprint: Blueprint) -> Counter[Quota]:
    """How many of each quota it takes, as it is now: the organizer may have changed them while we waited."""
    needed: Counter[Quota] = Counter()
    for position in blueprint.positions:
        of_position = list(position.quotas)
        if not of_position:
            raise JobFailed(_("This product is not assigned to a quota."))
        needed.update(dict.fromkeys(of_position, batch.amount))
    return needed


def _claim(batch: OfflineSalesBatch, needed: Counter[Quota], seats: Sequence[Seat]) -> None:
    """Lock quotas and seats, and see that there are enough: from here on, others wait for us."""
    lock(batch.event, needed, seats)
    _refuse_oversold(needed, left(needed))
    refuse_taken(batch, seats)


def _refuse_oversold(needed: Counter[Quota], found: dict[Quota, int | None]) -> None:
    for quota, number in found.items():
        if number is not None and number < needed[quota]:
            # The host's own words, in the host's own translation.
            message = _('There is not enough quota available on quota "{}" to perform the operation.')
            raise JobFailed(message.format(quota.name))


def _write_orders(batch: OfflineSalesBatch, blueprint: Blueprint, codes: Codes, delivery: Delivery | None) -> list[int]:
    """All rows but the positions: copies of the blueprint, each with its place in the batch. Returns the order ids."""
    moment = now()
    order = blueprint.order
    order.datetime = moment
    order_ids = reserve_ids(Order, batch.amount)
    # In the order itself, so that lists, the API and layouts know its batch without a query.
    numbers = batch.numbers
    origins = [Origin(batch.pk, number, batch.amount, first=numbers.start) for number in numbers]
    insert_copies(
        order,
        id=order_ids,
        code=codes.orders,
        secret=codes.secrets,
        internal_secret=codes.internal_secrets,
        meta_info=[origin.mark(code) for origin, code in zip(origins, codes.orders, strict=True)],
    )
    if blueprint.payment:
        blueprint.payment.payment_date = moment
        insert_copies(blueprint.payment, order_id=order_ids)
    for entry in blueprint.transactions:
        entry.datetime = moment
        insert_copies(entry, order_id=order_ids)
    for log_entry in blueprint.log_entries:
        insert_copies(log_entry, object_id=order_ids)
    issued = order.log_action("pretix_offlinesales.order.issued", save=False, **batch.requester)
    insert_copies(issued, object_id=order_ids, data=[json.dumps(origin.data, sort_keys=True) for origin in origins])
    # The document of a delivery does not exist yet, so that these are looked at when all is committed.
    if delivery:
        check_references()
    ticket = OfflineSalesTicket(batch=batch, **(delivery.values if delivery else {}))
    insert_copies(ticket, order_id=order_ids, number=list(numbers))
    if not delivery:
        check_references()
    return order_ids


def _send_positions(
    blueprint: Blueprint, codes: Codes, order_ids: list[int], seats: Sequence[Seat]
) -> Callable[[], None]:
    """Bring all positions to the database. Returns what inserts them, to be called under the lock."""
    ids = iter(reserve_ids(OrderPosition, len(order_ids) * len(blueprint.positions)))
    position_ids: dict[int, list[int]] = {}  # by the id() of the blueprint's position
    inserts = []
    for position, of_position in zip(blueprint.positions, codes.positions, strict=True):
        own_ids = list(islice(ids, len(order_ids)))
        columns: dict[str, Sequence] = {"id": own_ids, "order_id": order_ids, **of_position}
        if position.addon_to:
            columns["addon_to_id"] = position_ids[id(position.addon_to)]
        elif seats:
            columns["seat_id"] = [seat.pk for seat in seats]
        inserts.append(send_copies(position, **columns))
        position_ids[id(position)] = own_ids

    def insert_positions():
        for insert_copies_of_one in inserts:
            insert_copies_of_one()

    return insert_positions
