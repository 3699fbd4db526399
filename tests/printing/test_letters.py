"""Letters that a font does not have are known before boxes are printed."""

import pytest
from pretix.base.models import Order
from pretix.plugins.ticketoutputpdf.signals import override_layout

from pretix_offlinesales.models import JobFailed
from pretix_offlinesales.printing.letters import MissingLetters, missing_letters
from tests.support.layouts import code, text
from tests.support.plugins import receiver_of_a_plugin


def said(words, **kwargs):
    return text(text=words, **kwargs)


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ("Grüße, żółć, Ελλάδα, Привет – “€ 5”", ""),
        ("a\u00adb\u200bc\u00a0d - e\nf", ""),
        ("音楽の夜, 音楽", "音楽の夜"),
        ("Concert ☕ at night", "☕"),
    ],
)
def test_what_open_sans_does_not_have(make_batch, make_layout, words, letters):
    batch = make_batch(2, layout=make_layout([said(words), code()]))
    assert missing_letters(batch) == ([MissingLetters("Open Sans", letters)] if letters else [])


def test_arabic_is_looked_at_as_it_is_drawn(make_batch, make_layout):
    """Letters are joined and turned around by the host."""
    [missing] = missing_letters(make_batch(layout=make_layout([said("سلام")])))
    assert missing == MissingLetters("Open Sans", "\ufee1\ufe8e\ufee0\ufeb3")


def test_each_font_by_itself(make_batch, make_layout):
    objects = [said("音"), said("楽", bold=True), text(type="textarea", content="event_name", width="80")]
    batch = make_batch(layout=make_layout(objects))
    assert missing_letters(batch) == [MissingLetters("Open Sans", "音"), MissingLetters("Open Sans B", "楽")]


def test_what_placeholders_say(make_batch, make_layout, event):
    event.name = "夜"
    event.save()
    assert missing_letters(make_batch(layout=make_layout([text("event_name")]))) == [MissingLetters("Open Sans", "夜")]


def test_of_the_first_ticket_that_is_valid(make_batch, make_order, make_layout):
    layout = make_layout([said("夜")])
    orders = [make_order(status=Order.STATUS_CANCELED), make_order()]
    assert missing_letters(make_batch(orders, layout)) == [MissingLetters("Open Sans", "夜")]
    assert missing_letters(make_batch([make_order(status=Order.STATUS_CANCELED)], layout)) == []


def test_a_layout_that_cannot_be_drawn(make_batch, make_layout):
    with pytest.raises(JobFailed, match="cannot be drawn"):
        missing_letters(make_batch(layout=make_layout([said("夜", width="0")])))


def test_where_a_plugin_that_chooses_layouts_fails_printing_will_say_so(make_batch, make_layout, settings, caplog):
    def override(sender, **kwargs):
        raise RuntimeError("Plugin is broken")

    make_layout([said("夜")])
    with receiver_of_a_plugin(settings, override_layout, override):
        assert missing_letters(make_batch()) == []
    assert "could not be looked at" in caplog.text
