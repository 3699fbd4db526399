"""
Sellers from a CSV file: which of its columns is what, what each line would do, and what is wrong with it. Either all
lines are imported, or none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms.models import model_to_dict
from django.utils.formats import number_format
from django.utils.translation import gettext as _, gettext_lazy
from pretix.base.models import Organizer

from ..host.imports import BooleanColumnMixin, DecimalColumnMixin, ImportColumn, ProcessForm
from ..models import Seller
from ..sellers import records
from .seller_forms import SellerForm

#: More are not read at once.
MAX_LINES = 10_000


class SellerColumn(ImportColumn):
    """A field of sellers, as the host's page of an import offers it."""

    def __init__(self, organizer: Organizer, name: str, field: forms.Field):
        super().__init__(organizer)
        self.name, self.field = name, field

    @property
    def identifier(self):
        return self.name

    @property
    def verbose_name(self):
        return self.field.label

    @property
    def default_value(self):
        return None if self.name == "name" else super().default_value

    @property
    def help_text(self):
        return self.field.help_text

    def static_choices(self):
        return [(value, label) for value, label in self.choices.items() if value]

    @property
    def choices(self) -> dict[str, str]:
        return {str(value): str(label) for value, label in getattr(self.field, "choices", ())}

    def clean(self, value: str, previous_values: Any = None) -> str:
        """As the form of a seller takes it: of a choice, both what is stored and what is shown can be in the file."""
        by_text = {text.lower(): key for key, label in self.choices.items() for text in (key, label)}
        return by_text.get(value.lower(), value)

    def shown(self, value: Any) -> str:
        """What a line says, as people read it."""
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, Decimal):
            return number_format(value, 2)
        return self.choices.get(str(value), "" if value is None else str(value))


class DecimalColumn(DecimalColumnMixin, SellerColumn):
    """``10.5 %`` as well, or ``10,5 %`` in a language that writes it so."""


class YesNoColumn(BooleanColumnMixin, SellerColumn):
    default_value = "empty"
    initial = None


def columns(organizer: Organizer) -> list[SellerColumn]:
    fields = SellerForm(organizer=organizer).fields | {
        "active": Seller._meta.get_field("active").formfield(),
    }
    return [_kind_of(field)(organizer, name, field) for name, field in fields.items()]


def _kind_of(field: forms.Field) -> type[SellerColumn]:
    if isinstance(field, forms.BooleanField):
        return YesNoColumn
    return DecimalColumn if isinstance(field, forms.DecimalField) else SellerColumn


class MatchForm(ProcessForm):
    """Which column is what."""

    update_existing = forms.BooleanField(
        label=gettext_lazy("Update existing sellers"),
        required=False,
        help_text=gettext_lazy(
            "A line with the identifier of a seller changes that seller. Cells that are empty change nothing. Without "
            "this, such lines are mistakes."
        ),
    )

    def __init__(self, *args, organizer: Organizer, **kwargs):
        self.organizer = organizer
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name != "update_existing"), "update_existing"])

    def get_columns(self):
        return columns(self.organizer)


class LineForm(SellerForm):
    """Of one line. Whether its identifier is taken is known already."""

    active = forms.BooleanField(required=False)

    def clean(self) -> dict:
        values = forms.ModelForm.clean(self)
        seller = self.instance if self.instance.pk else None
        for name, message in records.problems(self.organizer, seller, {**values, "identifier": ""}).items():
            self.add_error(name, message)
        return values


@dataclass
class Line:
    """A line of the file, and what it would do."""

    #: As a spreadsheet counts: the first one has the names of the columns.
    number: int
    #: None, if that can't be said.
    seller: Seller | None = None
    is_new: bool = True
    #: By field, of those that the line says something about.
    values: Mapping[str, Any] = field(default_factory=dict)
    #: What is wrong, by the name of the column.
    errors: list[tuple[str, str]] = field(default_factory=list)


def read(organizer: Organizer, rows: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[Line]:
    """
    :param rows: by the names of the columns
    :param settings: of ``MatchForm``
    """
    known = {seller.identifier: seller for seller in Seller.objects.filter(organizer=organizer).exclude(identifier="")}
    reader = _Reader(organizer, columns(organizer), settings, known)
    numbered = enumerate(rows, 2)
    return [reader.line(number, row) for number, row in numbered if any(row.values())]


@dataclass
class _Reader:
    organizer: Organizer
    columns: list[SellerColumn]
    settings: Mapping[str, Any]
    #: By identifier.
    known: dict[str, Seller]
    #: In which line each identifier was.
    seen: dict[str, int] = field(default_factory=dict)

    def line(self, number: int, row: Mapping[str, Any]) -> Line:
        texts = {column: (column.resolve(self.settings, row) or "").strip() for column in self.columns}
        line, data = Line(number), {}
        for column, text in texts.items():
            try:
                if text:
                    data[column.name] = column.clean(text, {})
            except ValidationError as error:
                line.errors.append((column.verbose_name, error.message))
        self._find_seller(line, data.get("identifier", ""))
        if not line.errors:
            self._check(line, data)
        return line

    def _find_seller(self, line: Line, identifier: str) -> None:
        label = Seller._meta.get_field("identifier").verbose_name
        if identifier in self.seen:
            message = _("Line {number} has this identifier, too.").format(number=self.seen[identifier])
            line.errors.append((label, message))
        elif identifier:
            self.seen[identifier] = line.number
        line.seller = self.known.get(identifier)
        line.is_new = line.seller is None
        if line.seller and not self.settings["update_existing"]:
            line.errors.append((label, _("There is a seller with this identifier already.")))

    def _check(self, line: Line, data: dict[str, Any]) -> None:
        seller = line.seller or Seller(organizer=self.organizer)
        form = LineForm(model_to_dict(seller) | data, instance=seller, organizer=self.organizer)
        if form.is_valid():
            line.seller = seller
            line.values = {name: form.cleaned_data[name] for name in data}
            for name, value in line.values.items():
                setattr(seller, name, value)
            return
        labels = {column.name: column.verbose_name for column in self.columns}
        line.errors += [(labels[name], error) for name, errors in form.errors.items() for error in errors]


def table(organizer: Organizer, lines: Sequence[Line]) -> tuple[list[str], list[tuple[Line, list[str]]]]:
    """What these lines say: the names of the columns of which they say something, and a row for each."""
    said = {name for line in lines for name in line.values}
    shown = [column for column in columns(organizer) if column.name in said and column.name != "name"]
    rows = [(line, [column.shown(line.values.get(column.name)) for column in shown]) for line in lines]
    return [str(column.verbose_name) for column in shown], rows


@transaction.atomic
def write(lines: Iterable[Line], requester: dict) -> None:
    """
    :param lines: without errors
    :param requester: as ``log_action`` takes it
    """
    new = []
    for line in lines:
        if line.is_new:
            new.append(line.seller)
        elif line.values:
            records.change(line.seller, line.values, requester)
    records.add_all(new, requester)
