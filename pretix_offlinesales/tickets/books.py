"""
Books: a batch may be bound in books of so many tickets each; the last one may have fewer. They are counted from 1.

``book 3`` or ``books 3-5`` stands wherever ticket numbers can be, in English or in the language of whoever writes. The
word is about what comes right after it and nothing else: in ``book 3, 8``, 8 is a ticket. So who writes ``books 3``
may want to go on with more of them, and is not understood.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from django.utils.translation import get_language, gettext as _, npgettext

from ..models import OfflineSalesBatch
from .numbers import MAX_TEXT, SEPARATOR, parse_range, ranges_of

#: Numbers of words: languages have up to six forms.
AMOUNTS = (0, 1, 2, 3, 5, 11, 100)

#: The word, and the numbers after it.
BOOKS = re.compile(r"\s*(?P<word>[^\W\d_][^\d]*?)\s+(?P<numbers>[0-9].*)", re.DOTALL)


class Words(NamedTuple):
    """What books are called."""

    one: frozenset[str]
    several: frozenset[str]


def parse_books(text: str) -> range | None:
    """``book 3`` or ``books 3-5``: which ones; None if it is anything else."""
    match = BOOKS.fullmatch(text) if len(text) <= MAX_TEXT else None
    if not match:
        return None
    words, word = _words(get_language()), match["word"].casefold()
    if word not in words.one | words.several:
        return None
    try:
        books = parse_range(match["numbers"]).numbers
    except ValueError:
        return None
    return books if word in words.one or len(books) > 1 else None


def numbers_of_books(batch: OfflineSalesBatch, books: range) -> range:
    """Of the tickets in these books; empty, if the batch does not have all of them."""
    size = batch.book_size
    if not size or books[-1] > amount_of_books(batch):
        return range(0)
    return batch.numbers[(books[0] - 1) * size : books[-1] * size]


def amount_of_books(batch: OfflineSalesBatch) -> int:
    """That it is bound in."""
    return -(-batch.amount // batch.book_size) if batch.book_size else 0


def spelled_out(batch: OfflineSalesBatch, text: str) -> str:
    """
    Numbers of tickets as ``parse_numbers`` reads them, without books. What is neither is left as it is.

    :raises ValueError: with a message for people, if the batch does not have these books
    """
    parts = SEPARATOR.split(text) if len(text) <= MAX_TEXT else []
    if not any(map(parse_books, parts)):
        return text
    return ", ".join(_spelled_out(batch, part.strip()) for part in parts)


def format_tickets(batch: OfflineSalesBatch, numbers: Iterable[int], dash: str = "-") -> str:
    """
    ``Books 1-3, 151-160``: the shortest way to write these numbers, in books where these are whole.

    :param numbers: of tickets of the batch, ascending
    :param dash: ``DASH`` on paper
    """
    return ", ".join(_parts(batch, numbers, dash))


@cache
def _words(language: str | None) -> Words:
    """:param language: the one that is spoken now; English is understood beside it"""
    one = {"book", _word(1).casefold()}
    return Words(frozenset(one), frozenset({"books", *(_word(amount).casefold() for amount in AMOUNTS)} - one))


def _word(amount: int) -> str:
    return npgettext("of tickets", "Book", "Books", amount)


def _spelled_out(batch: OfflineSalesBatch, text: str) -> str:
    if (books := parse_books(text)) is None:
        return text
    if not batch.book_size:
        raise ValueError(_("Batch #{batch} has no books.").format(batch=batch.pk))
    if not (numbers := numbers_of_books(batch, books)):
        message = _("Batch #{batch} has only the books 1 to {last}.")
        raise ValueError(message.format(batch=batch.pk, last=amount_of_books(batch)))
    return _range(numbers[0], numbers[-1], "-")


def _parts(batch: OfflineSalesBatch, numbers: Iterable[int], dash: str) -> Iterator[str]:
    for first, last in ranges_of(numbers):
        if not (books := _whole_books(batch, first, last)):
            yield _range(first, last, dash)
            continue
        bound = numbers_of_books(batch, books)
        if first < bound[0]:
            yield _range(first, bound[0] - 1, dash)
        yield f"{_word(len(books))} {_range(books[0], books[-1], dash)}"
        if bound[-1] < last:
            yield _range(bound[-1] + 1, last, dash)


def _whole_books(batch: OfflineSalesBatch, first: int, last: int) -> range:
    """Those of which all tickets are in this range."""
    if not (size := batch.book_size):
        return range(0)
    before, through = first - batch.numbers[0], last - batch.numbers[0] + 1
    end = amount_of_books(batch) if through == batch.amount else through // size
    return range(-(-before // size) + 1, end + 1)


def _range(first: int, last: int, dash: str) -> str:
    return f"{first}{dash}{last}" if first < last else f"{first}"
