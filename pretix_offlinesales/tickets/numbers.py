"""
Ticket numbers as people write them: ``1-50, 60, 75-80``.

Whoever asks may be anybody, and a few characters can name thousands of numbers. So what a text would come to is known
before any of its numbers is named: what it takes to read one is limited here, for all that read numbers.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from ..models import MAX_AMOUNT

#: ``17`` or ``1-50``, with as many blanks as people type.
NUMBERS = re.compile(r"\s*(?P<first>[0-9]{1,12})\s*(?:[-–]\s*(?P<last>[0-9]{1,12})\s*)?")

#: Between the first and the last number where it is printed, as it should be set.
DASH = "–"

#: Between ranges.
SEPARATOR = re.compile(r"[,\n]")

#: How long a text may be, in characters: enough to name all tickets of any batch one by one.
MAX_TEXT = 12 * MAX_AMOUNT

#: How many numbers may be named, if each counts as often as it is named: ranges may overlap, but not without end.
MAX_NAMED = 10 * MAX_AMOUNT

#: How much of what is wrong is repeated in a message, in characters.
MAX_QUOTED = 50


class Range(NamedTuple):
    numbers: range
    #: As it was given.
    text: str

    def name(self, number: int) -> str:
        """What one of the numbers is to be called: as it was given, if it was given alone."""
        return self.text if len(self.numbers) == 1 else str(number)


def parse_range(text: str) -> Range:
    """
    ``17`` or ``1-50``.

    :raises ValueError: with a message for people, if it is anything else, or more than any batch has
    """
    match = NUMBERS.fullmatch(text) if len(text) <= MAX_TEXT else None
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (0, 0)
    if not 1 <= first <= last:
        raise ValueError(_("“{value}” is not a range of ticket numbers.").format(value=_shortened(text.strip())))
    if last - first >= MAX_AMOUNT:
        raise _too_many()
    return Range(range(first, last + 1), text.strip())


def parse_numbers(text: str) -> dict[int, str]:
    """
    ``1-50, 60, 75-80`` as numbers, in ascending order, with what each is to be called.

    :raises ValueError: with a message for people, if it is anything else, more than any batch has, or too long to read
    """
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise ValueError(_("This is too long. Please write at most {max} characters.").format(max=MAX_TEXT))
    ranges = [parse_range(part) for part in SEPARATOR.split(text)]
    check_named(sum(len(each.numbers) for each in ranges))
    numbers = {number: each.name(number) for each in reversed(ranges) for number in each.numbers}
    if len(numbers) > MAX_AMOUNT:
        raise _too_many()
    return dict(sorted(numbers.items()))


def check_named(amount: int) -> None:
    """
    :param amount: how many numbers are named, if each counts as often as it is named
    :raises ValueError: with a message for people, if that is more than anybody should read
    """
    if amount > MAX_NAMED:
        message = _("These are more than {max} ticket numbers, if each is counted as often as it is named.")
        raise ValueError(message.format(max=MAX_NAMED))


def _too_many() -> ValueError:
    return ValueError(_("These are more than {max} ticket numbers.").format(max=MAX_AMOUNT))


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def format_numbers(numbers: Iterable[int], dash: str = "-") -> str:
    """
    ``1-50, 60``: the shortest way to write these ascending numbers so that ``parse_numbers`` reads them again.

    :param dash: ``DASH`` on paper
    """
    return format_ranges(ranges_of(numbers), dash)


def format_ranges(ranges: Iterable[Sequence[int]], dash: str = "-") -> str:
    """:param ranges: of ``ranges_of``"""
    return ", ".join(f"{first}{dash}{last}" if first < last else f"{first}" for first, last in ranges)


def ranges_of(numbers: Iterable[int]) -> list[list[int]]:
    """:param numbers: ascending. Returns the first and the last number of each range."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs
