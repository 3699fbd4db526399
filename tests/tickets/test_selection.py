"""Which tickets are meant, said in one of several ways, remembered as JSON, and found."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.timezone import now
from pretix.base.models.orders import RevokedTicketSecret

from pretix_offlinesales.models import MAX_AMOUNT
from pretix_offlinesales.printing import choice
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.tickets.reasons import ALREADY_CANCELED, AMBIGUOUS, UNKNOWN
from pretix_offlinesales.tickets.selection import (
    ALL,
    By,
    Selection,
    all_but,
    choose,
    find_elsewhere,
    holders,
    named_by,
    settled,
)
from pretix_offlinesales.tickets.state import Fate

from ..support.after_sale import take_back
from ..support.sellers import NOBODY, handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(make_batch):
    return make_batch(amount=4)


def codes(batch):
    return [ticket.order.code for ticket in batch.tickets.order_by("number")]


def secrets(batch):
    return [ticket.order.all_positions.get().secret for ticket in batch.tickets.order_by("number")]


def found(batch, selection, **options):
    """What was given, the number that it is, and what is wrong with it."""
    choices = choose(batch.event, batch, selection, **options)
    return [(one.value, one.ticket and one.ticket.number, one.reason) for one in choices]


def stated(batch, *numbers):
    """The key of a statement that names these."""
    seller = make_seller(batch.event.organizer)
    handed_over(batch, seller, ", ".join(map(str, numbers)))
    batch.tickets.filter(number__in=numbers).update(sold=now())
    return make(seller, [batch.event], now(), NOBODY).pk


SAID = {
    By.NUMBERS: lambda batch: Selection.numbered("4, 2"),
    By.ORDERS: lambda batch: Selection(By.ORDERS, (codes(batch)[3], codes(batch)[1].lower())),
    By.SECRETS: lambda batch: Selection(By.SECRETS, (secrets(batch)[3], secrets(batch)[1])),
    By.LINES: lambda batch: Selection.parse(f"4\n{codes(batch)[1]}, 4", batch.event, batch),
    By.EACH: lambda batch: Selection(By.EACH, ("4", codes(batch)[1])),
    By.ALL: lambda batch: ALL,
    By.STATEMENT: lambda batch: Selection(By.STATEMENT, stated(batch, 2, 4)),
    By.FOUND: lambda batch: Selection(By.FOUND, (["x", codes(batch)[3], ""], ["y", codes(batch)[1], ""])),
}


@pytest.mark.parametrize("by", By)
def test_however_it_is_said_the_same_tickets_are_found_in_their_order(batch, by):
    selection = SAID[by](batch)
    numbers = [number for _value, number, _reason in found(batch, selection)]
    assert numbers == ([1, 2, 3, 4] if by == By.ALL else [2, 4])


@pytest.mark.parametrize("by", By)
def test_as_json_it_finds_the_same(batch, by):
    selection = SAID[by](batch)
    data = json.loads(json.dumps(selection.data))
    assert list(data) == [by.value]
    assert found(batch, Selection.from_json(data)) == found(batch, selection)
    assert Selection.from_json(data).data == data


@pytest.mark.parametrize("data", [{}, {"tickets": "1", "all": True}, {"everything": True}])
def test_what_is_no_selection_is_an_error_and_not_everything(data):
    with pytest.raises(ValueError):
        Selection.from_json(data)


def test_texts_that_name_nothing_select_nothing(event):
    assert not Selection.parse(" ,\n", event, None)
    assert Selection.parse("X", event, None)
    assert ALL


def test_what_can_not_be_read_or_is_too_much_is_said(event):
    with pytest.raises(ValueError, match="“5-2” is not a range of ticket numbers"):
        Selection.numbered("1, 5-2")
    with pytest.raises(ValueError, match="These are more than 10000 tickets"):
        Selection.parse("\n".join(f"X{number}" for number in range(MAX_AMOUNT + 1)), event, None)


def test_what_is_unknown_comes_last_as_it_was_given(batch):
    assert found(batch, Selection.numbered("09, 3, 1-2")) == [
        *(("1", 1, ""), ("2", 2, ""), ("3", 3, "")),
        ("09", None, UNKNOWN),
    ]


def test_of_all_only_those_that_something_can_be_done_about(batch):
    take_back(batch, "2-3", "unsold")
    assert [number for _value, number, _reason in found(batch, ALL, candidates=Q(fate=Fate.OUTSTANDING))] == [1, 4]


def test_tickets_of_other_batches_are_unknown_but_in_the_whole_event(batch, make_batch):
    other = make_batch(amount=1)
    [code] = codes(other)
    assert found(batch, Selection(By.ORDERS, (code,))) == [(code, None, UNKNOWN)]
    [one] = choose(batch.event, None, Selection(By.ORDERS, (code,)))
    assert one.place == [other.pk, 1]
    assert {value: ticket.name for value, ticket in find_elsewhere(batch.event, [code]).items()} == {
        code: f"#{other.pk}-1"
    }


def test_lines_that_could_mean_two_tickets_mean_none(batch):
    order = batch.tickets.get(number=1).order
    order.code = "4"
    order.save()
    assert found(batch, Selection.parse("4", batch.event, batch)) == [("4", None, AMBIGUOUS)]


def test_codes_on_paper_are_settled_before_they_are_replaced(batch):
    by_paper = Selection(By.SECRETS, tuple(secrets(batch)[:2]))
    choices = choose(batch.event, batch, by_paper)
    same = settled(by_paper, choices)
    assert same.by == By.FOUND
    for position in (ticket.order.positions.get() for ticket in batch.tickets.all()):
        position.secret += "x"
        position.save()
    assert [number for _value, number, _reason in found(batch, Selection.from_json(same.data))] == [1, 2]
    by_number = Selection.numbered("1-2")
    assert settled(by_number, choose(batch.event, batch, by_number)) == by_number


def test_paper_of_returned_tickets_is_dead(batch):
    position = batch.tickets.get(number=1).order.positions.get()
    RevokedTicketSecret.objects.create(event=batch.event, position=position, secret="old")
    assert found(batch, Selection(By.SECRETS, ("old",)), dead=ALREADY_CANCELED) == [("old", 1, ALREADY_CANCELED)]


@pytest.mark.parametrize(("text", "names_some"), [("#3-17", True), ("#3: 1-50", True), ("17", False), ("#3:", False)])
def test_names_of_tickets(text, names_some):
    assert (named_by(text) is not None) == names_some


def test_printing_takes_the_same_numbers_and_refuses_those_that_do_not_exist(batch):
    take_back(batch, "2", "unsold")
    assert choice.choose(batch, "3, 1-2") == [1, 3]
    for text, message in (
        ("3-6, 8", "This batch has no tickets with these numbers: 5-6, 8"),
        ("x", "“x” is not a range of ticket numbers."),
        ("2", "There is nothing to print among these tickets."),
    ):
        with pytest.raises(ValidationError) as raised:
            choice.choose(batch, text)
        assert raised.value.message_dict == {"tickets": [message]}


# All but these:


def others(batch, text="", candidates=None, seller=None, of_event=False):
    """The numbers of those that are left, by batch."""
    where = None if of_event else batch
    exceptions = Selection.parse(text, batch.event, where)
    selection = all_but(batch.event, where, exceptions, candidates, seller)
    numbers = {}
    for one in choose(batch.event, where, selection):
        numbers.setdefault(one.ticket.batch_id, []).append(one.ticket.number)
    return numbers


def test_all_but_some_however_they_are_named(batch):
    assert others(batch) == {batch.pk: [1, 2, 3, 4]}
    assert others(batch, "2") == {batch.pk: [1, 3, 4]}
    assert others(batch, f"#{batch.pk}: 2-3, {codes(batch)[0]}") == {batch.pk: [4]}
    assert others(batch, f"{secrets(batch)[3]}\n3, 3") == {batch.pk: [1, 2]}
    assert others(batch, "1-4") == {}
    assert all_but(batch.event, batch, Selection(By.NUMBERS, "2"), None).data == {
        "lines": [f"#{batch.pk}: 1", f"#{batch.pk}: 3-4"]
    }


def test_all_but_some_that_something_can_be_done_with(batch):
    take_back(batch, "2", "unsold")
    assert others(batch, "3", Q(fate=Fate.OUTSTANDING)) == {batch.pk: [1, 4]}
    assert others(batch, "2-3", Q(fate=Fate.OUTSTANDING)) == {batch.pk: [1, 4]}  # who names it need not know


def test_what_somebody_gets_later_is_not_meant(batch, organizer):
    seller = make_seller(organizer)
    handed_over(batch, seller, "1-2")
    selection = all_but(batch.event, batch, Selection.parse("1", batch.event, batch), None, seller)
    handed_over(batch, seller, "3")
    assert [choice.ticket.number for choice in choose(batch.event, batch, selection)] == [2]


def test_all_that_a_seller_holds(batch, organizer, make_batch):
    kiosk, office = make_seller(organizer), make_seller(organizer, "Office")
    second = make_batch(amount=3)
    handed_over(batch, kiosk, "1-3")
    handed_over(second, kiosk, "2")
    handed_over(second, office, "3")
    assert others(batch, seller=kiosk) == {batch.pk: [1, 2, 3]}
    assert others(batch, seller=kiosk, of_event=True) == {batch.pk: [1, 2, 3], second.pk: [2]}
    assert others(batch, f"#{batch.pk}: 1-2; #{second.pk}: 2", seller=kiosk, of_event=True) == {batch.pk: [3]}
    assert others(batch, seller=office) == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("2, 17", "17 (unknown)"),
        ("3-6", "4 (somewhere else), 5 (unknown), 6 (unknown)"),
        ("2 x", "2 x (unknown)"),
        ("4", "4 (somewhere else)"),
        ("1-30", ", ".join(f"{n} (unknown)" for n in range(5, 24)) + ", 4"),
    ],
)
def test_what_is_none_of_them_can_not_be_left_alone(batch, organizer, text, wrong):
    """Or something is meant that nobody means."""
    seller = make_seller(organizer)
    handed_over(batch, seller, "1-3")
    with pytest.raises(ValueError, match="none of the tickets that are meant") as error:
        others(batch, text, seller=seller)
    if len(wrong) < 100:
        assert str(error.value).endswith(f": {wrong}")
    else:
        assert str(error.value).count("(") == 20
        assert str(error.value).endswith(", …")


def test_a_ticket_of_another_batch_can_not_be_left_alone(batch, make_batch):
    other = make_batch(amount=1)
    with pytest.raises(ValueError, match=f"#{other.pk}-1 \\(unknown\\)"):
        others(batch, f"#{other.pk}-1")


def test_all_but_some_are_not_more_than_one_may_ask_about(batch, monkeypatch):
    monkeypatch.setattr("pretix_offlinesales.tickets.selection.MAX_AMOUNT", 2)
    with pytest.raises(ValueError, match="more than"):
        others(batch, "1")
    assert others(batch, "1-2") == {batch.pk: [3, 4]}


def test_dead_paper_says_which_ticket_is_left_alone(batch):
    """Even if it has new codes since."""
    position = batch.tickets.get(number=1).order.positions.get()
    RevokedTicketSecret.objects.create(event=batch.event, position=position, secret="old")
    assert others(batch, "old") == {batch.pk: [2, 3, 4]}


def test_who_holds_some_of_them(batch, organizer):
    kiosk, _nobody = make_seller(organizer), make_seller(organizer, "Office")
    handed_over(batch, kiosk, "1-2")
    assert list(holders(batch.tickets.all())) == [kiosk]
    assert list(holders(batch.tickets.filter(number=3))) == []
