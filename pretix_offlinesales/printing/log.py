"""What was printed is remembered as the host remembers what its apps print."""

from collections.abc import Sequence

from django.utils.timezone import now
from pretix.base.models import Order, OrderPosition
from pretix.base.models.orders import PrintLog

from ..database import unscoped
from ..issuing.rows import insert_copies, log
from ..models import Job

SOURCE = "pretix-offlinesales"

#: So many rows are asked for, locked and changed in one query.
CHUNK = 5_000


def log_prints(job: Job, positions: Sequence[int]) -> int:
    """
    Write each of these positions (by key) into the host's print log and into the history of its order, and return how
    many tickets these are. To be called at the end of a transaction: others may wait for the orders.

    Who asked is named in the history only. If the print log named them, the host could not delete them any more.
    """
    moment, info = now(), {"batch": job.batch_id, "job": str(job.pk)}
    printed = PrintLog(type=PrintLog.TYPE_TICKET, source=SOURCE, datetime=moment, info=info)
    data = {
        "successful": printed.successful,
        "datetime": moment.isoformat(),
        "source": printed.source,
        "type": printed.type,
        "info": info,
    }
    positions, orders = sorted(positions), set()
    for start in range(0, len(positions), CHUNK):
        rows = _lock(positions[start : start + CHUNK])
        if not rows:
            continue
        keys, numbers, of_orders = zip(*rows, strict=True)
        insert_copies(printed, position_id=keys)
        entries = [{"position": key, "positionid": number, **data} for key, number in zip(keys, numbers, strict=True)]
        log(Order(pk=of_orders[0], event=job.event), "pretix.event.order.print", of_orders, entries, job.requester)
        orders.update(of_orders)
    touched = sorted(orders)
    for start in range(0, len(touched), CHUNK):
        # Last of all: scanners ask for what was modified since, and what is not committed yet would be forgotten.
        Order.objects.filter(pk__in=touched[start : start + CHUNK]).update(last_modified=now())
    return len(orders)


def _lock(positions: Sequence[int]) -> list[tuple[int, int, int]]:
    """Of those that still exist key, number in the order, and order. They will exist until the end."""
    found = unscoped(OrderPosition.all).filter(pk__in=positions)
    # In this order, so that two who lock the same ones do not wait for each other.
    orders = unscoped(Order.objects).filter(pk__in=found.values("order")).order_by("pk")
    list(orders.select_for_update().values_list("pk"))
    return list(found.order_by("order", "positionid").values_list("pk", "positionid", "order"))


def count_blocked(positions: Sequence[int]) -> int:
    """How many tickets it are of which one of these positions (by key) is blocked."""
    orders = set()
    for start in range(0, len(positions), CHUNK):
        found = OrderPosition.all.filter(pk__in=positions[start : start + CHUNK], blocked__isnull=False)
        orders.update(found.values_list("order", flat=True))
    return len(orders)
