"""Ticket numbers as people write them. (How ranges are read is tested where tickets come back.)"""

import pytest

from pretix_offlinesales.ranges import format_numbers, parse_numbers


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([7], "7"), ([1, 2], "1-2"), ([1, 2, 3, 5, 7, 8], "1-3, 5, 7-8"), (range(1, 10_001), "1-10000")],
)
def test_numbers_are_written_as_ranges(numbers, text):
    assert format_numbers(numbers) == text
    assert not text or list(parse_numbers(text)) == list(numbers)


def test_the_worst_that_a_batch_can_have_is_read_again():
    every_other = range(1, 10_001, 2)
    assert list(parse_numbers(format_numbers(every_other))) == list(every_other)
