"""A batch that a seller gets as it is made, asked for in the backend."""

import pytest

from pretix_offlinesales.models import READ_SELLERS, Document, Job, OfflineSalesBatch
from tests.support.pages import alerts, errors, shown, soup, words
from tests.support.sellers import handed_over, held, make_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def kiosk(organizer):
    return make_seller(organizer, identifier="K-7")


@pytest.fixture
def ask(anna, pages, filled_in, worker):
    def ask(page="add", **values):
        with worker():
            return anna.post(f"{pages}{page}", filled_in | values)

    return ask


def offered(response):
    return [words(option) for option in soup(response).select("[name=seller] option")]


def documents(response):
    found = soup(response).select(".panel:has(a[href$='delivery.pdf']) tbody tr")
    return [[words(cell) for cell in row.select("td")] for row in found]


def test_only_active_sellers_are_offered(anna, pages, organizer, kiosk):
    gone = make_seller(organizer, "Gone", active=False)
    form = anna.get(f"{pages}add?seller={kiosk.pk}")
    assert offered(form) == ["Nobody, they stay in stock", "Kiosk (K-7)"]
    assert soup(form).select_one("[name=seller] option[selected]")["value"] == str(kiosk.pk)
    kiosk.delete()
    gone.delete()
    assert offered(anna.get(f"{pages}add")) == []


def test_who_may_not_read_sellers_is_not_asked(client, user, organizer, pages, filled_in, kiosk, worker):
    team = organizer.teams.create(
        name="Writers",
        all_events=True,
        limit_event_permissions={"event.orders:read": True, "event.orders:write": True},
    )
    team.members.add(user)
    client.force_login(user)
    assert offered(client.get(f"{pages}add")) == []
    with worker():
        client.post(f"{pages}add", filled_in | {"seller": str(kiosk.pk)})
    batch = OfflineSalesBatch.objects.get()
    assert (held(kiosk, batch), held(None, batch)) == ([], [1, 2, 3])
    assert documents(client.get(f"{pages}{batch.pk}/")) == []


def test_the_page_of_the_batch_leads_to_the_documents(anna, pages, ask, kiosk, organizer):
    ask(seller=str(kiosk.pk), book_size="2")
    batch = OfflineSalesBatch.objects.get()
    page = anna.get(f"{pages}{batch.pk}/")
    assert documents(page) == [["Delivery note 1", "Kiosk", "3", "PDF"]]
    assert shown(page)["Tickets in a book"] == "2"
    links = [link["href"] for link in soup(page).select(".panel:has(a[href$='delivery.pdf']) tbody a")]
    assert [anna.get(link).status_code for link in links] == [200, 200]
    handed_over(batch, make_seller(organizer, "Office"), "1-2")
    assert [row[1:3] for row in documents(anna.get(f"{pages}{batch.pk}/"))] == [["Kiosk Office", "2"], ["Kiosk", "3"]]


@pytest.mark.parametrize(
    ("changed", "values", "message"),
    [
        ({"currency": "CHF"}, {}, "This seller sells in CHF, and the tickets of this event are sold in EUR."),
        ({"credit_limit": 68}, {}, "The seller would hold or owe €69.00, and the credit limit is €68.00."),
        ({}, {"testmode": "on"}, "Tickets of test mode cannot be handed over."),
    ],
)
def test_who_can_not_get_it_is_said_at_the_field(ask, kiosk, changed, values, message):
    type(kiosk).objects.filter(pk=kiosk.pk).update(**changed)
    values |= {"seller": str(kiosk.pk)}
    assert errors(ask(**values)) == {"seller": [message]}
    assert alerts(ask("preview", **values)) == [f"Seller: {message}"]
    assert ask("specimen", **values)["Content-Type"] == "application/pdf"
    assert Job.objects.count() == 0


def test_more_than_the_credit_limit_is_confirmed_by_whoever_may(ask, kiosk, team):
    type(kiosk).objects.filter(pk=kiosk.pk).update(credit_limit=68)
    assert not soup(ask("preview", seller=str(kiosk.pk))).select("[name=over_limit]")
    seen = ask(seller=str(kiosk.pk))
    assert soup(seen).select("[name=over_limit]")
    assert alerts(ask("preview", seller=str(kiosk.pk), over_limit="on")) == []
    assert ask(seller=str(kiosk.pk), over_limit="on").status_code == 302
    assert held(kiosk, OfflineSalesBatch.objects.get()) == [1, 2, 3]
    assert "exceeds the credit limit" in Document.objects.get().snapshot["terms"][-1]


def test_who_may_not_change_sellers_is_not_asked(ask, kiosk, team):
    type(kiosk).objects.filter(pk=kiosk.pk).update(credit_limit=68)
    team.all_organizer_permissions = False
    team.limit_organizer_permissions = {READ_SELLERS: True}
    team.save()
    seen = ask(seller=str(kiosk.pk), over_limit="on")
    assert "credit limit" in errors(seen)["seller"][0]
    assert not soup(seen).select("[name=over_limit]")
    assert Job.objects.count() == 0


def test_what_failed_is_tried_again_for_the_same_seller(anna, pages, ask, kiosk, filled_in):
    anna.post(f"{pages}add", filled_in | {"seller": str(kiosk.pk), "book_size": "3"})
    job = Job.objects.get()
    job.row.update(state=Job.State.FAILED)
    form = soup(anna.get(f"{pages}add?again={job.pk}"))
    assert form.select_one("[name=seller] option[selected]")["value"] == str(kiosk.pk)
    assert form.select_one("[name=book_size]")["value"] == "3"
    ask(seller=str(kiosk.pk), book_size="3", again=str(job.pk))
    assert Document.objects.get().target == kiosk
