"""Declaring tickets as sold in the backend, and “all but these”."""

import pytest
from pretix.base.models import Organizer

from pretix_offlinesales.models import Job
from pretix_offlinesales.tickets.state import state_of_ticket, with_state
from tests.support.pages import rows, soup, words
from tests.support.sellers import handed_over, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def confirm(anna, worker):
    """``confirm(checked)``: confirm what the page has understood, and see the result."""

    def confirm(page, checked):
        form = soup(checked).select_one("form[data-asynctask]")
        fields = {field["name"]: field.get("value", field.text) for field in form.select("[name]")}
        with worker():
            response = anna.post(page, fields)
        return anna.get(response["Location"], follow=True)

    return confirm


def states(batch):
    return [str(state_of_ticket(ticket)) for ticket in with_state(batch.tickets.order_by("number"))]


def question(response):
    return words(soup(response).select_one(".panel-body p strong"))


def verdict(anna, page, lines, **values):
    answer = anna.post(page, {"verdicts": "on", "lines": lines, **values}).json()
    return [(each["level"], each["text"]) for each in answer["verdicts"]]


def test_from_the_batch_to_the_result_and_back(anna, pages, make, confirm):
    batch = make(amount=4)
    page = f"{pages}{batch.pk}/sold"
    links = [link.get("href") for link in soup(anna.get(f"{pages}{batch.pk}/")).select("a")]
    assert page in links
    assert f"{pages}{batch.pk}/undo/sold" not in links  # nothing was declared yet
    result = confirm(page, anna.post(page, {"lines": "1-3"}))
    assert words(soup(result).select_one(".panel-title")) == "Tickets declared as sold: 3 · €69.00"
    assert states(batch) == ["sold"] * 3 + ["stock"]
    undo = soup(result).select_one("form.panel-body")
    assert (undo["action"], words(undo.button)) == (f"{pages}undo/sold", "Undo declarations as sold …")
    again = anna.post(undo["action"], {"lines": undo.textarea.text})
    assert question(again) == "3 tickets will not count as sold any more."
    confirm(undo["action"], again)
    assert states(batch) == ["stock"] * 4
    assert f"{pages}sold" in [link.get("href") for link in soup(anna.get(pages)).select("a")]


def test_the_map_offers_what_can_be_done(anna, pages, make, confirm):
    batch = make(amount=4)
    page = f"{pages}{batch.pk}/sold"
    confirm(page, anna.post(page, {"lines": "1-2"}))
    links = [link["href"] for link in soup(anna.get(f"{pages}{batch.pk}/")).select("a[href*='tickets=']")]
    assert f"{pages}{batch.pk}/undo/sold?tickets=1-2" in links
    assert f"{pages}{batch.pk}/sold?tickets=3-4" in links
    assert f"{pages}{batch.pk}/sold?tickets=1-2" not in links


def test_all_but_these_of_a_batch(anna, pages, make, confirm):
    batch = make(amount=6)
    page = f"{pages}{batch.pk}/sold"
    fields = {field["name"] for field in soup(anna.get(page)).select("#offlinesales-tickets [name]")}
    assert {"all_but", "everything"} <= fields
    assert "seller" not in fields  # nobody holds any
    checked = anna.post(page, {"lines": "2, 5", "all_but": "on"})
    assert question(checked) == "4 tickets will be declared as sold."
    assert f"All but these: #{batch.pk}: 2, 5" in words(soup(checked).select_one(".panel-body"))
    confirm(page, checked)
    assert states(batch) == ["sold", "stock", "sold", "sold", "stock", "sold"]


def test_all_but_these_of_a_seller_in_the_event(anna, pages, make, confirm, kiosk):
    first, second = make(amount=4), make(amount=3)
    handed_over(first, kiosk, "1-3")
    handed_over(second, kiosk, "3")
    page = f"{pages}sold"
    checked = anna.post(page, {"lines": f"#{first.pk}: 2", "all_but": "on", "seller": kiosk.pk})
    assert question(checked) == "3 tickets will be declared as sold."
    assert [words(cell) for cell in soup(checked).select("tbody tr:has(th) > *")] == ["Kiosk", "3", "€69.00"]
    confirm(page, checked)
    assert states(first) == ["sold", "held", "sold", "stock"]
    assert states(second) == ["stock", "stock", "sold"]


def test_all_that_a_seller_holds(anna, pages, make, confirm, kiosk):
    batch = make(amount=4)
    handed_over(batch, kiosk, "2-3")
    checked = anna.post(f"{pages}{batch.pk}/sold", {"everything": "on", "seller": kiosk.pk})
    assert question(checked) == "2 tickets will be declared as sold."
    checked = anna.post(f"{pages}sold", {"all_but": "on", "seller": kiosk.pk})
    confirm(f"{pages}sold", checked)
    assert states(batch) == ["stock", "sold", "sold", "stock"]


def test_what_is_handed_over_before_it_is_confirmed_was_not_meant(anna, pages, make, confirm, kiosk):
    batch = make(amount=4)
    handed_over(batch, kiosk, "1-3")
    checked = anna.post(f"{pages}sold", {"all_but": "on", "seller": kiosk.pk, "lines": f"#{batch.pk}-1"})
    handed_over(batch, None, "2")
    handed_over(batch, kiosk, "4")
    result = confirm(f"{pages}sold", checked)
    assert states(batch) == ["held", "stock", "sold", "held"]
    assert rows(result)[-1][0::2] == [f"#{batch.pk}-2", "somewhere else"]


@pytest.mark.parametrize(
    ("of_batch", "values", "message"),
    [
        (True, {"lines": "2, 17", "all_but": "on"}, "17 (unknown)"),
        (True, {"lines": "4", "all_but": "on", "seller": "kiosk"}, "4 (somewhere else)"),
        (True, {"lines": "1-4", "all_but": "on"}, "There are no others"),
        (True, {"lines": "1", "everything": "on"}, "either all tickets, or some"),
        (True, {"all_but": "on", "everything": "on"}, "either all tickets, or some"),
        (False, {"lines": "1", "all_but": "on"}, "whose tickets"),
        (False, {"seller": "kiosk"}, "Please say which tickets."),
        (False, {"all_but": "on", "seller": "nobody"}, "not one of the available choices"),
        (False, {"all_but": "on", "seller": "foreign"}, "not one of the available choices"),
    ],
)
def test_what_is_not_meant_is_said(anna, pages, make, organizer, kiosk, of_batch, values, message):
    batch = make(amount=4)
    handed_over(batch, kiosk, "1-3")
    sellers = {
        "kiosk": kiosk,
        "nobody": make_seller(organizer, "Nobody"),
        "foreign": make_seller(Organizer.objects.create(name="Circus", slug="circus")),
    }
    if "seller" in values:
        values = values | {"seller": sellers[values["seller"]].pk}
    page = f"{pages}{batch.pk}/sold" if of_batch else f"{pages}sold"
    response = anna.post(page, values)
    assert message in words(soup(response).select_one("#offlinesales-tickets"))
    assert soup(response).select_one("form[data-asynctask]") is None
    anna.post(page, values | {"confirmed": "on"})
    assert not Job.objects.filter(kind="sold").exists()


def test_one_can_come_with_a_seller(anna, pages, make, kiosk):
    batch = make(amount=2)
    handed_over(batch, kiosk, "1")
    shown = soup(anna.get(f"{pages}sold?seller={kiosk.pk}&all_but"))
    assert shown.select_one("[name=seller] option[selected]")["value"] == str(kiosk.pk)
    assert shown.select_one("[name=all_but]").has_attr("checked")
    assert soup(anna.get(f"{pages}sold?seller=x")).select_one("[name=seller] option[selected]") is None


def test_verdicts_go_by_what_is_chosen(anna, pages, make, kiosk):
    batch = make(amount=4)
    handed_over(batch, kiosk, "1-2")
    page = f"{pages}{batch.pk}/sold"
    assert verdict(anna, page, "1") == [("success", f"can be declared as sold (#{batch.pk}-1)")]
    assert verdict(anna, page, "1\n3", seller=kiosk.pk) == [
        ("success", f"can be declared as sold (#{batch.pk}-1)"),
        ("danger", "somewhere else"),
    ]
    assert verdict(anna, page, "1\n3\n9", all_but="on") == [
        ("success", f"is left alone (#{batch.pk}-1)"),
        ("success", f"is left alone (#{batch.pk}-3)"),
        ("danger", "unknown"),
    ]
    assert verdict(anna, page, "1\n3", all_but="on", seller=kiosk.pk) == [
        ("success", f"is left alone (#{batch.pk}-1)"),
        ("danger", "somewhere else"),
    ]


def test_other_kinds_know_all_but_these_as_well(anna, pages, make, confirm, kiosk):
    batch = make(amount=4)
    handed_over(batch, kiosk, "1-3")
    page = f"{pages}return"
    checked = anna.post(page, {"lines": f"#{batch.pk}-1", "all_but": "on", "seller": kiosk.pk, "kind": "unsold"})
    confirm(page, checked)
    assert states(batch) == ["held", "returned", "returned", "stock"]
