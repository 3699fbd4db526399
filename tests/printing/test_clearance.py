"""Codes need space around them, or scanners don't find them."""

import pytest
from reportlab.lib.units import mm

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing.clearance import TightCode, tight_codes
from tests.support.layouts import background_pdf, code, text

#: A ticket of 80 × 60 mm.
SIZE = (80 * mm, 60 * mm)


def square(left, bottom, size=33, **kwargs):
    return code(left=str(left), bottom=str(bottom), size=str(size), nowhitespace=True, **kwargs)


@pytest.mark.parametrize(
    ("o", "clear"),
    [
        (square(3, 3), None),
        (square(2.9, 3), 2.9),
        (square(3, 2), 2),
        (square(44, 3), None),
        (square(45, 3), 2),
        (square(3, 25), 2),
        (square(-1, 3), -1),
        # 25 modules and four beside them on each side: 1 mm each, so that 4 mm of the square are free.
        ({**square(-0.9, 0), "nowhitespace": False}, None),
        ({**square(-1.5, 0), "nowhitespace": False}, 2.5),
    ],
)
def test_what_is_clear_at_the_tightest_side(event, make_layout, o, clear):
    event.settings.ticket_secret_length = 10
    layout = make_layout([o, text()], background_pdf(size=SIZE))
    assert tight_codes(event, layout) == ([TightCode(1, "secret", clear)] if clear is not None else [])


def test_each_code_of_each_page(event, make_layout):
    objects = [square(1, 3), square(10, 10), square(10, 2.5, page=2, content="order")]
    layout = make_layout(objects, background_pdf(pages=2, size=SIZE))
    assert tight_codes(event, layout) == [TightCode(1, "secret", 1), TightCode(2, "order", 2.5)]


def test_what_is_cut_off_does_not_count(event, make_layout):
    background = background_pdf(size=SIZE, boxes={"/TrimBox": [3 * mm, 3 * mm, 77 * mm, 57 * mm]})
    layout = make_layout([square(5, 6)], background)
    assert tight_codes(event, layout) == [TightCode(1, "secret", 2)]


def test_longer_secrets_leave_less(event, make_layout):
    layout = make_layout([{**square(0, 0), "nowhitespace": False}], background_pdf(size=SIZE))
    event.settings.ticket_secret_length = 10
    assert tight_codes(event, layout) == []
    event.settings.ticket_secret_generator = "pretix_sig1"
    assert tight_codes(event, layout) == [TightCode(1, "secret", 2.5)]


def test_a_layout_that_cannot_be_used(event, make_layout):
    with pytest.raises(JobFailed):
        tight_codes(event, make_layout([code()], b"This is no PDF."))
