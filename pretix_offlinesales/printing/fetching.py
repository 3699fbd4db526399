"""Fetches objects that are related to many others in few queries, without knowing beforehand which are needed."""

import weakref
from collections.abc import Collection, Mapping

from django.db.models import Model, prefetch_related_objects

from ..host.prefetching import set_prefetched


class FetchedTogether:
    """
    Instances that stay together: what is asked of one of them is fetched for all.

    So what a layout shows costs one query for hundreds of tickets, and what it doesn't show costs nothing. (To prefetch
    all that there might be took a third of the time of printing, mostly to find nothing.)
    """

    def __init__(self, instances: Collection[Model], relations: Mapping[str, tuple]):
        """
        :param instances: of one model
        :param relations: what can be fetched, by the name that Django remembers it by, and the lookups to do so
        """
        # Each refers to the others by this object. If it did not let go of them, they would stay in memory for longer.
        self._instances = [weakref.ref(instance) for instance in instances]
        self._relations = relations
        self._fetching = False
        for instance in instances:
            set_prefetched(instance, _Prefetched(self))

    def has(self, relation: str) -> bool:
        return relation in self._relations and not self._fetching

    def fetch(self, relation: str) -> None:
        self._fetching = True
        try:
            alive = [instance for reference in self._instances if (instance := reference())]
            prefetch_related_objects(alive, *self._relations[relation])
        finally:
            self._fetching = False


class _Prefetched(dict):
    """Where Django keeps what it has prefetched for an instance: as if everything was there, until it is looked at."""

    def __init__(self, together: FetchedTogether):
        self._together = together

    def __contains__(self, relation):
        return super().__contains__(relation) or self._together.has(relation)

    def __missing__(self, relation):
        if not self._together.has(relation):
            raise KeyError(relation)
        self._together.fetch(relation)
        return self[relation]
