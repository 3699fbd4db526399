"""
What papers say, kept as it was: values only, that go through JSON and come back. Who draws one in a year draws the same
content, whatever was renamed, returned or deleted since.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints


class Snapshot:
    """
    A frozen dataclass of texts, numbers, ``Decimal``, dates, and of dictionaries, tuples and snapshots of these.
    """

    def to_json(self) -> dict:
        return _plain(self)

    @classmethod
    def from_json(cls, data: dict) -> Self:
        """:param data: of ``to_json``"""
        return _typed(cls, data)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _typed(kind: Any, data: Any) -> Any:
    """:param kind: as fields of a snapshot are declared"""
    if data is None:
        return None
    if isinstance(kind, type) and is_dataclass(kind):
        kinds = get_type_hints(kind)
        return kind(**{field.name: _typed(kinds[field.name], data[field.name]) for field in fields(kind)})
    if isinstance(kind, UnionType):
        return _typed(get_args(kind)[0], data)
    if get_origin(kind) is dict:
        of_key, of_value = get_args(kind)
        return {_typed(of_key, key): _typed(of_value, value) for key, value in data.items()}
    if get_origin(kind) is tuple:
        return tuple(_typed(get_args(kind)[0], each) for each in data)
    if isinstance(kind, type) and issubclass(kind, date):
        return kind.fromisoformat(data)
    return kind(data) if kind in (Decimal, int) else data  # in JSON, keys are texts
