"""The terms that were agreed when tickets were handed over."""

import json
from collections.abc import Iterable, Mapping

from ..db.queries import unscoped
from ..models import Document
from ..tickets.figures import Tally
from .terms import Commissioned, Terms


class Agreements:
    """Of some documents, in one query. What is the same in several of them can be told."""

    def __init__(self, documents: Iterable[int]):
        """:param documents: primary keys of documents by which somebody got tickets"""
        rows = unscoped(Document.objects).filter(pk__in=set(documents)).values_list("pk", "terms", "currency")
        stored = {pk: (terms, currency) for pk, terms, currency in rows}
        self._keys = {pk: json.dumps(each, sort_keys=True) for pk, each in stored.items()}
        self._terms = {key: Terms.from_json(stored[pk][0]) for pk, key in self._keys.items()}
        self._currencies = {key: stored[pk][1] for pk, key in self._keys.items()}

    def key(self, document: int) -> str:
        """The same for all documents with the same terms, in the same currency."""
        return self._keys[document]

    def terms(self, key: str) -> Terms:
        return self._terms[key]

    def commission_on(self, key: str, tickets: Mapping[int, Tally]) -> Commissioned:
        """:param tickets: as in ``Terms.commission_on``"""
        return self._terms[key].commission_on(tickets, self._currencies[key])

    def __getitem__(self, document: int) -> Terms:
        return self._terms[self._keys[document]]
