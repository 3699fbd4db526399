"""Who may do what with sellers and what they hold: a column for each endpoint, a row for each way to come to it."""

import re
from pathlib import Path

import pytest
from django.utils.timezone import now
from pretix.api.urls import event_router, orga_router

from pretix_offlinesales import urls
from pretix_offlinesales.api.documents import DocumentViewSet
from pretix_offlinesales.api.handing_over import HandingOverViewSet
from pretix_offlinesales.api.sellers import SellerViewSet
from pretix_offlinesales.api.statements import PaymentViewSet, StatementViewSet
from pretix_offlinesales.api.tickets import EventTicketViewSet
from pretix_offlinesales.models import Document, DocumentKind, Seller, SellerPayment, Statement
from pretix_offlinesales.sellers.statements import make
from tests.support.sellers import NOBODY, handed_over, make_seller
from tests.support.ways import WAYS, Ways

VIEWS = (
    DocumentViewSet,
    EventTicketViewSet,
    HandingOverViewSet,
    PaymentViewSet,
    SellerViewSet,
    StatementViewSet,
)

#: The columns: name of the endpoint → (name of its url, method, address, what it answers to whoever may use it).
ENDPOINTS = {
    "sellers": ("offlinesalesseller-list", "get", "offlinesalessellers/", 200),
    "seller": ("offlinesalesseller-detail", "get", "offlinesalessellers/{seller}/", 200),
    "documents": ("offlinesalesdocument-list", "get", "offlinesalesdocuments/", 200),
    "document": ("offlinesalesdocument-detail", "get", "offlinesalesdocuments/{document}/", 200),
    "pdf": ("offlinesalesdocument-pdf", "get", "offlinesalesdocuments/{document}/pdf/", 200),
    "add": ("offlinesalesseller-list", "post", "offlinesalessellers/", 201),
    "change": ("offlinesalesseller-detail", "patch", "offlinesalessellers/{seller}/", 200),
    "delete": ("offlinesalesseller-detail", "delete", "offlinesalessellers/{unused}/", 204),
    "tickets": ("offlinesaleseventticket-list", "get", "offlinesalestickets/", 200),
    "hand over": ("offlinesaleshandover-list", "post", "offlinesaleshandovers/", 201),
    "statements": ("offlinesalesstatement-list", "get", "offlinesalesstatements/", 200),
    "statement": ("offlinesalesstatement-detail", "get", "offlinesalesstatements/{statement}/", 200),
    "statement's pdf": ("offlinesalesstatement-pdf", "get", "offlinesalesstatements/{statement}/pdf/", 200),
    "statement as csv": ("offlinesalesstatement-as-csv", "get", "offlinesalesstatements/{statement}/csv/", 200),
    "statement as json": ("offlinesalesstatement-as-json", "get", "offlinesalesstatements/{statement}/json/", 200),
    "payments": ("offlinesalespayment-list", "get", "offlinesalespayments/", 200),
    "payment": ("offlinesalespayment-detail", "get", "offlinesalespayments/{payment}/", 200),
    "state": ("offlinesalesstatement-list", "post", "offlinesalesstatements/", 201),
    "pay": ("offlinesalespayment-list", "post", "offlinesalespayments/", 201),
}

#: For whoever may see sellers, and for whoever may change them.
READ = (
    *("statements", "statement", "statement's pdf", "statement as csv", "statement as json"),
    *("payments", "payment"),
)
CHANGE = ("state", "pay")

#: In order of the columns: yes where the answer is success, else the status code.
MATRIX = """
                                    sellers seller documents document pdf add change delete tickets over
nobody                              401     401    401       401      401 401 401    401    401     401
a wrong token                       401     401    401       401      401 401 401    401    401     401
an inactive token                   401     401    401       401      401 401 401    401    401     401

a token without order permissions   403     403    403       403      403 403 403    403    403     403
a token for check-in only           403     403    403       403      403 403 403    403    403     403
a token that reads orders           403     403    403       403      403 403 403    403    yes     403
a token that writes orders          403     403    403       403      403 403 403    403    403     403
a token that reads and writes       403     403    403       403      403 403 403    403    yes     403
a token that reads sellers          yes     yes    yes       yes      yes 403 403    403    403     403
a token that changes sellers        403     403    403       403      403 yes yes    yes    403     403
a token for sellers                 yes     yes    yes       yes      yes yes yes    yes    403     403
a token that hands over             yes     yes    yes       yes      yes 403 403    403    403     yes
a token for all permissions         yes     yes    yes       yes      yes yes yes    yes    yes     yes
a token for this event              yes     yes    yes       yes      yes yes yes    yes    yes     yes
a token for another event           yes     yes    yes       yes      yes yes yes    yes    403     403
a token of another organizer        403     403    403       403      403 403 403    403    403     403

a device                            403     403    403       403      403 403 403    403    yes     yes
a device for another event          403     403    403       403      403 403 403    403    403     403
a device for scanning               403     403    403       403      403 403 403    403    403     403
a device before its initialization  401     401    401       401      401 401 401    401    401     401
a revoked device                    401     401    401       401      401 401 401    401    401     401

an app that reads                   yes     yes    yes       yes      yes 403 403    403    yes     403
an app that writes                  403     403    403       403      403 yes yes    yes    403     yes
an app that reads and writes        yes     yes    yes       yes      yes yes yes    yes    yes     yes
an app for another organizer        403     403    403       403      403 403 403    403    403     403
an app with an expired token        401     401    401       401      401 401 401    401    401     401

a member of the team                yes     yes    yes       yes      yes yes yes    yes    yes     yes
a user without a team               403     403    403       403      403 403 403    403    403     403

everything, off for the event       yes     yes    yes       yes      yes yes yes    yes    403     403
everything, off for the organizer   403     403    403       403      403 403 403    403    403     403
everything, to an unknown event     yes     yes    yes       yes      yes yes yes    yes    403     403
everything, to an unknown organizer 403     403    403       403      403 403 403    403    403     403
"""


def rows():
    for line in MATRIX.strip().splitlines()[1:]:
        if line:
            who, cells = line[:36].strip(), line[36:].split()
            cells += [cells[0]] * len(READ) + [cells[5]] * len(CHANGE)
            if who.endswith("off for the event"):
                cells[-2] = "400"  # what was sold of it can't be stated
            yield pytest.param(who, dict(zip(ENDPOINTS, cells, strict=True)), id=who)


def test_the_table_has_a_column_for_each_endpoint():
    served = {
        (pattern.name, method)
        for pattern in [*event_router.urls, *orga_router.urls, *urls.urlpatterns]
        if getattr(pattern.callback, "cls", None) in VIEWS
        for method in pattern.callback.actions
        if method in pattern.callback.cls.http_method_names and method != "head"
    }
    assert {(name, method) for name, method, _address, _status in ENDPOINTS.values()} == served


def test_all_ways_are_tried():
    assert {row.id for row in rows()} == set(WAYS)


@pytest.fixture
def places(event, organizer, series, make_batch):
    places = Ways(event, series)
    batch, seller = make_batch(amount=5), make_seller(organizer)
    document = handed_over(batch, seller, "1")
    handed_over(batch, seller, "4-5")
    batch.tickets.filter(number=4).update(sold=now())
    statement = make(seller, [event], now(), NOBODY)
    batch.tickets.filter(number=5).update(sold=now())
    payment = SellerPayment.objects.create(seller=seller, statement=statement, amount=1, date=now().date())
    places.ids = {
        "seller": seller.pk,
        "document": document.pk,
        "unused": make_seller(organizer, "Unused").pk,
        "statement": statement.pk,
        "payment": payment.pk,
    }
    places.bodies = {
        "add": {"name": "Bookshop"},
        "change": {"comment": "Changed"},
        "hand over": {"seller": seller.pk, "tickets": {str(batch.pk): "2-3"}},
        "state": {"seller": seller.pk},
        "pay": {"statement": statement.pk, "amount": "2.00", "date": "2026-07-01"},
    }
    return places


@pytest.mark.parametrize(("who", "expected"), list(rows()))
def test_who_may_do_what(places, who, expected):
    client, answers = WAYS[who](places), {}
    for name, (_url_name, method, address, success) in ENDPOINTS.items():
        place = places.event_for(who) if name in ("tickets", "hand over") else places.organizer_for(who)
        url, body = place + address.format(**places.ids), places.bodies.get(name)
        status = getattr(client, method)(url, body, format="json" if body else None).status_code
        answers[name] = "yes" if status == success else str(status)
    assert answers == expected
    # Who may not do it leaves no trace.
    assert Seller.objects.filter(name="Bookshop").exists() == (expected["add"] == "yes")
    assert Seller.objects.filter(comment="Changed").exists() == (expected["change"] == "yes")
    assert Seller.objects.filter(name="Unused").exists() == (expected["delete"] != "yes")
    notes = Document.objects.exclude(kind=DocumentKind.STATEMENT).count()
    assert notes == (3 if expected["hand over"] == "yes" else 2)
    assert Statement.objects.count() == (2 if expected["state"] == "yes" else 1)
    assert SellerPayment.objects.count() == (2 if expected["pay"] == "yes" else 1)


def test_the_docs_list_all_endpoints():
    docs = (Path(urls.__file__).parent.parent / "docs" / "api.rst").read_text()
    listed = re.findall(r"^``(GET|POST|PATCH|DELETE) (offlinesales[^`]*)`` ", docs, re.MULTILINE)
    there_are = {
        (method.upper(), re.sub(r"{\w+}", "(id)", address)) for _name, method, address, _status in ENDPOINTS.values()
    }
    assert sorted(listed) == sorted(there_are)
