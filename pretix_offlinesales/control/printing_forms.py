"""What the organizer can fill in for the print shop."""

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import OfflineSalesBatch
from ..printing.data import DataOptions, Format, Pictures, placeholders, used_placeholders


class DataForm(forms.Form):
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
        used = [name for name in names if name in used_placeholders(batch)]
        initial = {"format": Format.XLSX, "pictures": Pictures.NONE, "placeholders": used}
        super().__init__(*args, **kwargs | {"initial": initial | (kwargs.get("initial") or {})})
        # What the layout shows comes first.
        self.fields["placeholders"].choices = sorted(names.items(), key=lambda choice: choice[0] not in used)

    @property
    def options(self) -> DataOptions:
        return DataOptions.parse(self.cleaned_data)
