"""The page on which tickets go from hand to hand."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pretix.base.models import Organizer, User

from pretix_offlinesales.models import CHANGE_SELLERS, READ_SELLERS, Document, OfflineSalesBatch
from tests.support.after_sale import cancel, check_in
from tests.support.pages import alerts, errors, rows, shown, soup, words
from tests.support.sellers import handed_over, held, make_seller


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer)


@pytest.fixture
def office(organizer):
    return make_seller(organizer, "Tourist office", identifier="K-7")


@pytest.fixture
def page(pages):
    return f"{pages}hand-over"


@pytest.fixture
def look(anna, page):
    """``look(kiosk, "1-3")``: what one sees before anything is done."""

    def look(target, lines, **values):
        return anna.post(page, {"target": place(target), "lines": lines} | values)

    return look


@pytest.fixture
def confirm(anna, page):
    """Press the button that one sees."""

    def confirm(seen, **values):
        form = soup(seen).select_one("form:has([name=confirmed])")
        filled = {field["name"]: field.get("value") or field.text for field in form.select("[name]")}
        assert filled.pop("csrfmiddlewaretoken")
        return anna.post(page, filled | values)

    return confirm


def place(seller):
    return str(seller.pk) if seller else "stock"


def question(response):
    found = soup(response).select_one("form:has([name=confirmed]) p")
    return found and words(found)


def button(response):
    found = soup(response).select_one("form:has([name=confirmed]) button[type=submit]")
    return found and words(found)


def heading(response):
    return words(soup(response).select_one("form:has([name=confirmed]) h2"))


def title(response):
    return words(soup(response).select_one("#page-wrapper h1"))


def filled_in(response):
    """What the form has: from whom, to whom, which tickets."""
    page = soup(response)
    chosen = [page.select_one(f"#offlinesales-tickets [name={name}] option[selected]") for name in ("source", "target")]
    text = page.select_one("#offlinesales-tickets [name=lines]").text.strip()
    return [words(option) if option else "" for option in chosen] + [text]


@pytest.mark.django_db
def test_tickets_are_delivered_as_seen(look, confirm, make, kiosk, anna):
    batch = make(amount=10)
    seen = look(kiosk, f"#{batch.pk}: 1-3, 7")
    assert title(seen) == "Deliver tickets"
    assert question(seen) == "4 tickets , €92.00 : Stock to Kiosk · Delivery note"
    assert rows(seen) == [[f"#{batch.pk}", "Ticket", "1–3, 7", "€23.00", "4", "€92.00"]]
    assert held(kiosk, batch) == []
    assert button(seen) == "Hand over 4 tickets"
    done = confirm(seen, comment="For the weekend")
    document = Document.objects.get()
    assert done.status_code == 302
    assert done["Location"] == f"/control/organizer/museum/offlinesales/documents/{document.pk}/"
    assert held(kiosk, batch) == [1, 2, 3, 7]
    page = anna.get(done["Location"])
    assert title(page) == "Delivery note 1"
    assert alerts(page) == ["The tickets have been handed over: Delivery note 1"]
    said = shown(page)
    del said["Date"]
    assert said == {
        "From": "Stock",
        "To": "Kiosk",
        "Event": "Long Night",
        "Created by": "anna@example.org",
        "Tickets": "4",
        "Value": "€92.00",
        "Comment": "For the weekend",
    }
    assert rows(page) == [[f"#{batch.pk}", "Ticket", "1–3, 7", "€23.00", "4", "€92.00"]]


@pytest.mark.django_db
def test_what_is_held_is_transferred_or_taken_back(look, confirm, make, kiosk, office):
    batch = make(amount=6)
    handed_over(batch, kiosk, "1-6")
    seen = look(office, f"#{batch.pk}: 1-2")
    assert (title(seen), question(seen)) == (
        "Transfer tickets",
        "2 tickets , €46.00 : Kiosk to Tourist office · Transfer note",
    )
    confirm(seen)
    seen = look(None, f"#{batch.pk}: 3-4")
    assert (title(seen), question(seen)) == (
        "Take tickets back",
        "2 tickets , €46.00 : Kiosk to Stock · Take-back note",
    )
    confirm(seen)
    assert (held(kiosk, batch), held(office, batch), held(None, batch)) == ([5, 6], [1, 2], [3, 4])


@pytest.mark.django_db
def test_what_can_not_be_handed_over_is_left_alone_and_the_rest_goes(look, confirm, make, kiosk, office):
    batch = make(amount=12)
    handed_over(batch, office, "1-3")
    handed_over(batch, kiosk, "9")
    check_in(batch.tickets.get(number=2))
    cancel(batch.tickets.get(number=5))
    spoiled = batch.tickets.get(number=12).order.positions.get()
    spoiled.revoked_secrets.create(event=batch.event, secret="spoiled")
    seen = look(kiosk, f"#{batch.pk}: 1-9, 99\nnonsense\nspoiled")
    assert question(seen).startswith("4 tickets , €92.00 : Stock to Kiosk")
    assert rows(seen) == [
        [f"#{batch.pk}", "Ticket", "4, 6–8", "€23.00", "4", "€92.00"],
        [f"#{batch.pk}: 1, 3", "somewhere else (Tourist office)"],
        [f"#{batch.pk}: 2", "checked in (Tourist office)"],
        [f"#{batch.pk}: 5", "already canceled"],
        [f"#{batch.pk}: 9", "already there (Kiosk)"],
        [f"#{batch.pk}: 12", "code has been revoked, so the paper is dead"],
        [f"#{batch.pk}: 99", "unknown"],
        ["nonsense", "unknown"],
    ]
    confirm(seen)
    assert held(kiosk, batch) == [4, 6, 7, 8, 9]
    assert held(office, batch) == [1, 2, 3]


@pytest.mark.django_db
def test_all_come_from_where_most_are_or_from_where_one_says(look, make, kiosk, office):
    batch = make(amount=6)
    handed_over(batch, kiosk, "2-6")
    lines = f"#{batch.pk}: 1-6"
    assert question(look(office, lines)).startswith("5 tickets , €115.00 : Kiosk to Tourist office")
    from_stock = look(office, lines, source="stock")
    assert question(from_stock).startswith("1 ticket , €23.00 : Stock to Tourist office")
    assert rows(from_stock)[1:] == [[f"#{batch.pk}: 2–6", "somewhere else (Kiosk)"]]


@pytest.mark.django_db
def test_what_has_changed_since_is_named_and_nothing_is_done(look, confirm, make, kiosk, office):
    batch = make(amount=6)
    seen = look(kiosk, f"#{batch.pk}: 1-6")
    handed_over(batch, office, "2-3")
    again = confirm(seen)
    assert Document.objects.count() == 1
    assert held(kiosk, batch) == []
    assert alerts(again)[0].endswith(f"Nothing was handed over: #{batch.pk}: 2–3: somewhere else (Tourist office)")
    confirm(again)  # the rest
    assert held(kiosk, batch) == [1, 4, 5, 6]


@pytest.mark.django_db
def test_what_is_all_somewhere_else_by_now_is_not_taken_from_there(look, confirm, make, kiosk, office):
    batch = make(amount=3)
    seen = look(kiosk, f"#{batch.pk}: 1-3")
    handed_over(batch, office, "1-3")
    assert f"#{batch.pk}: 1–3: somewhere else (Tourist office)" in alerts(confirm(seen))[0]
    assert held(office, batch) == [1, 2, 3]
    assert Document.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("back", [False, True])
def test_who_clicks_twice_gets_one_document(look, confirm, make, kiosk, back):
    batch = make(amount=3)
    if back:
        handed_over(batch, kiosk, "1-3")
    seen = look(None if back else kiosk, f"#{batch.pk}: 1, 3")
    first, second = confirm(seen), confirm(seen)
    assert first["Location"] == second["Location"]
    assert Document.objects.filter(count=2).count() == 1


@pytest.fixture
def may_read_only(team):
    """Whoever reads sellers, but does not change them."""
    team.all_organizer_permissions = False
    team.limit_organizer_permissions = {READ_SELLERS: True}
    team.save()


@pytest.mark.django_db
def test_more_than_the_credit_limit_is_confirmed_by_whoever_may_change_sellers(look, confirm, make, organizer, anna):
    kiosk = make_seller(organizer, credit_limit=50)
    batch = make(amount=3)
    assert not soup(look(kiosk, f"#{batch.pk}: 1-2")).select("[name=over_limit]")
    seen = look(kiosk, f"#{batch.pk}: 1-3")
    limit = "The seller would hold or owe €69.00, and the credit limit is €50.00."
    assert (heading(seen), errors(seen)) == ("Please confirm", {})
    assert alerts(seen)[0] == f"{limit} Hand them over above the credit limit"
    form = soup(seen).select_one("form:has([name=confirmed])")
    filled = {field["name"]: field.get("value") or field.text for field in form.select("[name]:not([name=over_limit])")}
    again = anna.post(seen.request["PATH_INFO"], filled)
    assert f"Nothing was handed over: {limit}" in errors(again)["target"]
    assert held(kiosk, batch) == []
    confirm(again)
    assert held(kiosk, batch) == [1, 2, 3]
    document = Document.objects.get()
    assert document.snapshot["terms"][-1] == (
        "What the seller holds and owes exceeds the credit limit, as the organizer has confirmed."
    )
    for logged in (kiosk, batch.event):
        entry = logged.all_logentries().filter(action_type__endswith="handed_over").get()
        assert entry.display().endswith("It was confirmed that this is above the credit limit.")
        assert entry.user == document.user


@pytest.mark.django_db
def test_what_is_below_the_credit_limit_needs_no_confirmation_and_says_nothing_of_it(look, confirm, make, organizer):
    kiosk = make_seller(organizer, credit_limit=50)
    batch = make(amount=3)
    confirm(look(kiosk, f"#{batch.pk}: 1-2"), over_limit="on")
    assert "credit limit" not in str(Document.objects.get().snapshot)
    assert not kiosk.all_logentries().filter(data__contains="over_limit").exists()


@pytest.mark.django_db
def test_who_may_not_change_sellers_confirms_nothing(look, confirm, make, organizer, may_read_only):
    kiosk = make_seller(organizer, credit_limit=50)
    batch = make(amount=3)
    seen = look(kiosk, f"#{batch.pk}: 1-2")
    handed_over(batch, kiosk, "3")
    again = confirm(seen, over_limit="on")
    assert held(kiosk, batch) == [3]
    assert "credit limit" in errors(again)["target"][0]
    assert not soup(again).select("[name=over_limit]")


@pytest.mark.django_db
def test_more_than_the_credit_limit_is_refused_at_the_seller(look, make, organizer, may_read_only):
    kiosk = make_seller(organizer, credit_limit=50)
    batch = make(amount=3)
    seen = look(kiosk, f"#{batch.pk}: 1-3")
    assert errors(seen) == {
        "target": ["The seller would hold or owe €69.00, and the credit limit is €50.00."],
    }
    assert (heading(seen), button(seen)) == ("Nothing can be handed over", None)
    seen = look(kiosk, f"#{batch.pk}: 1-2")
    assert (heading(seen), button(seen)) == ("Please confirm", "Hand over 2 tickets")


@pytest.mark.django_db
def test_the_button_says_what_is_done(look, make, kiosk, office):
    batch = make(amount=3)
    handed_over(batch, kiosk, "1-3")
    buttons = [button(look(target, f"#{batch.pk}: {numbers}")) for target in (None, office) for numbers in ("1", "1-3")]
    assert buttons == ["Take back 1 ticket", "Take back 3 tickets", "Hand over 1 ticket", "Hand over 3 tickets"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"lines": ""}, "Please say which tickets."),
        ({"target": ""}, "This field is required."),
        ({"target": "99999"}, "Select a valid choice. 99999 is not one of the available choices."),
        ({"target": "stock", "source": "stock"}, "The tickets are to come from somewhere else."),
    ],
)
def test_what_is_missing_or_wrong_is_said(anna, page, make, kiosk, values, expected):
    batch = make(amount=3)
    seen = anna.post(page, {"target": kiosk.pk, "lines": f"#{batch.pk}: 1-3"} | values)
    assert question(seen) is None
    assert expected in words(soup(seen).select_one("#page-wrapper"))


@pytest.mark.django_db
def test_only_active_sellers_of_the_organizer_can_be_chosen(anna, page, make, organizer, kiosk, office):
    batch = make(amount=3)
    handed_over(batch, office, "1")
    for name, values in {
        "Gone": {"active": False},
        "Elsewhere": {"organizer": Organizer.objects.create(slug="x")},
    }.items():
        make_seller(**{"organizer": organizer, "name": name} | values)
    office.active = False
    office.save()
    form = soup(anna.get(page))
    offered = {
        name: [words(option) for option in form.select(f"[name={name}] option")] for name in ("source", "target")
    }
    assert offered == {
        "source": ["Wherever they are", "Stock", "Kiosk", "Tourist office (K-7)"],
        "target": ["", "Stock", "Kiosk"],
    }


@pytest.mark.django_db
def test_links_fill_it_in(anna, page, make, kiosk):
    batch = make(amount=3)
    assert filled_in(anna.get(f"{page}?seller={kiosk.pk}")) == ["Wherever they are", "Kiosk", ""]
    assert filled_in(anna.get(f"{page}?seller={kiosk.pk}&to=stock")) == ["Kiosk", "Stock", ""]
    assert filled_in(anna.get(f"{page}?to=stock&tickets=%23{batch.pk}: 1-2")) == [
        "Wherever they are",
        "Stock",
        f"#{batch.pk}: 1-2",
    ]
    assert anna.get(f"{page}?batch=99999").status_code == 404
    assert anna.get(f"{page}?batch=x").status_code == 404


@pytest.mark.django_db
def test_from_the_page_of_a_batch_numbers_are_its_own(anna, pages, make, kiosk, look, confirm):
    make(amount=1)
    batch = make(amount=3)
    link = soup(anna.get(f"{pages}{batch.pk}/")).find("a", string=lambda text: text and "Hand over" in text)
    link = link or next(a for a in soup(anna.get(f"{pages}{batch.pk}/")).select("a") if "Hand over tickets" in words(a))
    assert link["href"] == f"{pages}hand-over?batch={batch.pk}"
    form = soup(anna.get(link["href"]))
    assert form.select_one("[name=batch_key]")["value"] == str(batch.pk)
    confirm(look(kiosk, "2", batch_key=batch.pk))
    assert held(kiosk, batch) == [2]


@pytest.mark.django_db
def test_pages_and_documents_speak_of_books(anna, look, confirm, make, kiosk):
    batch = make(amount=25)
    OfflineSalesBatch.objects.filter(pk=batch.pk).update(book_size=10)
    seen = look(kiosk, f"#{batch.pk} book 2, 1-4, 25")
    assert rows(seen)[0][2] == "1–4, Book 2, 25"
    done = anna.get(confirm(seen)["Location"])
    assert rows(done)[0][2] == "1–4, Book 2, 25"
    assert rows(look(kiosk, f"#{batch.pk} books 1-3"))[1] == [
        f"#{batch.pk}: 1–4, Book 2, 25",
        "already there (Kiosk)",
    ]


@pytest.mark.django_db
def test_the_document_is_ready_to_print(anna, make, kiosk):
    document = handed_over(make(amount=3), kiosk, "1-3")
    page = f"/control/organizer/museum/offlinesales/documents/{document.pk}/"
    link = soup(anna.get(page)).select_one("a.btn-primary")
    assert (words(link), link["href"]) == ("Print (PDF)", f"{page}pdf")
    answer = anna.get(link["href"])
    assert answer["Content-Disposition"] == 'inline; filename="museum-delivery-1.pdf"'
    assert b"".join(answer.streaming_content).startswith(b"%PDF")


@pytest.mark.django_db
def test_a_preview_takes_as_many_queries_for_many_tickets(look, make, kiosk, office, quota):
    quota.size = None
    quota.save()
    for _batch in range(4):
        handed_over(make(amount=20), office, "15-20")
    few, many = [], []
    for batch in OfflineSalesBatch.objects.order_by("pk"):
        many.append(f"#{batch.pk}: 1-20\nX{batch.pk}")
        few.append(f"#{batch.pk}: 14-15\nX{batch.pk}") if not few else None
    counted = []
    for lines in (few, many):
        with CaptureQueriesContext(connection) as captured:
            assert question(look(kiosk, "\n".join(lines)))
        counted.append(len(captured))
    assert counted[0] == counted[1] < 60


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "numbers"), [("book 2", range(4, 7)), ("5", [5]), ("6-9", [6, 7]), ("book 4", [])])
def test_the_page_of_a_batch_finds_books(anna, pages, make, query, numbers):
    batch = make(amount=7)
    OfflineSalesBatch.objects.filter(pk=batch.pk).update(book_size=3)
    found = anna.get(f"{pages}{batch.pk}/", {"query": query})
    assert [ticket.number for ticket in found.context["tickets"]] == list(numbers)


@pytest.mark.django_db
def test_the_api_understands_books(api, url, make):
    batch = make(amount=7)
    OfflineSalesBatch.objects.filter(pk=batch.pk).update(book_size=3)
    asked = {"tickets": "book 3, 1", "kind": "unsold", "dry_run": True}
    answer = api.post(f"{url}{batch.pk}/return/", asked, format="json")
    assert answer.status_code == 202
    asked["tickets"] = "book 4"
    answer = api.post(f"{url}{batch.pk}/return/", asked, format="json")
    assert (answer.status_code, answer.json()) == (
        400,
        {"tickets": [f"Batch #{batch.pk} has only the books 1 to 3."]},
    )


# The next ones


@pytest.fixture
def fill(anna, page):
    def fill(target, each, **values):
        return anna.post(page, {"target": place(target), "each": each, "fill": "on"} | values)

    return fill


def said_of_piles(response):
    return [words(line) for line in soup(response).select("#offlinesales-next li")]


@pytest.fixture
def workshop(event, quota):
    item = event.items.create(name="Workshop", default_price=5, admission=True)
    quota.items.add(item)
    return item


@pytest.mark.django_db
def test_the_next_ones_of_each_product(fill, make, kiosk, workshop, web):
    first, second = make(amount=4), make(amount=10)
    other = make(amount=3, itemvar=workshop.pk)
    handed_over(first, kiosk, "1-2")
    cancel(second.tickets.get(number=2))
    filled = fill(kiosk, 5, lines="ABCDE")
    assert filled_in(filled) == [
        "Wherever they are",
        "Kiosk",
        f"ABCDE\n#{first.pk}: 3-4\n#{second.pk}: 1, 3-4\n#{other.pk}: 1-3",
    ]
    assert said_of_piles(filled) == ["Ticket: 5 tickets", "Workshop: 3 tickets, 2 are missing"]
    assert filled_in(fill(kiosk, 1, products=str(workshop.pk)))[2] == f"#{other.pk}: 1"
    # All that the kiosk has.
    assert filled_in(fill(None, "", source=kiosk.pk)) == ["Kiosk", "Stock", f"#{first.pk}: 1-2"]


@pytest.mark.django_db
def test_the_next_ones_at_each_date(anna, make, series, subevent, series_item, issued, organizer):
    evening = series.subevents.create(name="Evening", date_from=subevent.date_from, active=True)
    quota = series.quotas.create(name="Evening", size=50, subevent=evening)
    quota.items.add(series_item)
    for date in (subevent, evening):
        issued(series, series_item, amount=4, subevent=date)
    morning, later = OfflineSalesBatch.objects.filter(event=series).order_by("pk")
    page = f"/control/event/museum/{series.slug}/offlinesales/hand-over"
    asked = {"fill": "on", "each": "2", "target": "stock"}
    assert filled_in(anna.post(page, asked))[2] == f"#{morning.pk}: 1-2\n#{later.pk}: 1-2"
    assert filled_in(anna.post(page, asked | {"subevent": evening.pk}))[2] == f"#{later.pk}: 1-2"


@pytest.mark.django_db
def test_an_amount_that_is_none(fill, kiosk):
    assert errors(fill(kiosk, "x")) == {"each": ["Enter a whole number."]}


# Scanning


@pytest.fixture
def verdicts(anna, page):
    def verdicts(*lines, **values):
        answer = anna.post(page, {"verdicts": "on", "lines": "\n".join(lines)} | values)
        return [(each["level"], each["text"]) for each in answer.json()["verdicts"]]

    return verdicts


@pytest.mark.django_db
def test_what_scanned_tickets_are_good_for(verdicts, make, kiosk, office):
    batch = make(amount=5)
    handed_over(batch, kiosk, "3-4")
    name = f"#{batch.pk}"
    lines = (f"{name}-1", f"{name}-3", f"{name}-99", "nonsense", f"{name}: 1-4")
    assert verdicts(*lines) == [
        ("success", f"can be handed over ({name}-1)"),
        ("success", f"can be handed over ({name}-3), Kiosk"),
        ("danger", "unknown"),
        ("danger", "unknown"),
        ("success", "can be handed over: 4, Kiosk"),
    ]
    assert verdicts(*lines[:2], target=kiosk.pk) == [
        ("success", f"can be handed over ({name}-1)"),
        ("danger", "already there (Kiosk)"),
    ]
    assert verdicts(*lines[:2], target="stock", source=office.pk) == [
        ("danger", "already there (Stock)"),
        ("danger", "somewhere else (Kiosk)"),
    ]
    assert verdicts("1", batch_key=batch.pk) == [("success", f"can be handed over ({name}-1)")]


@pytest.mark.django_db
def test_too_many_lines_are_refused(anna, page):
    answer = anna.post(page, {"verdicts": "on", "lines": "x\n" * 501})
    assert answer.status_code == 400


# Who may


@pytest.fixture
def member(organizer):
    """``member({"event.orders:write"}, {"organizer.…"})``: the browser of somebody with these permissions."""

    def member(of_event, of_organizer):
        person = User.objects.create_user("member@example.org", "a long enough passphrase")
        team = organizer.teams.create(
            name="Team",
            all_events=True,
            limit_event_permissions=dict.fromkeys(of_event, True),
            limit_organizer_permissions=dict.fromkeys(of_organizer, True),
        )
        team.members.add(person)
        client = Client()
        client.force_login(person)
        return client

    return member


READ, WRITE = "event.orders:read", "event.orders:write"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("of_event", "of_organizer", "page_status", "document_status"),
    [
        ([READ, WRITE], [READ_SELLERS], 200, 200),
        ([READ, WRITE], [], 403, 403),
        ([READ], [READ_SELLERS], 403, 200),
        ([WRITE], [READ_SELLERS], 403, 200),
        ([], [READ_SELLERS], 403, 200),
        ([READ, WRITE], [CHANGE_SELLERS], 403, 403),
    ],
)
def test_who_may_hand_over_and_see_documents(
    member, pages, make, kiosk, of_event, of_organizer, page_status, document_status
):
    batch = make(amount=2)
    document = handed_over(batch, kiosk, "1")
    person = member(of_event, of_organizer)
    asked = {"target": kiosk.pk, "lines": f"#{batch.pk}: 2", "source": "stock", "confirmed": "on"}
    assert person.get(f"{pages}hand-over").status_code == page_status
    assert person.post(f"{pages}hand-over", asked).status_code == (302 if page_status == 200 else page_status)
    assert held(kiosk, batch) == ([1, 2] if page_status == 200 else [1])
    seen = person.get(f"/control/organizer/museum/offlinesales/documents/{document.pk}/")
    assert seen.status_code == document_status
    if document_status == 200:  # links only to what one may see
        assert bool(soup(seen).select(f"a[href^='{pages}']")) == (READ in of_event)
    listed = person.get(pages)
    if READ in of_event:
        assert ("Hand over tickets" in listed.content.decode()) == (page_status == 200)


@pytest.mark.django_db
def test_what_is_not_there_is_not_found(anna, page, make, kiosk, organizer):
    document = handed_over(make(amount=2), kiosk, "1")
    address = "/control/organizer/{}/offlinesales/documents/{}/"
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins="pretix_offlinesales")
    team = circus.teams.create(name="All", all_organizer_permissions=True)
    team.members.add(User.objects.get(email="anna@example.org"))
    for wrong in (address.format("circus", document.pk), address.format("museum", 99999)):
        assert [anna.get(wrong).status_code, anna.get(f"{wrong}pdf").status_code] == [404, 404]
    organizer.plugins = ""
    organizer.save()
    right = address.format("museum", document.pk)
    assert [anna.get(each).status_code for each in (right, f"{right}pdf", page)] == [404, 404, 404]
