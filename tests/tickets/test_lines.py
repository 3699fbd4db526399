"""What people type, scan and upload to say which tickets they mean: found, or named, and never guessed."""

import pytest
from pretix.base.models import Order

from pretix_offlinesales.after_sale.examine import examine
from pretix_offlinesales.kinds import RETURN
from pretix_offlinesales.tickets.lines import as_lines, from_file, read_lines
from pretix_offlinesales.tickets.selection import Selection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        (" \r\n,,;\t", []),
        ("1-50, 60, 75-80", ["1-50", "60", "75-80"]),
        ("ABCDE\r\nFGHJK\rLMNPQ\n", ["ABCDE", "FGHJK", "LMNPQ"]),
        ("ABCDE;FGHJK\tLMNPQ", ["ABCDE", "FGHJK", "LMNPQ"]),
        ("\x02ABCDE\x03\n\ufeffFGHJK", ["ABCDE", "FGHJK"]),
        ("#3: 1-50, 60\n7", ["#3: 1-50", "#3: 60", "7"]),
        ("#3: 1, #4: 2, 3, ABCDE", ["#3: 1", "#4: 2", "#4: 3", "ABCDE"]),
        ("#3: 1\n\n ,2\r\n#4-5,,6", ["#3: 1", "2", "#4-5", "#4: 6"]),
        ('"ABCDE"', ["ABCDE"]),
        (' "ABCDE" ;"", \'X\' ', ["ABCDE", "'X'"]),
        ("5-2", ["5-2"]),
    ],
)
def test_entries_are_told_apart(text, lines):
    assert as_lines(text) == lines


@pytest.mark.parametrize(
    "content",
    [
        'Ticket number,Order code,Product\n1,ABCDE,"Pass, night"\n2,FGHJK,Pass\n'.encode("utf-8-sig"),
        "Ticket number;Order code\r\n1;ABCDE\r\n2;FGHJK\r\n".encode("cp1252"),
        "ABCDE\nFGHJK".encode("utf-16"),
        b"ABCDE,FGHJK",
        b'"ABCDE","FGHJK"',
    ],
)
def test_files_as_spreadsheets_and_scanners_write_them(content):
    assert as_lines(from_file(content)) == ["ABCDE", "FGHJK"]


def test_a_file_that_is_no_text():
    with pytest.raises(ValueError, match="This file is no text"):
        from_file(b"%PDF-1.7\n\0\1\2")


@pytest.mark.parametrize(
    "content",
    [
        b"Order code\n" + b"ABCDE\n" * 10_000,
        b"Order code;Product\r" + b"ABCDE;Pass\r;\r" * 10_000,
        b'"ABCDE","","FGHJK"\n' * 5_000,
    ],
    ids=["one column", "empty cells", "no titles"],
)
def test_a_file_may_name_as_many_tickets_as_a_batch_has(content):
    assert len(as_lines(from_file(content))) == 10_000


@pytest.mark.parametrize(
    "content",
    [
        b"Order code\n" + b"ABCDE\n" * 10_001,
        b'"ABCDE","FGHJK"\n' * 5_001,
        *(each * 100_000 for each in (b"ABCDE,", b"ABCDE\n", b"ABCDE\r", b'"ABCDE"\n', b"\x02,", b"#1: 1-9999,")),
    ],
    ids=range(8),
)
def test_a_file_that_names_more_is_not_read_to_its_end(content):
    with pytest.raises(ValueError, match="^These are more than 10000 tickets.$"):
        as_lines(from_file(content))


@pytest.mark.parametrize("nothing", [",", "\n", " \n", "\t;", '",'])
def test_what_says_nothing_does_not_count(nothing):
    assert as_lines(f"{nothing * 100_000}ABCDE{nothing * 100_000}") == ["ABCDE"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("#1: 1-10000", 1),
        ("\n".join(["#1: 1-10000, 2-9000"] * 5), 10),
        ("#1: 1-5000, #2: 1-5000", 2),
        ("\n".join(f"ABC{number}" for number in range(10_000)), 10_000),
    ],
    ids=range(4),
)
def test_as_many_tickets_as_a_batch_has_can_be_meant(event, text, amount):
    assert len(read_lines(as_lines(text), event, None)) == amount


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#1: 1-10000, #2: 1", "These are more than 10000 tickets."),
        ("#1: 1-10000\nABCDE", "These are more than 10000 tickets."),
        (", ".join(["ABCDE"] * 10_001), "These are more than 10000 tickets."),
        ("#1: " + "1-9999," * 5_000, "These are more than 100000 ticket numbers, if each is counted as often"),
    ],
    ids=range(4),
)
def test_more_are_too_many(event, text, message):
    with pytest.raises(ValueError, match=message):
        read_lines(as_lines(text), event, None)


@pytest.fixture
def meant(event):
    """``meant(text, batch)``: the numbers of the tickets that are found, and what is not, and why."""

    def meant(text, batch=None):
        found = list(examine(event, batch, Selection.from_json({"lines": as_lines(text)}), RETURN))
        good = [(choice.ticket.batch_id, choice.ticket.number) for choice, reason in found if not reason]
        return good, [(choice.value, reason) for choice, reason in found if reason]

    return meant


def secret(batch, number):
    return batch.tickets.get(number=number).order.positions.get().secret


def code(batch, number):
    return batch.tickets.get(number=number).order.code


def test_all_mixed_in_a_batch(make_batch, meant):
    batch, other = make_batch(amount=8), make_batch(amount=1)
    text = f"1-2, {secret(batch, 4)}\nnight-{code(batch, 5).lower()}\n]Q1{secret(batch, 6)}\r\n9 {code(other, 1)}\nx"
    good, bad = meant(text, batch)
    assert good == [(batch.pk, number) for number in (1, 2, 4, 5, 6)]
    assert bad == [(f"9 {code(other, 1)}", "unknown"), ("x", "unknown")]


def test_of_the_whole_event_numbers_need_their_batch(make_batch, meant):
    first, second = make_batch(amount=3), make_batch(amount=3)
    text = f"#{first.pk}: 1-2, 4\n#{second.pk}-3\n{code(second, 1)}, {secret(first, 3)}\n2"
    assert meant(text) == (
        [(first.pk, 1), (first.pk, 2), (first.pk, 3), (second.pk, 1), (second.pk, 3)],
        [(f"#{first.pk}: 4", "unknown"), ("2", "unknown")],
    )


def test_thousands_of_batches_that_there_are_not(make_batch, meant):
    batch = make_batch()
    others = range(batch.pk + 1, batch.pk + 5_001)
    good, bad = meant("\n".join(f"#{number}: 2" for number in [batch.pk, *others]))
    assert (good, len(bad)) == ([(batch.pk, 2)], 5_000)


def test_numbers_of_another_batch_are_unknown_on_the_page_of_a_batch(make_batch, meant):
    batch, other = make_batch(), make_batch()
    assert meant(f"#{other.pk}: 1, 2", batch) == ([], [(f"#{other.pk}: 1", "unknown"), (f"#{other.pk}: 2", "unknown")])


def test_what_could_be_two_tickets_is_named_and_not_touched(make_batch, meant):
    batch = make_batch(amount=3)
    Order.objects.filter(code=code(batch, 1)).update(code="3")
    assert meant("3", batch) == ([], [("3", "ambiguous")])
    assert meant("3") == ([(batch.pk, 1)], [])
    batch.tickets.get(number=2).order.positions.update(secret=code(batch, 3))
    assert meant(code(batch, 3)) == ([], [(code(batch, 3), "ambiguous")])


def test_a_ticket_that_is_named_twice_counts_once(make_batch, meant):
    batch = make_batch()
    assert meant(f"1-2, 2, {code(batch, 1)}, {secret(batch, 2)}", batch) == ([(batch.pk, 1), (batch.pk, 2)], [])


def test_tickets_of_others_are_unknown(make_batch, meant, series):
    batch = make_batch(amount=1)
    text = f"{code(batch, 1)}, {secret(batch, 1)}, #{batch.pk}: 1"
    elsewhere = [
        choice for choice, _reason in examine(series, None, Selection.from_json({"lines": as_lines(text)}), RETURN)
    ]
    assert [(choice.ticket, choice.reason) for choice in elsewhere] == [(None, "unknown")] * 3


def test_old_paper_and_new_paper_of_a_replaced_ticket(event, make_batch, meant):
    event.settings.ticket_secret_generator = "pretix_sig1"
    batch = make_batch(amount=1)
    old = secret(batch, 1)
    position = batch.tickets.get().order.positions.get()
    position.revoked_secrets.create(event=event, secret=old)
    position.secret = "new"
    position.save()
    assert meant(old) == ([], [(old, "already_canceled")])
    assert meant(f"{old}\nnew") == ([(batch.pk, 1)], [(old, "already_canceled")])
