"""Ticket numbers as people write them: ``1-50, 60, 75-80``."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from .models import MAX_AMOUNT

#: ``17`` or ``1-50``, with as many blanks as people type.
NUMBERS = re.compile(r"\s*(?P<first>[0-9]{1,12})\s*(?:[-–]\s*(?P<last>[0-9]{1,12})\s*)?")


def parse_numbers(text: str) -> dict[int, str]:
    """
    ``1-50, 60, 75-80`` as numbers, in ascending order, with what each is to be called.

    :raises ValueError: with a message for people, if it is anything else, or more than any batch has
    """
    numbers = {}
    for part in re.split(r"[,\n]", text.strip()):
        match = NUMBERS.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last:
            raise ValueError(_("“{value}” is not a range of ticket numbers.").format(value=part.strip()))
        for number in range(first, min(last, first + MAX_AMOUNT) + 1):
            numbers.setdefault(number, str(number) if match[2] else part.strip())
        if len(numbers) > MAX_AMOUNT:
            raise ValueError(_("These are more than {max} ticket numbers.").format(max=MAX_AMOUNT))
    return dict(sorted(numbers.items()))


def format_numbers(numbers: Iterable[int]) -> str:
    """``1-50, 60``: the shortest way to write these ascending numbers so that ``parse_numbers`` reads them again."""
    runs = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in runs)
