"""How much of which quota an order takes, what is left of it, and how others are kept from it meanwhile."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import F, Q, Value
from django.utils.timezone import now
from pretix.base.models import (
    CartPosition,
    Event,
    Item,
    Order,
    OrderPosition,
    Quota,
    Seat,
    Voucher,
    WaitingListEntry,
)
from pretix.base.services.locking import LockTimeoutException, lock_objects
from pretix.base.services.quotas import QuotaAvailability

#: How often quotas are counted at most, until they are left in peace meanwhile.
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


def places(quotas: Iterable[Quota], **options: bool) -> dict[Quota, int | None]:
    """
    How many are left of these quotas, by the host's count; ``None`` if they have no limit.

    :param options: of ``QuotaAvailability``
    """
    return {quota: number for quota, (_state, number) in count(quotas, **options).results.items()}


def lock(event: Event, quotas: Iterable[Quota], seats: Collection[Seat]) -> None:
    """
    Lock quotas and seats as the host does, until the end of the transaction: from here on, others wait for us.

    :raises LockTimeoutException: if others held them for as long as the host waits for them
    """
    if seats and event.settings.seating_minimal_distance > 0:
        lock_objects([event])
    else:
        lock_objects([*(quota for quota in quotas if quota.size is not None), *seats], shared_lock_objects=[event])


def left(needed: Counter[Quota], **options: bool) -> dict[Quota, int | None]:
    """
    The same for certain, to be asked under the lock of these quotas. Where there is more than is needed, it may be less
    than there is.

    The host counts orders first, vouchers later, and carts and the waiting list at last. A cart that becomes an order
    in between, for which shoppers need no lock, is in neither; nor is a voucher that is redeemed, nor somebody who
    waits, and is sent a voucher once vouchers have been counted. So it is looked how many of these carts, vouchers and
    entries have gone meanwhile, and their places count as taken. Others come only under the lock, or by one of these
    vouchers; and whatever else happens without it, such as a cancellation, leaves more places than were counted.

    :param needed: how many of each; only if it is not certain that these are there, it is counted again
    :param options: of ``QuotaAvailability``
    :raises LockTimeoutException: if that is so again and again
    """
    for _attempt in range(COUNTS):
        moment = now()
        before = _on_their_way(needed, moment)
        counted = places(needed, **options)
        gone = (before - _on_their_way(needed, moment)).total()
        certain = {quota: None if number is None else number - gone for quota, number in counted.items()}
        if not gone or all(number is None or number >= needed[quota] for quota, number in certain.items()):
            return certain
    raise LockTimeoutException


def _on_their_way(quotas: Collection[Quota], moment: datetime) -> Counter[tuple[str, int]]:
    """
    What takes places of these quotas, and may take them in another way next: carts, vouchers with what is left of them,
    and who waits. In a cart that was filled with a voucher, it is the voucher that does.
    """
    items = Item.objects.filter(Q(quotas__in=quotas) | Q(variations__quotas__in=quotas))
    dates = Q(subevent=None) | Q(subevent__in={quota.subevent_id for quota in quotas} - {None})
    concerned = Q(event__in={quota.event_id for quota in quotas}) & dates
    takes_itself = Q(voucher=None) | Q(voucher__block_quota=False) | Q(voucher__valid_until__lt=moment)
    is_valid = Q(valid_until=None) | Q(valid_until__gte=moment)
    carts = CartPosition.objects.filter(concerned, takes_itself, item__in=items, expires__gte=moment)
    vouchers = Voucher.objects.filter(concerned, is_valid, Q(item__in=items) | Q(quota__in=quotas), block_quota=True)
    entries = WaitingListEntry.objects.filter(concerned, item__in=items, voucher=None)
    return Counter(
        {
            (rows.model.__name__, pk): amount
            for rows, each in ((carts, Value(1)), (vouchers, F("max_usages") - F("redeemed")), (entries, Value(1)))
            for pk, amount in rows.order_by().values_list("pk", each)
        }
    )


def refresh_quotas_of(order: Order) -> None:
    """Drop the numbers that the host has cached, and look once more: a quota may close itself when it is sold out."""
    quotas = {quota for position in order.positions.all() for quota in position.quotas}
    for quota in quotas:
        quota.rebuild_cache()
    count(quotas)
