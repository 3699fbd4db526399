"""Where one says which tickets are meant: typed, scanned, or from a file."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy
from pretix.base.models import Event

from ..models import OfflineSalesBatch
from ..tickets.lines import from_file
from ..tickets.selection import Selection

#: How large an uploaded file may be, in bytes.
MAX_FILE = 5 * 1024 * 1024

#: What changes the verdicts on scanned tickets.
ASKED = {"data-offlinesales-asked": ""}


class LinesForm(forms.Form):
    """Tickets as lines of text. When valid, ``selection`` says which, and ``lines`` has what was in the file, too."""

    lines = forms.CharField(
        label=gettext_lazy("Tickets"), required=False, widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off"})
    )
    file = forms.FileField(
        label=gettext_lazy("From a file"),
        required=False,
        help_text=gettext_lazy("A text file, or a CSV file with order codes or the codes on the tickets."),
    )

    def __init__(self, *args, event: Event, batch: OfflineSalesBatch | None, **kwargs):
        """:param batch: whose numbers are meant where none is named"""
        super().__init__(*args, **kwargs)
        self.event, self.batch, self.selection = event, batch, None
        if batch:
            self.fields["lines"].help_text = _(
                "Ticket numbers such as 1-50, 60, 75-80, order codes, or scanned tickets; one a line, or with commas."
            )
        else:
            self.fields["lines"].help_text = _(
                "Order codes, scanned tickets, or ticket numbers with their batch such as #3: 1-50, 60; one a line, or "
                "with commas."
            )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if not file:
            return ""
        if file.size > MAX_FILE:
            raise ValidationError(_("This file is too large."))
        try:
            return from_file(file.read())
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self):
        values = super().clean()
        if self.errors:
            return values
        text = joined(values["lines"], values["file"])
        try:
            self.selection = Selection.parse(text, self.event, self.batch)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        values["lines"] = text
        self.check_selection(values)
        return values

    def check_selection(self, values: dict) -> None:
        """:raises ValidationError: if nothing is selected"""
        if not self.selection:
            raise ValidationError(_("Please say which tickets."))


def joined(*texts: str | None) -> str:
    """Lines of one after those of the other."""
    return "\n".join(text for text in texts if text)
