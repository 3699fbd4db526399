"""What Enter does in a form: browsers press its first button, wherever the cursor is."""

import pytest

from tests.support.pages import soup


@pytest.fixture(params=["", "add", "return", "hand-over", "#/", "#/return", "#/replace", "#/print/options", "#/data"])
def forms(request, anna, pages, make, event):
    """All forms of a page of ours."""
    batch = make(amount=1)
    event.offline_sales_presets.create(name="Mine", sheet={})
    return soup(anna.get(pages + request.param.replace("#", str(batch.pk)))).select("#page-wrapper form")


def does(button) -> tuple:
    """Where pressing this button leads, and how."""
    form = button.find_parent("form")
    return (
        button.get("formaction", form.get("action", "")),
        button.get("formtarget"),
        "data-no-asynctask" in button.attrs,
    )


def test_enter_does_what_the_main_button_does(forms):
    assert forms
    for form in forms:
        buttons = form.select("button:not([type]), [type=submit]")
        main = form.select_one(".btn-save, .btn-primary") or buttons[-1]
        assert does(buttons[0]) == does(main)
