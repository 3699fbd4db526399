"""How many tickets are dealt with in one transaction."""

from dataclasses import dataclass
from time import monotonic

from django.db import transaction

#: For so long, in seconds, others may have to wait for what is done under a lock, besides the host's own counting.
HELD = 0.5

#: With fewer tickets than that, what takes the same time for few and many, such as the counting, would be most of what
#: others wait for; and they would have to wait for it more often.
LEAST = 250


@dataclass
class Pace:
    """As many at once as others can well wait for: ``size`` of them now, and never more than ``most``."""

    size: int
    most: int

    @classmethod
    def steady(cls, size: int) -> "Pace":
        return cls(size, most=size)

    def held_for(self, amount: int) -> None:
        """From here on, until the transaction is over, others wait for so many tickets to be dealt with."""
        start = monotonic()
        transaction.on_commit(lambda: self._adjust(amount, monotonic() - start))

    def _adjust(self, amount: int, seconds: float) -> None:
        self.size = min(max(int(amount * HELD / max(seconds, 0.001)), LEAST), self.most)
