"""Batches that are bound in books."""

import pytest
from django.utils import translation
from hypothesis import given, strategies as st

from pretix_offlinesales.models import OfflineSalesBatch
from pretix_offlinesales.tickets import books
from pretix_offlinesales.tickets.books import format_tickets, parse_books, spelled_out
from pretix_offlinesales.tickets.lines import as_lines, read_lines
from pretix_offlinesales.tickets.numbers import DASH, parse_numbers
from pretix_offlinesales.tickets.reasons import UNKNOWN
from pretix_offlinesales.tickets.selection import By, Selection, choose, named_by


def unsaved(amount=25, size=10, first=None):
    return OfflineSalesBatch(pk=7, amount=amount, book_size=size, first_number=first)


@st.composite
def some_tickets(draw):
    """A batch, and some of its numbers, in ascending order."""
    batch = unsaved(
        draw(st.integers(1, 60)), draw(st.none() | st.integers(1, 70)), draw(st.none() | st.integers(1, 10_000))
    )
    return batch, sorted(draw(st.sets(st.sampled_from(batch.numbers), min_size=1)))


@given(some_tickets(), st.sampled_from(["-", DASH]))
def test_what_is_written_is_read_again(tickets, dash):
    batch, numbers = tickets
    assert list(parse_numbers(spelled_out(batch, format_tickets(batch, numbers, dash)))) == numbers


@given(some_tickets())
def test_books_are_named_where_they_are_whole_and_only_there(tickets):
    batch, numbers = tickets
    parts = format_tickets(batch, numbers).split(", ")
    named = {number for part in parts for number in parse_books(part) or ()}
    size = batch.book_size or batch.amount
    bound = [set(batch.numbers[start : start + size]) for start in range(0, batch.amount, size)]
    whole = {number for number, tickets in enumerate(bound, start=1) if tickets <= set(numbers)}
    assert named == (whole if batch.book_size else set())


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        (range(1, 11), "Book 1"),
        (range(1, 21), "Books 1-2"),
        (range(1, 26), "Books 1-3"),
        (range(21, 26), "Book 3"),
        (range(21, 25), "21-24"),
        ([5, *range(9, 22), 25], "5, 9-10, Book 2, 21, 25"),
    ],
)
def test_the_shortest_way_to_say_it(numbers, text):
    assert format_tickets(unsaved(), numbers) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("book 3", [3]),
        ("  Book   3 ", [3]),
        ("BOOKS 3-5", [3, 4, 5]),
        ("book 3–5", [3, 4, 5]),
        ("books 3", None),  # and then more of them, perhaps, which would be taken for tickets
        ("book3", None),  # could be the code of an order
        ("book", None),
        ("book 0", None),
        ("book 5-3", None),
        ("book x", None),
        ("brook 3", None),
        ("3", None),
        ("book 3, 5", None),
    ],
)
def test_books_are_read(text, found):
    books = parse_books(text)
    assert (books and list(books)) == found


@pytest.fixture
def in_german(monkeypatch):
    """Until somebody has translated the words."""
    german = {"Book": "Buch", "Books": "Bücher"}

    def translated(context, one, several, amount):
        word = one if amount == 1 else several
        return german[word] if translation.get_language() == "de" else word

    monkeypatch.setattr(books, "npgettext", translated)
    books._words.cache_clear()
    yield
    books._words.cache_clear()


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("de", "Buch 3", [3]),
        ("de", "BÜCHER 3-4", [3, 4]),
        ("de", "Bücher 3", None),
        ("de", "book 3", [3]),
        ("en", "Buch 3", None),
    ],
)
def test_books_are_read_in_ones_own_language_and_in_english(in_german, language, text, found):
    with translation.override(language):
        books = parse_books(text)
        assert (books and list(books)) == found


def test_books_are_named_in_ones_own_language(in_german):
    with translation.override("de"):
        text = format_tickets(unsaved(), range(1, 22), DASH)
        assert (text, spelled_out(unsaved(), text)) == ("Bücher 1–2, 21", "1-20, 21")


@pytest.mark.parametrize(
    ("size", "text", "message"),
    [
        (None, "1, book 1", "Batch #7 has no books."),
        (10, "book 4", "Batch #7 has only the books 1 to 3."),
        (10, "books 2-9", "Batch #7 has only the books 1 to 3."),
    ],
)
def test_books_that_there_are_not_are_refused(size, text, message):
    with pytest.raises(ValueError, match=message):
        spelled_out(unsaved(size=size), text)


# With tickets


@pytest.fixture
def bound(make_batch):
    """A batch of 25 tickets, numbers 101 to 125, in books of 10."""
    batch = make_batch(amount=25)
    for ticket in batch.tickets.order_by("-number"):
        batch.tickets.filter(pk=ticket.pk).update(number=ticket.number + 100)
    OfflineSalesBatch.objects.filter(pk=batch.pk).update(book_size=10, first_number=101)
    batch.refresh_from_db()
    return batch


def found(batch, text, own=True):
    """The numbers, and what is refused."""
    batch_of_page = batch if own else None
    choices = choose(batch.event, batch_of_page, Selection.parse(text, batch.event, batch_of_page))
    numbers = [choice.ticket.number for choice in choices if choice.ticket]
    return numbers, [(choice.value, choice.reason) for choice in choices if choice.reason]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "numbers", "refused"),
    [
        ("book 3", range(121, 126), []),
        ("books 1-2, 125", [*range(101, 121), 125], []),
        ("#{batch}: book 3, 101", [101, *range(121, 126)], []),
        ("#{batch} book 3, book 1", [*range(101, 111), *range(121, 126)], []),
        ("#{batch}: 101, books 2-3", [101, *range(111, 126)], []),
        ("# {batch}  Book 3", range(121, 126), []),
        ("book 4", [], [("book 4", UNKNOWN)]),
        ("#{batch} book 4", [], [("#{batch} book 4", UNKNOWN)]),
        ("#{other}: book 1", [], [("#{other}: book 1", UNKNOWN)]),
    ],
)
def test_wherever_tickets_are_named(bound, make_batch, text, numbers, refused):
    names = {"batch": bound.pk, "other": make_batch(amount=1).pk}
    refused = [(value.format(**names), reason) for value, reason in refused]
    text = text.format(**names)
    assert found(bound, text) == (list(numbers), refused)
    if text.startswith("#"):
        assert found(bound, text, own=False) == (list(numbers), refused)


@pytest.mark.django_db
def test_without_a_batch_there_is_no_book(bound):
    assert found(bound, "book 1", own=False) == ([], [("book 1", UNKNOWN)])


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["#{batch} Buch 3", "Bücher 1-2"])
def test_a_job_knows_them_in_any_language(bound, in_german, text):
    with translation.override("de"):
        selection = Selection.parse(text.format(batch=bound.pk), bound.event, bound)
        meant = [choice.ticket for choice in choose(bound.event, bound, selection)]
    remembered = Selection.from_json(selection.data)
    assert meant and [choice.ticket for choice in choose(bound.event, bound, remembered)] == meant


@pytest.mark.django_db
def test_numbers_of_a_batch_can_be_books(bound):
    selection = Selection.numbered("book 3, 101", bound)
    assert selection.data == {By.NUMBERS: "121-125, 101"}
    assert len(choose(bound.event, bound, selection)) == 6


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "amount"), [("#{batch} book 3", 5), ("#{batch}: books 1-2", 20)])
def test_a_search_finds_books(bound, text, amount):
    assert bound.tickets.filter(named_by(text.format(batch=bound.pk))).count() == amount


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["#{batch} book 4", "#999 book 1", "book 1"])
def test_a_search_for_books_that_there_are_not_finds_nothing(bound, text):
    assert named_by(text.format(batch=bound.pk)) is None


@pytest.mark.django_db
def test_books_of_many_batches_take_one_query(bound, django_assert_num_queries):
    event, text = bound.event, "\n".join(f"#{batch} book 1" for batch in range(bound.pk, bound.pk + 2000))
    with django_assert_num_queries(1):
        read_lines(as_lines(text), event, None)
    with django_assert_num_queries(0):
        read_lines(as_lines("#3: 1-50, ABCDE"), event, None)
