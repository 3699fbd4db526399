"""What the organizer can fill in for the print shop."""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.formats import localize
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from ..models import JobFailed, OfflineSalesBatch, SheetPreset
from ..printing.choice import Only, choose
from ..printing.data import DataOptions, Format, Pictures, placeholders, used_placeholders
from ..printing.log import last_sheet
from ..printing.presets import PRESETS
from ..printing.request import EVERYTHING, PrintRequest
from ..printing.sheets import MAX_COLUMNS, MAX_OFFSET, MAX_PAPER, MIN_PAPER, PAPERS, Duplex, Sheet, SheetOrder
from ..tickets.layouts import usual_layout
from ..tickets.numbers import format_numbers
from .forms import is_number

#: A length as it is written in the language of whoever looks at it.
_localized = lazy(lambda length: localize(int(length) if length == int(length) else length), str)

#: The choice of paper that has its own width and height.
OTHER = "other"

#: Where the problems of a sheet are shown that has other names than the form, or pairs instead of two fields.
SHOWN_AT = {"margin": "margin_x", "gutter": "gutter_x", "cell": "cell_x", "offset": "offset_x"}

#: Of a sheet, two lengths: horizontally and vertically.
PAIRS = ("margin", "gutter", "cell", "offset")


class OptionsForm(forms.Form):
    """About the tickets of a batch."""

    def __init__(self, *args, batch: OfflineSalesBatch, **kwargs):
        self.batch = batch
        super().__init__(*args, **kwargs)

    def try_with(self, find, name: str) -> None:
        """Keep what is found under this name, or say at the right fields why it can't be."""
        try:
            setattr(self, name, find())
        except ValidationError as error:
            for key, messages in error.message_dict.items():
                self.add_error(SHOWN_AT.get(key, key), messages)
        except JobFailed as error:
            self.add_error(None, str(error))


class ChoiceForm(OptionsForm):
    """Some of them, or all. When valid, ``numbers`` are theirs."""

    tickets = forms.CharField(
        label=_("Ticket numbers"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "1-50, 60"}),
        help_text=_("Numbers and ranges. If you leave this empty, all tickets are meant. Canceled ones never are."),
    )
    only = forms.ChoiceField(label=_("Of these"), choices=[("", _("all tickets")), *Only.choices], required=False)

    numbers: list[int]

    def clean(self):
        values = super().clean()
        if not self.errors:
            self.try_with(lambda: choose(self.batch, values["tickets"], values["only"] or None), "numbers")
        return values

    @property
    def is_all(self) -> bool:
        return not (self.cleaned_data["tickets"] or self.cleaned_data["only"])


class DataForm(ChoiceForm):
    """When valid, ``options`` is what was chosen."""

    format = forms.ChoiceField(label=_("Export format"), choices=Format.choices, widget=forms.RadioSelect)
    pictures = forms.ChoiceField(
        label=_("Pictures of the codes"),
        choices=Pictures.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("With them, you get a ZIP archive of the table and a file for each ticket, named by its number."),
    )
    placeholders = forms.MultipleChoiceField(
        label=_("More columns"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
        help_text=_(
            "Number, order code, secret, content of the code, product, variation, date, price and seat are always "
            "there. What the ticket layout shows is selected to begin with."
        ),
    )

    def __init__(self, *args, batch: OfflineSalesBatch, **kwargs):
        names = placeholders(batch.event)
        layout = batch.layout or usual_layout(batch.event, batch.item, batch.sales_channel)
        shown = used_placeholders(batch.event, layout) if layout else ()
        used = [name for name in names if name in shown]
        initial = {"format": Format.XLSX, "pictures": Pictures.NONE, "placeholders": used}
        initial |= kwargs.pop("initial", None) or {}
        super().__init__(*args, batch=batch, initial=initial, **kwargs)
        # What the layout shows comes first.
        self.fields["placeholders"].choices = sorted(names.items(), key=lambda choice: choice[0] not in used)

    @property
    def options(self) -> DataOptions:
        values = {name: self.cleaned_data[name] for name in ("format", "pictures", "placeholders")}
        return DataOptions.read(values | {"tickets": "" if self.is_all else format_numbers(self.numbers)})


def _length(label, minimum=0, maximum=MAX_PAPER, **kwargs):
    """In millimetres."""
    return forms.DecimalField(label=label, min_value=minimum, max_value=maximum, required=False, **kwargs)


def _of_other_paper():
    """Shown as long as that is chosen."""
    return forms.NumberInput(attrs={"data-display-dependency": "#id_paper", "data-display-dependency-value": OTHER})


@dataclass(frozen=True)
class Folded:
    """What is chosen seldom, and out of sight as long as nothing is wrong with it."""

    fields: list[BoundField]

    @property
    def open(self) -> bool:
        return any(field.errors for field in self.fields)


class SheetForm(OptionsForm):
    """When valid, ``sheet`` is what tickets lie on; None, if each has a page of its own."""

    pages = forms.ChoiceField(
        label=_("Pages"),
        choices=[("single", _("A page for each ticket")), ("sheets", _("Several tickets on a sheet"))],
        widget=forms.RadioSelect,
        help_text=_("Ticket printers with rolls of thermal paper need a page for each ticket."),
    )
    paper = forms.ChoiceField(
        label=pgettext_lazy("paper size", "Paper"),
        choices=[
            *((name, format_lazy("{} ({} × {} mm)", name, *map(_localized, size))) for name, size in PAPERS.items()),
            (OTHER, _("Other size")),
        ],
        required=False,
    )
    paper_x = _length(_("Width of the paper (mm)"), minimum=MIN_PAPER, widget=_of_other_paper())
    paper_y = _length(_("Height of the paper (mm)"), minimum=MIN_PAPER, widget=_of_other_paper())
    landscape = forms.BooleanField(label=_("Landscape"), required=False)
    columns = forms.IntegerField(
        label=_("Columns"),
        min_value=1,
        max_value=MAX_COLUMNS,
        required=False,
        help_text=_("If you leave columns and rows empty, there are as many as fit."),
    )
    rows = forms.IntegerField(label=_("Rows"), min_value=1, max_value=MAX_COLUMNS, required=False)
    margin_x = _length(_("Margin left and right (mm)"))
    margin_y = _length(_("Margin top and bottom (mm)"))
    gutter_x = _length(_("Gutter between columns (mm)"))
    gutter_y = _length(_("Gutter between rows (mm)"))
    cell_x = _length(
        _("Width of a label (mm)"),
        minimum=1,
        help_text=_("For sheets of labels: tickets lie in the middle. Leave empty for the size of the tickets."),
    )
    cell_y = _length(_("Height of a label (mm)"), minimum=1)
    rotate = forms.ChoiceField(
        label=_("Turn the tickets"),
        choices=[("", _("Where more fit then")), ("no", _("No")), ("yes", _("By 90°"))],
        required=False,
    )
    order = forms.ChoiceField(label=_("Order of the tickets"), choices=SheetOrder.choices, required=False)
    duplex = forms.ChoiceField(
        label=_("Second page of the tickets"),
        choices=[
            ("", _("Like other pages")),
            *((value, format_lazy(pgettext_lazy("paper", "On the back, turned on the {edge}"), edge=edge))
              for value, edge in Duplex.choices),
        ],
        required=False,
    )
    crop_marks = forms.BooleanField(label=_("Crop marks"), required=False)
    running_text = forms.BooleanField(
        label=_("Batch and number of the sheet at the edge"), required=False
    )
    offset_x = _length(
        _("Move to the right (mm)"),
        minimum=-MAX_OFFSET,
        maximum=MAX_OFFSET,
        help_text=_("If your printer is off by some millimetres. The calibration page tells you."),
    )
    offset_y = _length(_("Move upwards (mm)"), minimum=-MAX_OFFSET, maximum=MAX_OFFSET)

    sheet = None

    @property
    def sheet_fields(self) -> list[BoundField]:
        """What is chosen often."""
        return [self[name] for name in ("landscape", "columns", "rows", "order", "duplex", "crop_marks")]

    @property
    def measures(self) -> Folded:
        pairs = (f"{name}_{axis}" for name in ("margin", "gutter", "cell") for axis in "xy")
        return Folded([self[name] for name in (*pairs, "rotate", "running_text")])

    @property
    def offsets(self) -> Folded:
        return Folded([self["offset_x"], self["offset_y"]])

    @classmethod
    def initial_from(cls, sheet: Sheet) -> dict:
        """What to fill in for this sheet."""
        own = not isinstance(sheet.paper, str)
        values = {name: getattr(sheet, name) for name in ("landscape", "columns", "rows", "order", "crop_marks")}
        values |= {"pages": "sheets", "paper": OTHER if own else sheet.paper, "running_text": sheet.running_text}
        values |= {"duplex": sheet.duplex or "", "rotate": {None: "", False: "no", True: "yes"}[sheet.rotate]}
        pairs = {name: getattr(sheet, name) for name in PAIRS} | {"paper": sheet.paper if own else None}
        for name, pair in pairs.items():
            values |= {f"{name}_{axis}": length for axis, length in zip("xy", pair or (None, None), strict=True)}
        return values

    def clean(self):
        values = super().clean()
        if values.get("pages") == "single":
            for name in SheetForm.base_fields.keys() - {"pages"}:
                self.errors.pop(name, None)  # nobody can see it
        if not self.errors and values["pages"] == "sheets":
            self.try_with(lambda: Sheet.parse(self._sheet_data(values)), "sheet")
        return values

    def _sheet_data(self, values: dict) -> dict:
        def pair(name, default=None):
            lengths = [values[f"{name}_{axis}"] for axis in "xy"]
            if lengths == [None, None]:
                return default
            return [float(length or 0) for length in lengths]

        return {
            "paper": pair("paper", "") if values["paper"] == OTHER else values["paper"] or "A4",
            "landscape": values["landscape"],
            "columns": values["columns"],
            "rows": values["rows"],
            **{name: pair(name, None if name == "cell" else [0, 0]) for name in PAIRS},
            "rotate": {"": None, "no": False, "yes": True}[values["rotate"]],
            "crop_marks": values["crop_marks"],
            "running_text": values["running_text"],
            "order": values["order"] or SheetOrder.READING,
            "duplex": values["duplex"] or None,
        }


class PrintForm(ChoiceForm, SheetForm):
    """When valid, ``print_request`` is what a job of the print remembers."""

    field_order = ("tickets", "only")
    print_request = EVERYTHING

    def clean(self):
        values = super().clean()
        if not self.errors:
            numbers = None if self.is_all and not self.sheet else self.numbers
            self.try_with(lambda: PrintRequest.of(self.batch, numbers, self.sheet), "print_request")
        return values


class PresetForm(SheetForm):
    """Save a sheet under a name. When valid, ``sheet`` is set."""

    name = forms.CharField(
        label=_("Name"),
        max_length=SheetPreset._meta.get_field("name").max_length,
        help_text=_("A preset of this name is overwritten."),
    )

    def clean(self):
        values = super().clean()
        if not self.errors and not self.sheet:
            self.add_error("pages", _("Only sheets can be saved."))
        return values


#: The preset that is what the batch was printed on last.
LAST = "last"


def presets(batch: OfflineSalesBatch) -> list[tuple[str, str]]:
    """What the batch was printed on last, the organizer's own, and those that the plugin brings, as choices."""
    last = [(LAST, _("As this batch was printed last"))] if last_sheet(batch) else []
    brought = [(key, preset.name) for key, preset in PRESETS.items()]
    own = [(str(preset.pk), preset.name) for preset in batch.event.offline_sales_presets.all()]
    return last + own + brought


def find_preset(batch: OfflineSalesBatch, key: str) -> Sheet | None:
    if key == LAST:
        return last_sheet(batch)
    if key in PRESETS:
        return PRESETS[key].sheet
    own = batch.event.offline_sales_presets.filter(pk=key).first() if is_number(key) else None
    return Sheet.parse(own.sheet) if own else None
