"""How much of which quota an order takes, and what is left of it."""

from collections import Counter
from collections.abc import Iterable

from pretix.base.models import OrderPosition, Quota
from pretix.base.services.quotas import QuotaAvailability


def taken_by(positions: Iterable[OrderPosition]) -> Counter:
    """How many of each quota one order with these positions takes, as the organizer has set it up now."""
    return Counter(quota for position in positions for quota in position.quotas)


def count(quotas: Iterable[Quota]) -> QuotaAvailability:
    """The host's count of these quotas, as they are now."""
    availability = QuotaAvailability()
    availability.queue(*Quota.objects.filter(pk__in=[quota.pk for quota in quotas]))
    availability.compute()
    return availability
