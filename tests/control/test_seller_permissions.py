"""Who may see and do what on the organizer's pages: a column for each page and a row for each person."""

from urllib.parse import urljoin

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver
from django.utils.timezone import now
from pretix.base.models import CachedFile, Event, LogEntry, Organizer

from pretix_offlinesales.models import Seller, SellerPayment, Statement
from tests.support.pages import soup, words
from tests.support.people import PEOPLE
from tests.support.plugins import ORGANIZER_PLUGINS
from tests.support.sellers import make_seller
from tests.support.statements import bare

#: The columns: name of the page → (method, what success looks like).
PAGES = {
    "sellers": ("get", 200),
    "seller": ("get", 200),
    "seller_export": ("get", 200),
    "seller_add": ("get", 200),
    "create": ("post", 302),
    "seller_edit": ("get", 200),
    "change": ("post", 302),
    "seller_comment": ("post", 302),
    "seller_active": ("post", 302),
    "seller_delete": ("get", 200),
    "delete": ("post", 302),
    "seller_erase": ("get", 200),
    "erase": ("post", 302),
    "seller_import": ("get", 200),
    "upload": ("post", 302),
    "seller_import_process": ("get", 200),
    "import": ("post", 302),
    "sales": ("get", 200),
    "seller_state": ("get", 200),
    "look": ("post", 200),
    "statements": ("get", 200),
    "seller_statement": ("get", 200),
    "seller_statement_pdf": ("get", 200),
    "seller_statement_csv": ("get", 200),
    "seller_statement_json": ("get", 200),
    "seller_payment": ("get", 200),
    "pay": ("post", 302),
    "payments": ("get", 200),
}

#: Where a page has another name than its url.
URL_NAMES = {
    "create": "seller_add",
    "change": "seller_edit",
    "delete": "seller_delete",
    "erase": "seller_erase",
    "upload": "seller_import",
    "import": "seller_import_process",
    "look": "seller_state",
    "pay": "seller_payment",
}

#: Pages where something is read only; the others share a column.
READ = (
    *("sellers", "seller", "seller_export", "sales"),
    *("statements", "seller_statement", "payments"),
    *(f"seller_statement_{file}" for file in ("pdf", "csv", "json")),
)

#: Pages of one statement.
OF_STATEMENT = ("seller_statement", *(name for name in READ if name.startswith("seller_statement_")), "seller_payment")

#: Where addresses begin.
ROOTS = ("sellers", "statements", "payments")

#: Yes where the answer is success, else the status code; login where one is asked to log in.
MATRIX = """
                              read  change
nobody                        login login
a user without a team         404   404
who reads sellers             yes   403
who changes sellers           yes   yes
who changes, but does not read 403  403
who may do all                yes   yes
who may do all in events      403   403
another organizer's member    404   404
all, organizer without plugin 404   404
all, only the organizer has it yes  yes
"""

#: What the forms together want.
FILLED_IN = {
    "name": "Changed",
    "comment": "Changed",
    "commission_percent": "0",
    "commission_fixed": "0",
    "commission_invoiced_by": "organizer",
    "deadline_action": "keep",
    "payment_days": "14",
    "currency": "EUR",
    "commissions-TOTAL_FORMS": "0",
    "commissions-INITIAL_FORMS": "0",
    "amount": "1.00",
    "date": "2026-01-31",
}


def table():
    for line in MATRIX.strip("\n").splitlines()[1:]:
        *who, read, change = line.split()
        yield pytest.param(" ".join(who), read, change, id=" ".join(who))


@pytest.fixture
def place(organizer):
    return f"/control/organizer/{organizer.slug}/offlinesales/sellers/"


@pytest.fixture
def seller(organizer):
    return make_seller(organizer)


@pytest.fixture
def statement(seller, event):
    return bare(seller, event)


@pytest.fixture
def addresses(place, seller, statement):
    names = {
        "sellers": "",
        "seller": f"{seller.pk}/",
        "seller_export": "sellers.csv",
        "seller_add": "add",
        "seller_edit": f"{seller.pk}/edit",
        "seller_comment": f"{seller.pk}/comment",
        "seller_active": f"{seller.pk}/active",
        "seller_delete": f"{seller.pk}/delete",
        "seller_erase": f"{seller.pk}/erase",
        "seller_import": "import",
        "seller_import_process": "import/{file}",
        "sales": "sales",
        "seller_state": f"{seller.pk}/statement",
        "statements": "../statements/",
        "seller_statement": f"../statements/{statement.pk}/",
        **{f"seller_statement_{file}": f"../statements/{statement.pk}/{file}" for file in ("pdf", "csv", "json")},
        "seller_payment": f"../statements/{statement.pk}/payment",
        "payments": "../payments/",
    }
    return {name: urljoin(place, names[URL_NAMES.get(name, name)]) for name in PAGES}


def answer(client, name, addresses):
    method, _success = PAGES[name]
    data = dict(FILLED_IN) if method == "post" else {}
    address = addresses[name]
    if "{file}" in address:
        address = address.format(file=uploaded().pk)
        data |= dict.fromkeys(IMPORTED, "empty") | {"name": "csv:Name", "import": "on"} if data else {}
    if name == "upload":
        data = {"file": SimpleUploadedFile("sellers.csv", b"Name,Id\nKiosk,K-1\n")}
    return getattr(client, method)(address, data)


IMPORTED = (
    *("identifier", "contact", "email", "phone", "address", "vat_id", "locale", "currency", "comment"),
    *("commission_percent", "commission_fixed", "commission_tax_rate", "commission_tax_text"),
    *("commission_invoiced_by", "firm", "credit_limit", "deadline_days", "deadline_action", "payment_days", "active"),
)


def uploaded():
    """A file that is bound to nobody's session."""
    file = CachedFile.objects.create(expires=now(), date=now(), filename="import.csv", type="text/csv")
    file.file.save("import.csv", ContentFile(b"Name,Id\nKiosk,K-1\n"))
    return file


def judged(name, response):
    if response.status_code == 302 and "login" in response["Location"]:
        return "login"
    return "yes" if response.status_code == PAGES[name][1] else str(response.status_code)


def test_the_table_has_a_column_for_each_page():
    ends = tuple(f"offlinesales/{root}/'" for root in ROOTS)
    ours = [pattern for pattern in _patterns(get_resolver()) if pattern.pattern.describe().endswith(ends)]
    assert len(ours) == len(ROOTS)
    served = {page.name for pattern in ours for page in pattern.url_patterns}
    # Statements of many sellers have a table of their own.
    of_many = {name for name in served if name.startswith("state_all")}
    assert {URL_NAMES.get(name, name) for name in PAGES} == served - of_many


def _patterns(resolver):
    for pattern in getattr(resolver, "url_patterns", ()):
        yield pattern
        yield from _patterns(pattern)


@pytest.mark.parametrize("name", list(PAGES))
@pytest.mark.parametrize(("who", "read", "change"), list(table()))
def test_who_may_do_what(who, read, change, name, organizer, event, addresses):
    client = PEOPLE[who](organizer, event)
    before = traces()
    expected = read if name in READ else change
    assert judged(name, answer(client, name, addresses)) == expected
    if expected != "yes":
        assert traces() == before


def traces():
    made = Statement.objects.count(), SellerPayment.objects.count()
    return list(Seller.objects.values()), made, LogEntry.objects.filter(action_type__contains="seller").count()


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("sellers", "seller_export", "seller_add")])
def test_sellers_of_another_organizer_are_not_found(name, anna, organizer, addresses, user):
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins=ORGANIZER_PLUGINS)
    theirs = make_seller(circus, "Theirs")
    seller = Seller.objects.get(organizer=organizer)
    if f"/{seller.pk}/" not in addresses[name]:
        return
    for unknown in (theirs.pk, 99999999999999999999):
        address = addresses[name].replace(f"/{seller.pk}/", f"/{unknown}/")
        assert getattr(anna, PAGES[name][0])(address, FILLED_IN).status_code == 404
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"


@pytest.mark.parametrize("name", [name for name in PAGES if URL_NAMES.get(name, name) in OF_STATEMENT])
def test_statements_of_another_organizer_are_not_found(name, anna, addresses, statement):
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins=ORGANIZER_PLUGINS)
    event = Event.objects.create(organizer=circus, name="Show", slug="show", currency="EUR", date_from=now())
    theirs = bare(make_seller(circus, "Theirs"), event)
    for unknown in (theirs.pk, 99999999999999999999):
        address = addresses[name].replace(f"/statements/{statement.pk}/", f"/statements/{unknown}/")
        assert getattr(anna, PAGES[name][0])(address, FILLED_IN).status_code == 404
    assert SellerPayment.objects.count() == 0


@pytest.mark.parametrize("name", [name for name, (method, _success) in PAGES.items() if method == "post"])
def test_a_form_of_another_site_is_refused(name, user, team, addresses):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    before = traces()
    assert answer(client, name, addresses).status_code == 403
    assert traces() == before


def test_a_file_of_somebody_else_is_not_found(anna, addresses):
    file = uploaded()
    file.session_key = "another"
    file.save()
    assert anna.get(addresses["seller_import_process"].format(file=file.pk)).status_code == 404


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("who reads sellers", True),
        ("who may do all", True),
        ("who may do all in events", False),
        ("all, organizer without plugin", False),
    ],
)
def test_the_navigation_leads_there(who, shown, organizer, event, place):
    page = PEOPLE[who](organizer, event).get(f"/control/organizer/{organizer.slug}/")
    assert bool(soup(page).select(f'#side-menu a[href="{place}"]')) == shown


def test_buttons_are_shown_to_whoever_may_use_them(organizer, event, seller, statement, place):
    reader = PEOPLE["who reads sellers"](organizer, event)
    for address in (place, f"{place}{seller.pk}/", urljoin(place, f"../statements/{statement.pk}/")):
        content = soup(reader.get(address)).select_one("#page-wrapper")
        assert not content.select('a[href*="/add"], a[href*="/edit"], a[href*="/import"], a[href*="/delete"]')
        assert not content.select('a[href*="/payment"], a[href$="/statement"]')
        assert not content.select('form[method="post"]')


def test_the_editor_of_teams_offers_the_permissions(anna, organizer, team):
    page = soup(anna.get(f"/control/organizer/{organizer.slug}/team/{team.pk}/edit"))
    [group] = [each for each in page.select(".form-group") if "Sellers of offline sales" in words(each)]
    assert [words(each) for each in group.select("label.radio, .radio label, option")] == [
        "No access",
        "View",
        "View and change",
    ]
