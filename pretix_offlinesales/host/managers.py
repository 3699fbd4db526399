"""
Django builds a new class of managers for each ``order.positions`` of the host's, which is ``order.all_positions`` with
another manager. The host's own receivers ask so often that telling them about orders mostly meant building classes.

Where manager and relation are the same, the same class does as well: Django itself keeps the one of
``order.all_positions``. So all are kept, from the start of the process on: nothing is replaced while something runs,
and it makes no difference which thread builds a class first.
"""

from functools import lru_cache

from django.db.models.fields import related_descriptors

#: There are as many as there are relations that somebody asks for another manager; whoever makes more builds them anew.
MOST = 1_000

build = related_descriptors.create_reverse_many_to_one_manager


@lru_cache(maxsize=MOST)
def _build_once(superclass, relation):
    return build(superclass, relation.relation)


class _Same:
    """The relation itself, and not one that Django takes for equal. (Django takes long to find that out.)"""

    __slots__ = ("relation",)

    def __init__(self, relation):
        self.relation = relation

    def __hash__(self):
        return id(self.relation)

    def __eq__(self, other):
        return self.relation is other.relation


def create_reverse_many_to_one_manager(superclass, rel):
    """What Django has by this name, but for one class a manager and relation."""
    return _build_once(superclass, _Same(rel))


def install() -> None:
    """To be called when the process starts."""
    related_descriptors.create_reverse_many_to_one_manager = create_reverse_many_to_one_manager
