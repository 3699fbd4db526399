"""How much of which quota an order takes, what is left of it, and how others are kept from it meanwhile."""

from collections import Counter
from collections.abc import Collection, Iterable

from pretix.base.models import Event, Order, OrderPosition, Quota, Seat
from pretix.base.services.locking import LockTimeoutException, lock_objects
from pretix.base.services.quotas import QuotaAvailability

#: How often quotas are counted once more, until they are left in peace meanwhile.
COUNTS = 5


def taken_by(positions: Iterable[OrderPosition]) -> Counter:
    """How many of each quota one order with these positions takes, as the organizer has set it up now."""
    return Counter(quota for position in positions for quota in position.quotas)


def count(quotas: Iterable[Quota], **options: bool) -> QuotaAvailability:
    """
    The host's count of these quotas, as they are now.

    :param options: of ``QuotaAvailability``
    """
    availability = QuotaAvailability(**options)
    availability.queue(*Quota.objects.filter(pk__in=[quota.pk for quota in quotas]))
    availability.compute()
    return availability


def lock(event: Event, quotas: Iterable[Quota], seats: Collection[Seat]) -> None:
    """
    Lock quotas and seats as the host does, until the end of the transaction: from here on, others wait for us.

    :raises LockTimeoutException: if others held them for as long as the host waits for them
    """
    if seats and event.settings.seating_minimal_distance > 0:
        lock_objects([event])
    else:
        lock_objects([*(quota for quota in quotas if quota.size is not None), *seats], shared_lock_objects=[event])


def left(quotas: Iterable[Quota], **options: bool) -> dict[Quota, int | None]:
    """
    What is left of these quotas, by the host's count; ``None`` if they have no limit. To be asked under their lock.

    The host counts orders first and carts later, and a cart that becomes an order in between, for which shoppers need
    no lock, is in neither. So the count holds if no orders came in meanwhile.

    :raises LockTimeoutException: if orders come in all the time
    """
    before = count(quotas, **options)
    for _attempt in range(COUNTS):
        after = count(quotas, **options)
        if _sold(after) == _sold(before):
            return {quota: number for quota, (_state, number) in before.results.items()}
        before = after
    raise LockTimeoutException


def _sold(availability: QuotaAvailability) -> Counter:
    return Counter(availability.count_paid_orders) + Counter(availability.count_pending_orders)


def refresh_quotas_of(order: Order) -> None:
    """Drop the numbers that the host has cached, and look once more: a quota may close itself when it is sold out."""
    quotas = {quota for position in order.positions.all() for quota in position.quotas}
    for quota in quotas:
        quota.rebuild_cache()
    count(quotas)
