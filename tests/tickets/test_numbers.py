"""Ticket numbers as people write them. (How ranges are read is tested where tickets come back.)"""

import pytest

from pretix_offlinesales.tickets.numbers import DASH, MAX_TEXT, Range, format_numbers, parse_numbers


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([7], "7"), ([1, 2], "1-2"), ([1, 2, 3, 5, 7, 8], "1-3, 5, 7-8"), (range(1, 10_001), "1-10000")],
)
def test_numbers_are_written_as_ranges(numbers, text):
    on_paper = format_numbers(numbers, DASH)
    assert (format_numbers(numbers), on_paper) == (text, text.replace("-", "–"))
    assert not text or list(parse_numbers(text)) == list(parse_numbers(on_paper)) == list(numbers)


def test_the_worst_that_a_batch_can_have_is_read_again():
    every_other = range(1, 10_001, 2)
    assert list(parse_numbers(format_numbers(every_other))) == list(every_other)


def test_the_longest_numbers_that_a_batch_can_have_are_read_again():
    sparse = range(99_980_000, 100_000_000, 2)
    assert list(parse_numbers(format_numbers(sparse))) == list(sparse)


def test_ranges_may_overlap():
    assert list(parse_numbers("1-10000, 5000-9999, 7" + ", 2-9000" * 9)) == list(range(1, 10_001))


def test_a_number_is_called_as_it_was_given_first():
    assert parse_numbers("2-3, 007,7, 03") == {2: "2", 3: "3", 7: "007"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1-10001", "These are more than 10000 ticket numbers."),
        ("1-999999999999", "These are more than 10000 ticket numbers."),
        ("1-10000, 10001", "These are more than 10000 ticket numbers."),
        (
            ",".join(["1-10000"] * 11),
            "These are more than 100000 ticket numbers, if each is counted as often as it is named.",
        ),
        ("1" + " " * MAX_TEXT + "-2", "This is too long. Please write at most 120000 characters."),
        ("x" * 1_000, f"“{'x' * 50}…” is not a range of ticket numbers."),
    ],
    ids=range(6),
)
def test_what_is_too_much_is_said(text, message):
    with pytest.raises(ValueError) as raised:
        parse_numbers(text)
    assert str(raised.value) == message


def test_nothing_is_unrolled_before_it_is_known_how_much_it_is(monkeypatch):
    """Whatever the length of the text: ranges are counted by their ends."""
    looked_at = []
    monkeypatch.setattr(Range, "name", lambda self, number: looked_at.append(number))
    with pytest.raises(ValueError, match="as often as it is named"):
        parse_numbers(",".join(["1-10000"] * 10_000))
    assert looked_at == []
