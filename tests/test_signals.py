"""What the backend says about batches, in the words of the log."""

import pytest
from django.utils.translation import override
from pretix.base.models import LogEntry


def told(entries):
    with override("en"):
        return [entry.display() for entry in entries.order_by("pk")]


def link(batch, text):
    address = f"/control/event/{batch.event.organizer.slug}/{batch.event.slug}/offlinesales/{batch.pk}/"
    return f'<a href="{address}">{text}</a>'


def test_the_batch_tells_that_it_was_issued_and_changed(api, url, make_batch):
    batch = make_batch(amount=4)
    api.patch(f"{url}{batch.pk}/", {"comment": "For Bob"}, format="json")
    assert told(batch.all_logentries()) == [
        "4 tickets have been issued for offline sales.",
        "The comment has been changed.",
    ]


@pytest.mark.parametrize(
    ("action", "amount", "text"),
    [
        ("issued", 1, "1 ticket has been issued for offline sales."),
        ("printed", 1, "1 ticket has been printed."),
        ("printed", 2, "2 tickets have been printed."),
        ("returned", 1, "1 ticket has been returned (unsold)."),
        ("returned", 2, "2 tickets have been returned (unsold)."),
    ],
)
def test_one_ticket_is_not_many(make_batch, action, amount, text):
    batch = make_batch(amount=2)
    entry = batch.log_action(f"pretix_offlinesales.batch.{action}", {"amount": amount, "kind": "unsold"})
    with override("en"):
        assert entry.display() == text


def test_the_order_tells_which_ticket_of_which_batch_it_is(make_batch):
    batch = make_batch(amount=4)
    order = batch.tickets.get(number=3).order
    entries = order.all_logentries().filter(action_type="pretix_offlinesales.order.issued")
    assert told(entries) == [link(batch, f"Offline sales batch {batch.pk}, ticket 3 of 4") + "."]


def test_one_entry_a_batch_is_about_the_batch_and_the_rest_about_orders(event, make_batch):
    make_batch(amount=2)
    entries = LogEntry.objects.filter(event=event).values_list("content_type__model", "action_type")
    assert sorted(entries) == [
        ("offlinesalesbatch", "pretix_offlinesales.batch.issued"),
        *2 * [("order", "pretix.event.order.paid")],
        *2 * [("order", "pretix.event.order.payment.confirmed")],
        *2 * [("order", "pretix.event.order.placed")],
        *2 * [("order", "pretix_offlinesales.order.issued")],
    ]


@pytest.mark.parametrize("page", ["logs/", "orders/{order}/"])
def test_the_backends_pages_show_the_entries(client, user, team, make_batch, page):
    batch = make_batch(amount=1)
    client.force_login(user)
    page = page.format(order=batch.tickets.get().order.code)
    shown = client.get(f"/control/event/{batch.event.organizer.slug}/{batch.event.slug}/{page}")
    assert shown.status_code == 200
    assert link(batch, f"Offline sales batch {batch.pk}, ticket 1 of 1") in shown.content.decode()


def test_the_log_shows_the_batch_even_after_it_is_gone(api, client, user, team, event, make_batch):
    batch = make_batch(amount=1, testmode=True)
    code = batch.tickets.get().order.code
    assert (
        api.delete(f"/api/v1/organizers/{event.organizer.slug}/events/{event.slug}/orders/{code}/").status_code == 204
    )
    client.force_login(user)
    shown = client.get(f"/control/event/{event.organizer.slug}/{event.slug}/logs/")
    assert shown.status_code == 200
    assert "1 ticket has been issued for offline sales." in shown.content.decode()
