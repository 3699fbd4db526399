"""Long lists of which one page is shown."""

from typing import cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from .queries import planned_plainly


class KeysFirst(Paginator):
    """
    Looks up which rows are on a page, and only then what is to be known of them. A database that skips rows to come to
    a page works out all columns of those that it skips.
    """

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        with planned_plainly():
            return super().count

    def page(self, number: int | str) -> Page:
        page = super().page(number)
        with planned_plainly():
            keys = list(cast(QuerySet, page.object_list).values_list("pk", flat=True))
            page.object_list = list(self.object_list.filter(pk__in=keys))
        return page
