"""Records what was printed, as the host records what its apps print, and compares it with what tickets are now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.utils.timezone import now
from pretix.base.models import LogEntry, Order, OrderPosition
from pretix.base.models.orders import PrintLog

from ..db.queries import unscoped
from ..db.rows import insert_copies, log
from ..models import Job, OfflineSalesBatch
from .sheets import Sheet
from .tickets import Printed, fingerprint

SOURCE = "pretix-offlinesales"

#: What the history of a batch calls a print.
PRINTED = "pretix_offlinesales.batch.printed"

#: So many rows are asked for, locked and changed in one query.
CHUNK = 5_000


class Row(NamedTuple):
    """An order position, and its number in the order; all but that by key."""

    position: int
    positionid: int
    order: int
    is_blocked: bool


class Compared(NamedTuple):
    """Which printed positions are still what they were, and which were changed, canceled or deleted meanwhile."""

    #: In the order of their orders.
    same: list[Row]
    changed: set[Printed]


def compare(printed: Iterable[Printed], lock: bool = False) -> Compared:
    """
    Compare what was rendered with what is in the database now.

    :param lock: lock the orders until the end of the transaction, so that what is the same stays so. Others may wait.
    """
    rendered = defaultdict(set)
    for each in printed:
        rendered[each.position].add(each)
    same, positions = [], sorted(rendered)
    for start in range(0, len(positions), CHUNK):
        for row, codes in _fetch(positions[start : start + CHUNK], lock):
            if all(each.codes == codes for each in rendered[row.position]):
                same.append(row)
                del rendered[row.position]
    return Compared(same, set().union(*rendered.values()))


def last_sheets(batches: Iterable[OfflineSalesBatch]) -> dict[int, Sheet | None]:
    """
    By the keys of the batches that were printed before: what they were printed on last; None, if each ticket had a page
    of its own.
    """
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(OfflineSalesBatch),
        object_id__in=[batch.pk for batch in batches],
        action_type=PRINTED,
    )
    found = {entry.object_id: entry.parsed_data.get("sheet") for entry in entries.order_by("datetime", "pk")}
    return {batch: Sheet.parse(sheet) if sheet else None for batch, sheet in found.items()}


def last_sheet(batch: OfflineSalesBatch) -> Sheet | None:
    return last_sheets([batch]).get(batch.pk)


def log_prints(job: Job, batch: OfflineSalesBatch, rows: Sequence[Row]) -> int:
    """
    Write each of these positions of a batch into the host's print log and into the history of its order, and return
    how many tickets these are. To be called at the end of a transaction, when the orders are locked.

    Who asked is named in the history only. If the print log named them, the host could not delete them any more.
    """
    moment, info = now(), {"batch": batch.pk, "job": str(job.pk)}
    printed = PrintLog(type=PrintLog.TYPE_TICKET, source=SOURCE, datetime=moment, info=info)
    data = {
        "successful": printed.successful,
        "datetime": moment.isoformat(),
        "source": printed.source,
        "type": printed.type,
        "info": info,
    }
    for start in range(0, len(rows), CHUNK):
        keys, numbers, of_orders, _blocked = zip(*rows[start : start + CHUNK], strict=True)
        insert_copies(printed, position_id=keys)
        entries = [{"position": key, "positionid": number, **data} for key, number in zip(keys, numbers, strict=True)]
        log(Order(pk=of_orders[0], event=job.event), "pretix.event.order.print", of_orders, entries, job.requester)
    touched = sorted({row.order for row in rows})
    for start in range(0, len(touched), CHUNK):
        # Last of all: scanners ask for what was modified since, and what is not committed yet would be forgotten.
        Order.objects.filter(pk__in=touched[start : start + CHUNK]).update(last_modified=now())
    return len(touched)


def _fetch(positions: Sequence[int], lock: bool) -> Iterable[tuple[Row, str]]:
    """Those of these that are not canceled, each with the fingerprint of its codes."""
    if lock:
        # In this order, so that two who lock the same ones do not wait for each other.
        orders = unscoped(OrderPosition.all).filter(pk__in=positions).values("order")
        locked = unscoped(Order.objects).filter(pk__in=orders).order_by("pk").select_for_update()
        list(locked.values_list("pk"))
    found = unscoped(OrderPosition.objects).filter(pk__in=positions)
    valid = found.exclude(order__status=Order.STATUS_CANCELED).order_by("order", "positionid")
    rows = valid.values_list("pk", "positionid", "order", "blocked", "secret", "web_secret", "order__secret")
    for position, positionid, order, blocked, *secrets in rows:
        yield Row(position, positionid, order, is_blocked=blocked is not None), fingerprint(*secrets)
