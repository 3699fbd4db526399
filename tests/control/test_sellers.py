"""The organizer's pages about sellers."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now
from pretix.base.models import CachedFile, Event, LogEntry, Organizer

from pretix_offlinesales.models import Document, Job, OfflineSalesTicket, Seller
from pretix_offlinesales.sellers.records import rates_of
from pretix_offlinesales.sellers.statements import make
from pretix_offlinesales.sellers.terms import Rate
from tests.support.after_sale import check_in, report_lost
from tests.support.pages import alerts, errors, figures_shown, rows, shown, soup, words
from tests.support.plugins import PLUGINS
from tests.support.sellers import NOBODY, handed_over, make_seller


@pytest.fixture
def sellers(organizer):
    """Where the pages begin."""
    return f"/control/organizer/{organizer.slug}/offlinesales/sellers/"


#: What the form wants at least.
SMALLEST = {
    "name": "Kiosk",
    "commission_percent": "0",
    "commission_fixed": "0",
    "commission_invoiced_by": "organizer",
    "deadline_action": "keep",
    "payment_days": "14",
    "commissions-TOTAL_FORMS": "0",
    "commissions-INITIAL_FORMS": "0",
}


@pytest.mark.django_db
def test_the_empty_list_has_one_sentence_and_one_button(anna, sellers):
    [empty] = soup(anna.get(sellers)).select(".empty-collection")
    assert [words(sentence) for sentence in empty.select("p")] == [
        "You haven't created any sellers yet who could be handed tickets."
    ]
    assert [button["href"] for button in empty.select("a")] == [f"{sellers}add"]


@pytest.mark.django_db
def test_the_list(anna, sellers, organizer, make_batch):
    batch = make_batch(amount=10)
    kiosk = make_seller(organizer, commission_percent=10, contact="Eva", identifier="K-1")
    make_seller(organizer, "Club", active=False)
    document = handed_over(batch, kiosk, "1-5")
    check_in(batch.tickets.get(number=1), now())
    report_lost(batch, "2")
    moment = document.created.astimezone(organizer.timezone).strftime("%Y-%m-%d %H:%M")
    assert rows(anna.get(sellers)) == [
        ["Club Inactive", "", "–", "–", "–", "–", "–", "–", ""],
        ["Kiosk Eva", "K-1", "3 €69.00", "–", "1 €23.00", "1 €23.00", "€41.40", "–", moment],
    ]
    [total] = soup(anna.get(sellers)).select("tfoot tr")
    assert words(total) == "Total 3 €69.00 – 1 €23.00 1 €23.00 €41.40 –"
    make(kiosk, [batch.event], now(), NOBODY)
    assert [row[6:8] for row in rows(anna.get(sellers))] == [["–", "–"], ["€41.40", "€41.40"]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Club", "Kiosk", "Office"]),
        ("?ordering=-name", ["Office", "Kiosk", "Club"]),
        ("?query=eva", ["Kiosk"]),
        ("?query=k-1", ["Kiosk"]),
        ("?status=active", ["Kiosk", "Office"]),
        ("?status=inactive", ["Club"]),
        ("?tickets=some", ["Kiosk", "Office"]),
        ("?tickets=none", ["Club"]),
        ("?tickets=overdue", ["Office"]),
        ("?tickets=overdue&query=nobody", ["No seller matches your search."]),
    ],
)
def test_filters(query, names, anna, sellers, event, organizer, make_batch):
    event.date_from = now() + timedelta(days=1)
    event.save()
    batch = make_batch(amount=3)
    kiosk = make_seller(organizer, contact="Eva", identifier="K-1")
    make_seller(organizer, "Club", active=False)
    office = make_seller(organizer, "Office", deadline_days=3)
    handed_over(batch, kiosk, "1")
    handed_over(batch, office, "2")
    assert [row[0].split(" Eva")[0].split(" Inactive")[0] for row in rows(anna.get(sellers + query))] == names


@pytest.mark.django_db
def test_totals_of_several_pages_are_counted_later(anna, sellers, organizer, make_batch):
    batch = make_batch(amount=3)
    for number in range(1, 4):
        handed_over(batch, make_seller(organizer, f"Kiosk {number}"), str(number))
    make_seller(organizer, "Abroad", currency="USD")
    [euro, dollar] = soup(anna.get(f"{sellers}?page_size=2")).select("tfoot tr")
    assert (words(euro), words(dollar)) == ("Total in EUR …", "Total in USD …")
    [euro, dollar] = soup(anna.get(f"{sellers}?page_size=2&counted=yes")).select("tfoot tr")
    assert (words(euro), words(dollar)) == ("Total in EUR 3 €69.00 – – – – –", "Total in USD – – – – – –")


@pytest.mark.django_db
def test_a_seller_is_created(anna, sellers, organizer, item, user):
    values = SMALLEST | {
        "name": "Kiosk",
        "identifier": "K-1",
        "commission_percent": "10.5",
        "deadline_days": "3",
        "commissions-TOTAL_FORMS": "1",
        "commissions-0-item": str(item.pk),
        "commissions-0-commission_percent": "5",
        "commissions-0-commission_fixed": "0.10",
    }
    response = anna.post(f"{sellers}add", values)
    seller = Seller.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{sellers}{seller.pk}/")
    assert (seller.organizer, seller.name, seller.identifier) == (organizer, "Kiosk", "K-1")
    assert (seller.commission_percent, seller.deadline_days) == (Decimal("10.50"), 3)
    assert rates_of(seller) == {item.pk: Rate(Decimal("5.00"), Decimal("0.10"))}
    entry = LogEntry.objects.get(action_type="pretix_offlinesales.seller.added")
    assert (entry.user, entry.organizer, entry.content_object) == (user, organizer, seller)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"name": ""}, {"name": ["This field is required."]}),
        ({"identifier": "K-1"}, {"identifier": ["Another seller has this identifier already."]}),
        ({"email": "nobody"}, {"email": ["Enter a valid email address."]}),
        (
            {"commission_percent": "101"},
            {"commission_percent": ["Ensure this value is less than or equal to 100."]},
        ),
        ({"credit_limit": "-1"}, {"credit_limit": ["Ensure this value is greater than or equal to 0."]}),
        ({"deadline_days": "9999"}, {"deadline_days": ["Ensure this value is less than or equal to 3650."]}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(values, wrong, anna, sellers, organizer):
    make_seller(organizer, "Other", identifier="K-1")
    assert errors(anna.post(f"{sellers}add", SMALLEST | values)) == wrong
    assert Seller.objects.count() == 1


def commissions(*rows):
    """As the form sends them: item, percent, fixed."""
    names = ("item", "commission_percent", "commission_fixed")
    values = {
        f"commissions-{index}-{name}": str(value)
        for index, row in enumerate(rows)
        for name, value in zip(names, row, strict=True)
    }
    return values | {"commissions-TOTAL_FORMS": str(len(rows))}


def wrong_commissions(response):
    """Field and message of each."""
    found = soup(response).select(".formset-row .has-error")
    return [(each.select_one("[name]")["name"], words(each.select_one(".help-block"))) for each in found]


@pytest.mark.django_db
def test_what_is_wrong_with_a_product(anna, sellers, item):
    circus = Organizer.objects.create(name="Circus", slug="circus")
    show = Event.objects.create(
        organizer=circus, name="Show", slug="show", date_from=now() + timedelta(days=9), plugins=PLUGINS
    )
    theirs = show.items.create(name="Theirs", default_price=1)
    rows = [(item.pk, 5, 0), (item.pk, 6, 0), (theirs.pk, 5, 0), ("", 5, 0), (item.pk, 101, -1)]
    assert wrong_commissions(anna.post(f"{sellers}add", SMALLEST | commissions(*rows[2:]))) == [
        ("commissions-0-item", "Select a valid choice. That choice is not one of the available choices."),
        ("commissions-1-item", "This field is required."),
        ("commissions-2-commission_percent", "Ensure this value is less than or equal to 100."),
        ("commissions-2-commission_fixed", "Ensure this value is greater than or equal to 0."),
    ]
    assert wrong_commissions(anna.post(f"{sellers}add", SMALLEST | commissions(*rows[:2]))) == [
        ("commissions-1-item", "This product is named twice."),
    ]
    assert not Seller.objects.exists()


@pytest.mark.django_db
def test_a_seller_is_changed(anna, sellers, organizer, item, user):
    seller = make_seller(organizer, currency="EUR")
    seller.product_commissions.create(item=item, commission_percent=5)
    edit = f"{sellers}{seller.pk}/edit"
    assert "Edit seller: Kiosk" in words(soup(anna.get(edit)))
    row = {"item": str(item.pk), "commission_percent": "5", "commission_fixed": "0", "DELETE": "on"}
    deleted = {f"commissions-0-{name}": value for name, value in row.items()}
    values = SMALLEST | {"name": "Kiosk 2", "currency": "EUR", "comment": "Moved", **deleted}
    assert (
        anna.post(edit, values | {"commissions-TOTAL_FORMS": "1", "commissions-INITIAL_FORMS": "1"}).status_code == 302
    )
    seller.refresh_from_db()
    assert (seller.name, seller.comment, rates_of(seller)) == ("Kiosk 2", "Moved", {})
    entry = LogEntry.objects.get(action_type="pretix_offlinesales.seller.changed")
    assert (entry.user, entry.parsed_data) == (
        user,
        {"name": "Kiosk 2", "comment": "Moved", "product_commissions": []},
    )


@pytest.mark.django_db
def test_the_title_is_that_of_before_if_something_is_wrong(anna, sellers, organizer):
    seller = make_seller(organizer)
    response = anna.post(f"{sellers}{seller.pk}/edit", SMALLEST | {"name": "Other", "email": "nobody"})
    assert words(soup(response).select_one("h1:not(.sr-only)")) == "Edit seller: Kiosk"


@pytest.mark.django_db
def test_the_page_of_a_seller(anna, sellers, event, item, organizer, make_batch):
    seller = make_seller(organizer, identifier="K-1", commission_percent=10, address="Hauptstr. 1", locale="de")
    first, second = make_batch(amount=10), make_batch(amount=5)
    note = handed_over(first, seller, "1-5, 8")
    handed_over(second, seller, "1-2")
    handed_over(second, None, "2")
    check_in(first.tickets.get(number=1), now())
    page = anna.get(f"{sellers}{seller.pk}/")
    assert shown(page) == {
        "Identifier": "K-1",
        "Address": "Hauptstr. 1",
        "Language": "German",
        "Commission": "10 %",
        "Tax rate of the commission": "not taxed",
    }
    money, tickets, chart = figures_shown(page)[:3], figures_shown(page)[3:7], figures_shown(page)[7:]
    assert money == [
        ["Owed", "€20.70"],
        ["of that stated and not paid", "€0.00"],
        ["not stated yet", "€20.70"],
    ]
    assert tickets == [
        ["Held", "6", "€138.00"],
        ["Sold", "1", "€23.00"],
        ["Lost", "0", "€0.00"],
        ["Settled", "0", "€0.00"],
    ]
    assert [count for _time, count in chart] == ["1"]
    found = rows(page)
    assert [row[:6] for row in found[:3]] == [
        ["Long Night Sat, May 8, 2027", "Ticket", "6 €138.00", "–", "1 €23.00", "–"],
        [str(first), "Long Night", "Ticket", "5", "2–5, 8"],
        [str(second), "Long Night", "Ticket", "1", "1"],
    ]
    assert [[row[0], row[2], row[3], row[4]] for row in found[3:]] == [
        ["Take-back note 1", "Long Night", "1", "€23.00"],
        ["Delivery note 2", "Long Night", "2", "€46.00"],
        ["Delivery note 1", "Long Night", "6", "€138.00"],
    ]
    assert note.number == 1


@pytest.mark.django_db
def test_a_comment(anna, sellers, organizer):
    seller = make_seller(organizer)
    assert anna.post(f"{sellers}{seller.pk}/comment", {"comment": "Closed on Mondays"}).status_code == 302
    seller.refresh_from_db()
    assert seller.comment == "Closed on Mondays"
    assert "The seller has been changed." in words(soup(anna.get(f"{sellers}{seller.pk}/")).select_one(".logentry"))


@pytest.mark.django_db
def test_who_is_not_active_gets_no_tickets(anna, sellers, organizer):
    seller = make_seller(organizer)
    for active in (False, True):
        assert anna.post(f"{sellers}{seller.pk}/active", {"active": "on"} if active else {}).status_code == 302
        seller.refresh_from_db()
        assert seller.active == active
    assert LogEntry.objects.filter(action_type="pretix_offlinesales.seller.changed").count() == 2


@pytest.mark.django_db
def test_delete(anna, sellers, organizer, make_batch):
    seller = make_seller(organizer)
    page = f"{sellers}{seller.pk}/delete"
    assert "Are you sure" in words(soup(anna.get(page)))
    assert anna.post(page)["Location"] == sellers
    assert not Seller.objects.exists()
    seller = make_seller(organizer)
    page = f"{sellers}{seller.pk}/delete"
    handed_over(make_batch(), seller, "1")
    assert not soup(anna.get(page)).select("form.form-horizontal button[type=submit]")
    assert alerts(anna.post(page, follow=True)) == ["This seller has been handed tickets, and can only be deactivated."]
    assert Seller.objects.get() == seller


@pytest.mark.django_db
def test_erase(anna, sellers, organizer, event, item, make_batch):
    seller = make_seller(organizer, "Eva Mueller", address="Hauptstr. 1", email="eva@example.org")
    refused = Job.objects.create(
        event=event,
        kind="issue_several",
        state="failed",
        finished=now(),
        locale="en",
        message="1 batch could not be issued: 1 × Ticket, Eva Mueller: Sold out",
        request={"batches": [{"sales_channel_id": 1, "item_id": item.pk, "amount": 1, "seller_id": seller.pk}]},
        result={"refused": [[0, "Sold out"]]},
    )
    document = handed_over(make_batch(), seller, "1-2", "For Eva")
    page = f"{sellers}{seller.pk}/erase"
    assert shown(anna.get(page)) == {
        "Name": "Eva Mueller",
        "Email": "eva@example.org",
        "Address": "Hauptstr. 1",
    }
    assert "still holds 2 tickets and owes €0.00" in " ".join(alerts(anna.get(page)))
    assert anna.post(page).status_code == 302
    seller.refresh_from_db()
    document.refresh_from_db()
    assert (seller.name, seller.address, seller.email) == (f"Deleted seller {seller.pk}", "", "")
    assert (document.snapshot["target"]["name"], document.snapshot["target"]["address"]) == ("", "")
    assert (document.count, document.value, document.comment) == (2, Decimal("46.00"), "")
    assert OfflineSalesTicket.objects.filter(seller=seller).count() == 2
    refused.refresh_from_db()
    assert refused.message == f"1 batch could not be issued: 1 × Ticket, Deleted seller {seller.pk}: Sold out"
    shown_now = words(soup(anna.get(f"{sellers}{seller.pk}/")).select_one("#page-wrapper"))
    assert "Eva" not in shown_now
    assert "Hauptstr" not in shown_now
    # There is nobody any more who could be changed.
    assert anna.get(f"{sellers}{seller.pk}/edit").status_code == 302
    for name in ("edit", "comment", "active"):
        anna.post(f"{sellers}{seller.pk}/{name}", SMALLEST | {"comment": "Eva", "active": "on"})
    seller.refresh_from_db()
    assert (seller.name, seller.comment, seller.active) == (f"Deleted seller {seller.pk}", "", False)
    assert Document.objects.count() == 1


def upload(anna, sellers, content, name="sellers.csv"):
    """Where one goes on."""
    return anna.post(f"{sellers}import", {"file": SimpleUploadedFile(name, content.encode()), "charset": "auto"})


#: Nothing is matched but what says so.
def matched(**columns):
    names = (
        *("name", "identifier", "contact", "email", "phone", "address", "vat_id", "locale", "currency", "comment"),
        *("commission_percent", "commission_fixed", "commission_tax_rate", "commission_tax_text"),
        *(
            "commission_invoiced_by",
            "firm",
            "credit_limit",
            "deadline_days",
            "deadline_action",
            "payment_days",
            "active",
        ),
    )
    return dict.fromkeys(names, "empty") | {name: f"csv:{column}" for name, column in columns.items()}


CSV = "Seller,Number,Part,Deal\nKiosk,K-1,10.5 %,yes\nClub,,0,no\n,,,\n"
MATCHED = matched(name="Seller", identifier="Number", commission_percent="Part", firm="Deal")


@pytest.mark.django_db
def test_import(anna, sellers, user, organizer):
    page = upload(anna, sellers, CSV)["Location"]
    assert words(soup(anna.get(page)).select_one("table tbody tr")) == "Kiosk K-1 10.5 % yes"
    looked = anna.post(page, MATCHED)
    table = soup(looked).select_one("table")
    assert words(table.thead) == "Line Name Internal identifier Commission in percent Firm sale"
    assert [[words(cell) for cell in row.select("td")] for row in table.tbody.select("tr")] == [
        ["2", "New", "Kiosk", "K-1", "10.50", "Yes"],
        ["3", "New", "Club", "", "0.00", "No"],
    ]
    assert "2 sellers will be created." in words(soup(looked))
    assert not Seller.objects.exists()
    assert anna.post(page, MATCHED | {"import": "on"})["Location"] == sellers
    columns = ("name", "identifier", "commission_percent", "firm", "active", "organizer")
    assert list(Seller.objects.values_list(*columns)) == [
        ("Club", "", Decimal("0.00"), False, True, organizer.pk),
        ("Kiosk", "K-1", Decimal("10.50"), True, True, organizer.pk),
    ]
    entries = LogEntry.objects.filter(action_type="pretix_offlinesales.seller.added")
    assert {(entry.user, entry.content_object.name, entry.parsed_data["name"]) for entry in entries} == {
        (user, "Kiosk", "Kiosk"),
        (user, "Club", "Club"),
    }
    assert not CachedFile.objects.filter(filename="import.csv").exists()


@pytest.mark.django_db
def test_an_import_with_mistakes_imports_nothing(anna, sellers, organizer):
    make_seller(organizer, "Other", identifier="K-9")
    page = upload(anna, sellers, "Name,Id,Mail,Part\nA,K-1,x,5\n,K-2,,5\nC,K-1,,5\nD,K-9,,\nE,K-5,,much\nF,K-6,,200\n")[
        "Location"
    ]
    values = matched(name="Name", identifier="Id", email="Mail", commission_percent="Part")
    response = anna.post(page, values | {"import": "on"})
    assert rows(response)[:6] == [
        ["2", "Email", "Enter a valid email address."],
        ["3", "Name", "This field is required."],
        ["4", "Internal identifier", "Line 2 has this identifier, too."],
        ["5", "Internal identifier", "There is a seller with this identifier already."],
        ["6", "Commission in percent", "You entered an invalid number."],
        ["7", "Commission in percent", "Ensure this value is less than or equal to 100."],
    ]
    assert Seller.objects.count() == 1


@pytest.mark.django_db
def test_an_import_may_change_sellers_that_are_known(anna, sellers, organizer, user):
    seller = make_seller(organizer, "Old name", identifier="K-1", phone="123", commission_percent=5)
    page = upload(anna, sellers, "Seller,Number,Part,Phone\nKiosk,K-1,10,\nClub,K-2,,\n")["Location"]
    values = matched(name="Seller", identifier="Number", commission_percent="Part", phone="Phone")
    looked = anna.post(page, values | {"update_existing": "on"})
    assert "1 seller will be created. 1 seller will be changed." in words(soup(looked))
    assert anna.post(page, values | {"update_existing": "on", "import": "on"}).status_code == 302
    seller.refresh_from_db()
    assert (seller.name, seller.commission_percent, seller.phone) == ("Kiosk", Decimal("10.00"), "123")
    entry = LogEntry.objects.get(action_type="pretix_offlinesales.seller.changed")
    assert entry.parsed_data == {"name": "Kiosk", "commission_percent": "10"}
    assert Seller.objects.count() == 2


@pytest.mark.django_db
def test_what_is_exported_can_be_imported(anna, sellers, organizer):
    make_seller(organizer, identifier="K-1", address="Here\nThere", commission_tax_rate=19, deadline_days=3, firm=True)
    exported = anna.get(f"{sellers}sellers.csv")
    assert exported["Content-Type"] == "text/csv; charset=utf-8"
    page = upload(anna, sellers, exported.content.decode())["Location"]
    form = soup(anna.get(page)).select_one("form.form-horizontal")
    # All columns that are fields are recognized by their names.
    values = {select["name"]: select.select_one("option[selected]")["value"] for select in form.select("select[name]")}
    assert all(value.startswith("csv:") for value in values.values()), values
    before = Seller.objects.values().get()
    assert anna.post(page, values | {"update_existing": "on", "import": "on"}).status_code == 302
    assert Seller.objects.values().get() == before
    assert not LogEntry.objects.filter(action_type="pretix_offlinesales.seller.changed").exists()


@pytest.mark.django_db
def test_a_file_that_is_none_is_refused(anna, sellers):
    assert alerts(anna.post(f"{sellers}import", {"file": SimpleUploadedFile("x.exe", b"x")}, follow=True)) == [
        "Please only upload CSV files."
    ]
    page = upload(anna, sellers, "nothing")["Location"]
    assert anna.get(page)["Location"] == f"{sellers}import"


@pytest.mark.django_db
def test_the_export_has_what_the_filter_lets_through(anna, sellers, organizer, make_batch):
    kiosk = make_seller(organizer, commission_percent=10)
    make_seller(organizer, "=Club()", active=False)
    batch = make_batch()
    handed_over(batch, kiosk, "1-3")
    check_in(batch.tickets.get(number=3))
    lines = anna.get(f"{sellers}sellers.csv?status=active").content.decode().splitlines()
    assert len(lines) == 2
    assert "2,46.00,0,0.00,1,23.00,0,0.00,20.70,0.00,20.70" in lines[1]
    assert "'=Club()" in anna.get(f"{sellers}sellers.csv?status=inactive").content.decode()
