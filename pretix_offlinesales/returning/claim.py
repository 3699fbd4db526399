"""The places that orders need when they become valid again: quotas and seats, for many orders at once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import prefetch_related_objects
from pretix.base.models import OrderPosition, Quota

from ..after_sale.orders import Orders
from ..host.quotas import left, lock
from ..tickets.seats import free_seats, too_close


class Claim:
    """What each of these orders needs, and whether it is there."""

    def __init__(self, orders: Orders, pks: Sequence[int]):
        self._orders = orders
        prefetch_related_objects([position for pk in pks for position in orders.positions[pk]], "seat")
        self._quotas = self._needed_quotas(pks)
        self._seats = {pk: [position.seat for position in orders.positions[pk] if position.seat] for pk in pks}
        self._neighbours = self._too_close(pks)

    def not_for_sale(self) -> set[int]:
        """The orders with a product that is in no quota (any more)."""
        return {pk for pk, quotas in self._quotas.items() if not all(quotas)}

    def lock(self, pks: Iterable[int]) -> None:
        """
        From here on, others wait for us.

        :raises LockTimeoutException: if others held the locks for as long as the host waits for them
        """
        lock(self._orders.event, self._needed(pks), {seat for pk in pks for seat in self._seats[pk]})

    def fitting(self, pks: Sequence[int]) -> list[int]:
        """The orders for which enough is left, if they come one after the other. To be asked under the lock."""
        places = left(self._needed(pks), count_waitinglist=False)
        free = self._free_seats(pks)
        return [pk for pk in pks if self._fits(pk, places, free)]

    def _fits(self, pk: int, places: dict[Quota, int | None], free: set[int]) -> bool:
        """If it does, what it takes is gone."""
        needed = self._needed([pk])
        seats = [seat.pk for seat in self._seats[pk]]
        limited = {quota: amount for quota in needed if (amount := places.get(quota, 0)) is not None}
        if any(limited[quota] < needed[quota] for quota in limited) or not free.issuperset(seats):
            return False
        places.update({quota: limited[quota] - needed[quota] for quota in limited})
        free.difference_update(seats, *(self._neighbours[seat] for seat in seats))
        return True

    def _needed_quotas(self, pks: Iterable[int]) -> dict[int, list[list[Quota]]]:
        """For each position of each order; asked once for all that are alike."""
        known = {}

        def quotas_of(position: OrderPosition) -> list[Quota]:
            product = (position.item_id, position.variation_id, position.subevent_id)
            if product not in known:
                known[product] = list(position.quotas)
            return known[product]

        return {pk: [quotas_of(position) for position in self._orders.positions[pk]] for pk in pks}

    def _needed(self, pks: Iterable[int]) -> Counter[Quota]:
        return Counter(quota for pk in pks for quotas in self._quotas[pk] for quota in quotas)

    def _free_seats(self, pks: Iterable[int]) -> set[int]:
        places = defaultdict(set)
        for pk in pks:
            for position in self._orders.positions[pk]:
                if position.seat:
                    places[position.subevent, self._orders.orders[pk].sales_channel].add(position.seat)
        return {
            pk
            for (subevent, channel), seats in places.items()
            for pk in free_seats(self._orders.event, subevent, channel, seats)
        }

    def _too_close(self, pks: Iterable[int]) -> dict[int, set[int]]:
        """The seats that nobody may sit on together with this one."""
        by_date, found = defaultdict(set), defaultdict(set)
        for pk in pks:
            for seat in self._seats[pk]:
                by_date[seat.subevent_id].add(seat)
        for seats in by_date.values():
            for seat, other in too_close(self._orders.event, seats):
                found[seat.pk].add(other.pk)
                found[other.pk].add(seat.pk)
        return found
