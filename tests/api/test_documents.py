"""Documents in the API."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pretix.base.models import Organizer

from pretix_offlinesales.documents.kept import pdf
from pretix_offlinesales.models import Document, OfflineSalesBatch
from tests.support.sellers import handed_over, make_seller


@pytest.fixture
def documents(organizer):
    """Their address."""
    return f"/api/v1/organizers/{organizer.slug}/offlinesalesdocuments/"


@pytest.fixture
def notes(organizer, make_batch):
    """A delivery, a transfer and a take-back note."""
    batch, kiosk, office = make_batch(amount=10), make_seller(organizer), make_seller(organizer, "Tourist office")
    steps = [(kiosk, "1-6, 8", "In a blue envelope"), (office, "2-3", ""), (None, "8", "")]
    return [handed_over(batch, to, numbers, comment) for to, numbers, comment in steps]


def test_all_about_each(api, documents, notes):
    delivery, transfer, back = notes
    kiosk, office, batch = delivery.target_id, transfer.target_id, str(OfflineSalesBatch.objects.get().pk)

    def shown(document, **values):
        created = document.created.isoformat().replace("+00:00", "Z")
        same = {"number": 1, "event": "night", "created": created, "currency": "EUR", "comment": ""}
        return {"id": document.pk, **same, **values}

    expected = [
        shown(
            delivery,
            kind="delivery",
            seller=kiosk,
            **{"from": None, "to": kiosk},
            count=7,
            value="161.00",
            tickets={batch: "1-6, 8"},
            comment="In a blue envelope",
        ),
        shown(
            transfer,
            kind="transfer",
            seller=office,
            **{"from": kiosk, "to": office},
            count=2,
            value="46.00",
            tickets={batch: "2-3"},
        ),
        shown(
            back,
            kind="take_back",
            seller=kiosk,
            **{"from": kiosk, "to": None},
            count=1,
            value="23.00",
            tickets={batch: "8"},
        ),
    ]
    assert api.get(documents).json()["results"] == expected
    assert [api.get(f"{documents}{note.pk}/").json() for note in notes] == expected
    fields = ["id", "number", "kind", "seller", "from", "to", "event", "created", "count", "value", "tickets"]
    assert list(api.get(f"{documents}{back.pk}/").json()) == [*fields, "currency", "comment"]


def test_what_is_left_of_an_event_that_is_gone(api, documents, notes):
    Document.objects.update(event=None)
    notes[0].movements.update(batch=None)
    shown = api.get(f"{documents}{notes[0].pk}/").json()
    assert [shown[name] for name in ("event", "tickets", "count", "value")] == [None, {}, 7, "161.00"]


def test_its_pdf_is_the_one_that_is_kept(api, documents, notes):
    answer = api.get(f"{documents}{notes[1].pk}/pdf/")
    content = b"".join(answer.streaming_content)
    assert (answer.status_code, answer["Content-Type"], content[:5]) == (200, "application/pdf", b"%PDF-")
    assert answer["Content-Disposition"] == 'attachment; filename="museum-offlinesales-transfer-1.pdf"'
    assert answer["Cache-Control"] == "private, no-store"
    assert content == pdf(notes[1]).read()
    again = api.get(f"{documents}{notes[1].pk}/pdf/", headers={"Accept": "application/pdf"})
    assert b"".join(again.streaming_content) == content


def test_a_pdf_that_the_storage_has_lost(api, documents, notes):
    file = pdf(notes[0])
    file.storage.delete(file.name)
    answer = api.get(f"{documents}{notes[0].pk}/pdf/", headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"kind": "transfer"}, ["transfer"]),
        ({"kind": "statement"}, []),
        ({"number": "1"}, ["delivery", "transfer", "take_back"]),
        ({"number": "2"}, []),
        ({"event": "night"}, ["delivery", "transfer", "take_back"]),
        ({"event": "tours"}, []),
        ({"ordering": "-id"}, ["take_back", "transfer", "delivery"]),
        ({"ordering": "-created"}, ["take_back", "transfer", "delivery"]),
    ],
)
def test_filters(api, documents, notes, query, kinds):
    assert [each["kind"] for each in api.get(documents, query).json()["results"]] == kinds


def test_of_a_seller_who_got_them_or_gave_them_away(api, documents, notes):
    kiosk, office = notes[0].target_id, notes[1].target_id
    shown = [[each["kind"] for each in api.get(documents, {"seller": pk}).json()["results"]] for pk in (kiosk, office)]
    assert shown == [["delivery", "transfer", "take_back"], ["transfer"]]


def test_of_a_time(api, documents, notes):
    Document.objects.filter(pk=notes[0].pk).update(created=now() - timedelta(days=3))
    yesterday = (now() - timedelta(days=1)).isoformat()
    shown = [
        [each["kind"] for each in api.get(documents, {name: yesterday}).json()["results"]]
        for name in ("created_since", "created_before")
    ]
    assert shown == [["transfer", "take_back"], ["delivery"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "x"),
        ("number", "x"),
        ("seller", "x"),
        ("seller", "9" * 30),
        ("created_since", "x"),
        ("created_before", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_nonsense_names_the_filter(api, documents, name, value):
    answer = api.get(documents, {name: value})
    assert (answer.status_code, set(answer.data)) == (400, {name})


def test_documents_and_sellers_of_others_are_unknown(api, documents, notes):
    circus = Organizer.objects.create(name="Circus", slug="circus", plugins="pretix_offlinesales")
    other, stranger = notes[0], make_seller(circus)
    Document.objects.filter(pk=other.pk).update(organizer=circus)
    for pk in (other.pk, 0, 10**30):
        assert [api.get(f"{documents}{pk}/{end}").status_code for end in ("", "pdf/")] == [404, 404]
    assert [each["kind"] for each in api.get(documents).json()["results"]] == ["transfer", "take_back"]
    answers = [api.get(documents, {"seller": pk}) for pk in (stranger.pk, stranger.pk + 1)]
    assert (answers[0].status_code, answers[0].content) == (400, answers[1].content)


def test_they_can_only_be_read(api, documents, notes):
    for method in ("post", "put", "patch", "delete"):
        assert getattr(api, method)(f"{documents}{notes[0].pk}/", {}, format="json").status_code == 405
    assert api.post(documents, {}, format="json").status_code == 405


def test_more_documents_cost_no_more_queries(api, documents, organizer, make_batch):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert api.get(documents).status_code == 200
        return len(captured)

    batch, kiosk = make_batch(amount=10), make_seller(organizer)
    handed_over(batch, kiosk, "1")
    queries()
    few = queries()
    for number in range(2, 10):
        handed_over(batch, kiosk, str(number))
    assert queries() == few
