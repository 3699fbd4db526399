"""The host's pages and rules for importing CSV files: upload, character sets, and which column is what."""

from pretix.base.modelimport import BooleanColumnMixin, DecimalColumnMixin, ImportColumn, parse_csv
from pretix.control.forms.modelimport import ProcessForm
from pretix.control.views.modelimport import BaseImportView, BaseProcessView

__all__ = [
    "BaseImportView",
    "BaseProcessView",
    "BooleanColumnMixin",
    "DecimalColumnMixin",
    "ImportColumn",
    "ProcessForm",
    "parse_csv",
]
