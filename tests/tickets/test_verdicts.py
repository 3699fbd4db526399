"""What somebody who scans reads about each paper."""

import json
from dataclasses import dataclass, field

import pytest

from pretix_offlinesales.tickets.reasons import ALREADY_CANCELED, CHECKED_IN, UNKNOWN
from pretix_offlinesales.tickets.selection import Choice, Ticket, choose
from pretix_offlinesales.tickets.verdicts import MAX_LINES, Judge, Level, Question, Reasons, Verdict


def ticket(number, batch=3):
    return Ticket(batch, number, order_id=100 + number, code=f"CODE{number}")


def good(*numbers):
    return [(Choice(str(number), ticket(number)), "") for number in numbers]


def refused(reason, *numbers):
    return [(Choice(str(number), ticket(number)), reason) for number in numbers]


def unknown(*values):
    return [(Choice(value, None, UNKNOWN), UNKNOWN) for value in values]


@dataclass
class Known(Reasons):
    """What is known of other batches, without looking it up."""

    elsewhere: dict = field(default_factory=lambda: {"7": ticket(7, batch=4)})


@pytest.mark.parametrize(
    ("examined", "lost", "expected"),
    [
        ([], (), Verdict("danger", "unknown", {})),
        (good(1), (), Verdict("success", "can be returned (#3-1)", {"CODE1": 3})),
        (good(1, 2), (), Verdict("success", "can be returned: 2", {"CODE1": 3, "CODE2": 3})),
        (good(1, 1), (), Verdict("success", "can be returned (#3-1)", {"CODE1": 3})),
        (
            good(1),
            {101},
            Verdict("warning", "can be returned (#3-1), reported lost or stolen", {"CODE1": 3}),
        ),
        (
            good(1, 2),
            {102, 103},
            Verdict("warning", "can be returned: 2, reported lost or stolen: 1", {"CODE1": 3, "CODE2": 3}),
        ),
        (refused(CHECKED_IN, 1), {101}, Verdict("danger", "checked in", {})),
        (unknown("x"), (), Verdict("danger", "unknown", {})),
        (unknown("7"), (), Verdict("warning", "belongs to batch #4 (#4-7)", {})),
        (unknown("7", "x"), (), Verdict("danger", "7: belongs to batch #4 (#4-7), x: unknown", {})),
        (
            good(1) + refused(ALREADY_CANCELED, 2),
            (),
            Verdict("warning", "can be returned (#3-1), 2: already canceled", {"CODE1": 3}),
        ),
        (
            refused(CHECKED_IN, *range(1, 7)),
            (),
            Verdict("danger", ", ".join([*(f"{number}: checked in" for number in range(1, 6)), "…"]), {}),
        ),
        (
            refused(CHECKED_IN, *range(1, 6)),
            (),
            Verdict("danger", ", ".join(f"{number}: checked in" for number in range(1, 6)), {}),
        ),
    ],
)
def test_what_is_said_of_a_line(examined, lost, expected):
    assert Judge("can be returned", Known(), lost).verdict(examined) == expected


def test_a_verdict_is_sent_as_json():
    verdict = Verdict(Level.WARNING, "unknown", {"CODE1": 3})
    assert json.loads(json.dumps(verdict.data)) == {"level": "warning", "text": "unknown", "tickets": {"CODE1": 3}}


@pytest.mark.django_db
def test_each_line_is_answered_with_all_that_it_names(event, make_batch):
    batch, other = make_batch(amount=3), make_batch(amount=1)
    question = Question.read(["1-2", "", "2, 2, x", f"#{other.pk}-1", "9\r"], event, batch)
    examined = [(choice, choice.reason) for choice in choose(event, batch, question.selection)]
    judge = Judge("is here", Reasons.of(event, batch, examined))
    assert [(verdict.level, verdict.text) for verdict in question.answer(examined, judge)] == [
        ("success", "is here: 2"),
        ("danger", "unknown"),
        ("warning", f"is here (#{batch.pk}-2), x: unknown"),
        ("warning", f"belongs to batch #{other.pk} (#{other.pk}-1)"),
        ("danger", "unknown"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("lines", [["x"] * (MAX_LINES + 1), ["1-9000", "9001-10001"]])
def test_nobody_may_ask_about_too_much_at_once(event, make_batch, lines):
    with pytest.raises(ValueError, match="These are more than 10000 tickets"):
        Question.read(lines, event, make_batch(amount=1))
