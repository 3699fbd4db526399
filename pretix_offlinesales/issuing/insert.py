"""Rows into the database: all of a batch, or nothing."""

import copy
import json
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import LogEntry, Order, OrderPayment, OrderPosition, Quota, Seat, Transaction
from pretix.base.services.locking import LockTimeoutException, lock_objects
from pretix.base.services.orders import error_messages
from pretix.base.services.quotas import QuotaAvailability

from ..models import Job, JobFailed, OfflineSalesBatch, OfflineSalesTicket
from .blueprint import Blueprint
from .codes import order_codes, pseudonymization_ids, ticket_secrets
from .product import overlapping
from .seats import refuse_taken

logger = logging.getLogger(__name__)

#: Seconds to wait before the next attempt, when others held the locks for as long as the host waits for them, or when
#: a code was taken in the meantime.
BACK_OFF = (0.5, 1, 2, 4, 8)

#: How many rows one statement writes.
CHUNK = 1_000

#: Our key in PostgreSQL's space of two-integer advisory locks; the host's locks use the space of single integers.
ONE_BATCH_AT_A_TIME = 0x0FF5A1E


@dataclass
class Rows:
    """The unsaved rows of a batch. ``positions`` has a list for each position of the blueprint, parents first."""

    orders: list[Order] = field(default_factory=list)
    positions: list[list[OrderPosition]] = field(default_factory=list)
    payments: list[OrderPayment] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    log_entries: list[tuple[LogEntry, Order]] = field(default_factory=list)
    tickets: list[OfflineSalesTicket] = field(default_factory=list)


def insert(job: Job, batch: OfflineSalesBatch, blueprint: Blueprint, seats: Sequence[Seat] = ()) -> None:
    """
    Make the batch, ``batch.amount`` copies of the blueprint, and tell the job, in one transaction.

    :raises JobFailed: with the host's own message, if a quota has too few left, if a seat is taken, or if they stay
        locked; then nothing is made
    """
    for seconds in (*BACK_OFF, None):
        rows = _copies(blueprint, batch.amount, seats)
        job.report(20, 100)
        try:
            with transaction.atomic():
                _wait_for_other_batches(batch.event)
                _refuse_overlap(batch)
                _save_anew(batch)
                _number(rows, batch)
                _claim(batch, blueprint.quotas, seats)
                _write(rows)
                Job.objects.filter(pk=job.pk).update(batch=batch)
            job.batch = batch
            return
        except LockTimeoutException:
            if seconds is None:
                raise JobFailed(error_messages["busy"])
            logger.info("The quotas of event %s are locked by others, a batch has to wait", batch.event_id)
        except IntegrityError:
            if seconds is None:
                raise
            logger.warning("A code was taken while a batch was being made, drawing again", exc_info=True)
        time.sleep(seconds)


def _copies(blueprint: Blueprint, amount: int, seats: Sequence[Seat]) -> Rows:
    codes = order_codes(blueprint.order, amount)
    secrets = [ticket_secrets(position, amount) for position in blueprint.positions]
    pseudonymization = iter(pseudonymization_ids(amount * len(blueprint.positions)))
    moment = now()

    rows = Rows(positions=[[] for _position in blueprint.positions])
    for index, code in enumerate(codes):
        order = _copy(
            blueprint.order,
            code=code,
            datetime=moment,
            secret=_default(Order, "secret"),
            internal_secret=_default(Order, "internal_secret"),
        )
        rows.orders.append(order)
        copies = {id(None): None}
        for original, column, column_secrets in zip(blueprint.positions, rows.positions, secrets, strict=True):
            position = copies[id(original)] = _copy(
                original,
                order=order,
                addon_to=copies[id(original.addon_to)],
                secret=column_secrets[index],
                web_secret=_default(OrderPosition, "web_secret"),
                pseudonymization_id=next(pseudonymization),
            )
            column.append(position)
        if seats:
            rows.positions[0][index].seat = seats[index]
        rows.payments.append(_copy(blueprint.payment, order=order, payment_date=moment))
        rows.transactions += (_copy(entry, order=order, datetime=moment) for entry in blueprint.transactions)
        rows.log_entries += ((_copy(entry), order) for entry in blueprint.log_entries)
        rows.tickets.append(OfflineSalesTicket(order=order))
    return rows


def _copy(instance, **values):
    instance = copy.copy(instance)
    for name, value in values.items():
        setattr(instance, name, value)
    return instance


def _default(model, name):
    return model._meta.get_field(name).get_default()


def _wait_for_other_batches(event) -> None:
    """One batch inserts per event at a time, so that they queue here and not before the locks that shoppers need."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ONE_BATCH_AT_A_TIME, event.pk % 2**31])


def _refuse_overlap(batch) -> None:
    if batch.first_number is not None and (other := overlapping(batch)):
        raise JobFailed(_("Some of these ticket numbers have been taken by batch {batch}.").format(batch=other))


def _save_anew(batch) -> None:
    batch.pk = None
    batch.save(force_insert=True)
    batch.log_action("pretix_offlinesales.batch.issued", {"amount": batch.amount}, **batch.requester)


def _number(rows: Rows, batch: OfflineSalesBatch) -> None:
    """Write into each order which batch made it, so that whoever shows it needs no query, and into its history."""
    for ticket, number in zip(rows.tickets, batch.numbers, strict=True):
        ticket.batch, ticket.number = batch, number
        meta = {"batch": batch.pk, "number": ticket.number, "amount": batch.amount}
        ticket.order.meta_info = json.dumps({"offlinesales": meta})
        issued = ticket.order.log_action("pretix_offlinesales.order.issued", meta, save=False, **batch.requester)
        rows.log_entries.append((issued, ticket.order))


def _claim(batch: OfflineSalesBatch, quotas: Counter, seats: Sequence[Seat]) -> None:
    """Lock quotas and seats as the host does, and see that there are enough: from here on, others wait for us."""
    if seats and batch.event.settings.seating_minimal_distance > 0:
        lock_objects([batch.event])
    else:
        lock_objects(
            [*(quota for quota in quotas if quota.size is not None), *seats], shared_lock_objects=[batch.event]
        )
    _refuse_oversold(batch, quotas)
    refuse_taken(batch, seats)


def _refuse_oversold(batch, quotas):
    availability = QuotaAvailability()
    availability.queue(*Quota.objects.filter(pk__in=[quota.pk for quota in quotas]))
    availability.compute()
    for quota, (__, left) in availability.results.items():
        if left is not None and left < quotas[quota] * batch.amount:
            raise JobFailed(
                _('There is not enough quota available on quota "{}" to perform the operation.').format(quota.name)
            )


def _write(rows: Rows) -> None:
    Order.objects.bulk_create(rows.orders, batch_size=CHUNK)
    for positions in rows.positions:
        OrderPosition.objects.bulk_create(positions, batch_size=CHUNK)
    OrderPayment.objects.bulk_create(rows.payments, batch_size=CHUNK)
    Transaction.objects.bulk_create(rows.transactions, batch_size=CHUNK)
    for entry, order in rows.log_entries:
        entry.content_object = order
    LogEntry.objects.bulk_create([entry for entry, _order in rows.log_entries], batch_size=CHUNK)
    OfflineSalesTicket.objects.bulk_create(rows.tickets, batch_size=CHUNK)
