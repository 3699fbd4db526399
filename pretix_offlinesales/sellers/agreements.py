"""The terms that were agreed when tickets were handed over."""

import json
from collections.abc import Iterable

from ..db.queries import unscoped
from ..models import Document
from .terms import Terms


class Agreements:
    """Of some documents, in one query. What is the same in several of them can be told."""

    def __init__(self, documents: Iterable[int]):
        """:param documents: primary keys of documents by which somebody got tickets"""
        rows = unscoped(Document.objects).filter(pk__in=set(documents)).values_list("pk", "terms")
        stored = dict(rows)
        self._keys = {pk: json.dumps(terms, sort_keys=True) for pk, terms in stored.items()}
        self._terms = {key: Terms.from_json(stored[pk]) for pk, key in self._keys.items()}

    def key(self, document: int) -> str:
        """The same for all documents with the same terms."""
        return self._keys[document]

    def terms(self, key: str) -> Terms:
        return self._terms[key]

    def __getitem__(self, document: int) -> Terms:
        return self._terms[self._keys[document]]
