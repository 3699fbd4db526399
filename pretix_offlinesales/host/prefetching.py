"""
Where Django keeps what it has prefetched for an instance. Of a relation, it asks whether it is there (``in``), and then
takes it.
"""

from django.db.models import Model, QuerySet
from pretix.base.models import Event


def set_prefetched(instance: Model, prefetched: dict) -> None:
    """
    Let Django look here for what was prefetched for this instance.

    :param prefetched: a queryset or an object for each relation, by its name
    """
    instance._prefetched_objects_cache = prefetched


def forget_prefetched(instance: Model, relation: str) -> None:
    """
    Let Django ask the database for this relation again.

    :raises KeyError: if it was not prefetched
    """
    del instance._prefetched_objects_cache[relation]


def with_settings(events: QuerySet[Event]) -> QuerySet[Event]:
    """Events that can be asked for their settings, such as their timezone, without a query for each."""
    return events.select_related("organizer").prefetch_related("_settings_objects", "organizer___settings_objects")
