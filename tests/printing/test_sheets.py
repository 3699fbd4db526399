"""What can be asked of a sheet, how many tickets fit on it, and where they lie: measured with a pencil."""

import json

import pytest
from django.core.exceptions import ValidationError

from pretix_offlinesales.printing.imposition import Place, impose
from pretix_offlinesales.printing.presets import PRESETS
from pretix_offlinesales.printing.sheets import PAPERS, Sheet

A4 = {"paper": "A4"}


def errors(data, ticket=None) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised:
        sheet = Sheet.parse(data)
        impose(sheet, ticket)
    return raised.value.message_dict


def grid(ticket, **values):
    return impose(Sheet.parse({"paper": "A4", **values}), ticket)


# What is asked for


def test_only_the_paper_is_required():
    sheet = Sheet.parse(A4)
    assert sheet == Sheet("A4")
    assert (sheet.order, sheet.duplex, sheet.columns, sheet.running_text) == ("reading", None, None, True)


def test_everything_at_once():
    data = {
        "paper": [210, 297], "landscape": False, "columns": 2, "rows": 4, "margin": 5, "gutter": 3, "crop_marks": True,
        "order": "stack", "duplex": "long", "rotate": True, "cell": [85, 54], "running_text": False, "offset": [-1, 0.5]
    }  # fmt: skip
    assert Sheet.parse(data) == Sheet(
        (210, 297), columns=2, rows=4, margin=(5, 5), gutter=(3, 3), crop_marks=True, order="stack", duplex="long",
        rotate=True, cell=(85, 54), running_text=False, offset=(-1, 0.5),
    )  # fmt: skip


@pytest.mark.parametrize("data", [A4, {"paper": [100, 50.5], "margin": [0, 2], "offset": [1, -1], "duplex": "short"}])
def test_it_survives_being_stored(data):
    sheet = Sheet.parse(data)
    assert Sheet.parse(json.loads(json.dumps(sheet.data))) == sheet


PAIR = ["x", None, True, [], [1], [1, 2, 3], [1, "2"], {}, -1, float("nan"), float("inf"), 10**400, [0, 5001]]
NONSENSE = {
    "paper": ["A9", "", "a4", None, 5, True, [], [210], [210, "297"], [0, 297], [210, 5001], [1, 2, 3], {}, [[1], 2]],
    "landscape": [None, 0, "false", []],
    "columns": ["2", 0, -1, 1.5, True, 101, [2]],
    "rows": ["2", 0, -1, 1.5, True, 101, [2]],
    "margin": PAIR,
    "gutter": PAIR,
    "cell": [value for value in PAIR if value is not None],
    "rotate": [0, "auto", []],
    "crop_marks": [None, 1, "yes"],
    "running_text": [None, 1, "yes"],
    "order": [None, "", "stacked", 1, []],
    "duplex": ["", "both", True, []],
    "offset": ["x", None, True, [1], 51, [0, -51], float("nan")],
    "colour": [1, None],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in NONSENSE.items() for value in values])
def test_nonsense_is_refused_by_its_key(key, value):
    count = {"columns": 1, "rows": 1} if key in ("columns", "rows") else {}
    assert set(errors({**A4, **count, key: value})) == {key}


@pytest.mark.parametrize("data", [None, [], "A4", 5, True])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(ValidationError) as raised:
        Sheet.parse(data)
    assert raised.value.messages == ["This must be an object with the key “paper”."]


def test_all_mistakes_are_named_at_once():
    assert errors({"margin": -1, "colour": 1}) == {
        "colour": ["There is no such field."],
        "margin": ["This must be a number from 0 to 5000."],
        "paper": ["This field is required."],
    }


@pytest.mark.parametrize(("given", "missing"), [("columns", "rows"), ("rows", "columns")])
def test_columns_and_rows_are_given_together(given, missing):
    assert errors({**A4, given: 2}) == {missing: ["Columns and rows are only given together."]}


def test_margins_that_leave_nothing():
    assert errors({**A4, "margin": 105}) == {"margin": ["These margins leave nothing of the paper."]}


@pytest.mark.parametrize(
    ("paper", "landscape", "size"),
    [
        ("A4", False, (210, 297)),
        ("A4", True, (297, 210)),
        ("Tabloid", True, (431.8, 279.4)),
        ([300, 200], False, (300, 200)),
        ([300, 200], True, (300, 200)),
        ([200, 300], True, (300, 200)),
    ],
)
def test_landscape_is_the_longer_side_at_the_bottom(paper, landscape, size):
    assert Sheet.parse({"paper": paper, "landscape": landscape}).size == size


def test_papers_stand_upright():
    assert [name for name, (width, height) in PAPERS.items() if width > height] == []


# How many fit


@pytest.mark.parametrize(
    ("values", "columns", "rows", "rotated"),
    [
        ({}, 2, 5, False),  # 170 × 270 mm; turned, 3 × 3
        ({"rotate": True}, 3, 3, True),
        ({"landscape": True}, 5, 2, True),
        ({"landscape": True, "rotate": False}, 3, 3, False),
        ({"margin": [20, 13.5]}, 2, 5, False),
        ({"margin": [20.5, 0]}, 3, 3, True),
        ({"margin": 20, "rotate": False}, 2, 4, False),
        ({"gutter": 40}, 2, 3, False),
        ({"gutter": 41}, 2, 2, True),
        ({"gutter": 41, "rotate": False}, 1, 3, False),
        ({"gutter": [0, 6.75]}, 2, 5, False),
        ({"gutter": [0, 8]}, 3, 3, True),
        ({"columns": 1, "rows": 2}, 1, 2, False),
        ({"columns": 3, "rows": 2}, 3, 2, True),
        ({"paper": [85, 54]}, 1, 1, False),
        ({"paper": [54, 85]}, 1, 1, True),
    ],
)
def test_as_many_as_fit_and_turned_only_if_more_do(values, columns, rows, rotated):
    laid = grid((85, 54), **values)
    assert (laid.columns, laid.rows, laid.rotated, len(laid)) == (columns, rows, rotated, columns * rows)


def test_a_size_that_was_rounded_to_whole_points_costs_no_column():
    """A6 is 105 × 148 mm, and 298 × 420 points are a little more."""
    laid = grid((298 / 72 * 25.4, 420 / 72 * 25.4))
    assert (laid.columns, laid.rows) == (2, 2)
    assert laid.lefts == [0, 105]


@pytest.mark.parametrize(
    ("ticket", "values", "expected"),
    [
        (
            (148, 148),
            {"columns": 2, "rows": 3},
            dict.fromkeys(["columns", "rows"], ["At most 1 × 2 tickets of 148 × 148 mm fit on this sheet."]),
        ),
        (
            (85, 54),
            {"columns": 2, "rows": 6},
            {"rows": ["At most 2 × 5 tickets of 85 × 54 mm fit on this sheet."]},
        ),
        (
            (210, 297),
            {"margin": 5},
            {"paper": ["Tickets of 210 × 297 mm do not fit. At most 200 × 287 mm do."]},
        ),
        (
            (85.6, 54),
            {"cell": [85, 54]},
            {"cell": ["Tickets of 85.6 × 54 mm do not fit. At most 85 × 54 mm do."]},
        ),
        (
            (10, 10),
            {"cell": [300, 300]},
            {"paper": ["Tickets of 300 × 300 mm do not fit. At most 210 × 297 mm do."]},
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(ticket, values, expected):
    assert errors({**A4, **values}, ticket) == expected


# Where they lie


def test_the_middle_of_the_tickets_is_that_of_the_paper():
    laid = grid((85, 54), gutter=[10, 2], margin=[12, 0])
    assert (laid.lefts, laid.bottoms) == ([15, 110], [233.5, 177.5, 121.5, 65.5, 9.5])
    places = [laid.front(index) for index in (0, 1, 9)]
    assert places == [Place(15, 233.5, 0), Place(110, 233.5, 0), Place(110, 9.5, 0)]


def test_a_ticket_that_is_smaller_than_its_label_lies_in_the_middle_of_it():
    laid = impose(PRESETS["avery-32010"].sheet, (80, 50))
    assert (laid.lefts, laid.bottoms) == ([17.5, 112.5], [231.5, 177.5, 123.5, 69.5, 15.5])


@pytest.mark.parametrize(
    ("duplex", "landscape", "rotate", "front", "back"),
    [
        # The paper is turned to the side: so are the places, …
        ("long", False, False, Place(10, 239, 0), Place(120, 239, 0)),
        ("long", False, True, Place(4.5, 198.5, 90), Place(158.5, 198.5, 270)),
        ("short", True, False, Place(53.5, 138.5, 0), Place(163.5, 138.5, 0)),
        # … or head over heels: then the backs stand on their heads as well.
        ("short", False, False, Place(10, 239, 0), Place(10, 11, 180)),
        ("short", False, True, Place(4.5, 198.5, 90), Place(4.5, 18.5, 90)),
        ("long", True, False, Place(53.5, 138.5, 0), Place(53.5, 24.5, 180)),
    ],
)
def test_backs_meet_the_fronts_and_are_turned_like_pages(duplex, landscape, rotate, front, back):
    laid = grid((80, 47), duplex=duplex, landscape=landscape, rotate=rotate, gutter=[30, 10])
    assert (laid.front(0), laid.back(0)) == (front, back)


# Presets


@pytest.mark.parametrize("name", PRESETS)
def test_the_measures_of_a_preset_add_up(name):
    sheet = PRESETS[name].sheet
    assert Sheet.parse(sheet.data) == sheet
    for axis, count in enumerate((sheet.columns, sheet.rows)):
        used = 2 * sheet.margin[axis] + count * sheet.cell[axis] + (count - 1) * sheet.gutter[axis]
        assert used == pytest.approx(sheet.size[axis], abs=1e-9)
    laid = impose(sheet, sheet.cell)
    assert (laid.columns, laid.rows, laid.rotated) == (sheet.columns, sheet.rows, False)
    assert laid.cell == pytest.approx(sheet.cell)
