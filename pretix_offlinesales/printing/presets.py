"""Sheets that one can buy: labels and tickets with cuts, by the names that their makers gave them."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from .sheets import Pair, Sheet


@dataclass(frozen=True)
class Preset:
    name: str | Promise
    sheet: Sheet


def _stock(paper: str, columns: int, rows: int, cell: Pair, margin: Pair = (0, 0), gutter: Pair = (0, 0)) -> Sheet:
    return Sheet(paper, columns=columns, rows=rows, cell=cell, margin=margin, gutter=gutter, running_text=False)


#: Only sheets whose measures add up.
PRESETS: dict[str, Preset] = {
    "avery-32010": Preset(
        gettext_lazy("Avery Zweckform 32010: 85 × 54 mm, 10 on A4"),
        _stock("A4", 2, 5, cell=(85, 54), margin=(15, 13.5), gutter=(10, 0)),
    ),
    "herma-4457": Preset(
        gettext_lazy("Herma 4457: 105 × 48 mm, 12 on A4"), _stock("A4", 2, 6, cell=(105, 48), margin=(0, 4.5))
    ),
    "herma-10809": Preset(
        gettext_lazy("Herma 10809: 105 × 148 mm, 4 on A4"), _stock("A4", 2, 2, cell=(105, 148), margin=(0, 0.5))
    ),
    "a4-halves": Preset(gettext_lazy("Halves of A4"), _stock("A4", 1, 2, cell=(210, 148.5))),
    "a4-quarters": Preset(gettext_lazy("Quarters of A4"), _stock("A4", 2, 2, cell=(105, 148.5))),
    "letter-halves": Preset(gettext_lazy("Halves of Letter"), _stock("Letter", 1, 2, cell=(215.9, 139.7))),
    "letter-quarters": Preset(gettext_lazy("Quarters of Letter"), _stock("Letter", 2, 2, cell=(107.95, 139.7))),
}
