"""Tickets that come back: asking, working, and what there is to compare afterwards."""

from pretix.base.models import GiftCard

from pretix_offlinesales.kinds import RETURN, UNDO_RETURN
from pretix_offlinesales.tickets.selection import Selection

from .jobs import done, run, skipped
from .oracle import history

#: What differs between any two tickets of a batch.
OF_EACH_TICKET = {"payment_id", "seat_id"}


def asked(batch, selection=None, user=None, job_kind=RETURN, **request):
    """A job that waits to be done."""
    nobody = {"user": user, "api_token": None, "device": None, "oauth_application": None}
    return job_kind.ask(batch.event, Selection.from_json(selection or {"all": True}), nobody, batch, **request)


def returned(batch, selection=None, **values):
    """What becomes of the tickets, as those who asked are told."""
    job = run(asked(batch, selection, **values))
    assert (job.state, job.message) == ("succeeded", "")
    return done(job), [tuple(line.values()) for line in skipped(job)]


def orders(batch):
    return [ticket.order for ticket in batch.tickets.select_related("order").order_by("number")]


def codes(batch):
    return [order.code for order in orders(batch)]


def position(order):
    return order.positions.filter(addon_to=None).order_by("positionid").first()


def actions(order):
    return [action for action, _data in history(order)]


def details(order):
    """What the log entries of an order and of its gift cards say."""
    cards = GiftCard.objects.filter(issued_in__order=order)
    entries = [entry for logged in (order, *cards) for entry in logged.all_logentries().order_by("pk")]
    return sorted(
        (entry.action_type, entry.data, entry.event_id or 0, entry.organizer_id)
        for entry in entries
        if not entry.action_type.startswith("pretix_offlinesales")
    )


def revocations(order):
    """For each position, how many secrets were revoked, and whether the one that it has now is among them."""
    return [
        (position.revoked_secrets.count(), position.revoked_secrets.filter(secret=position.secret).exists())
        for position in order.all_positions.all()
    ]


def undone(event, batch, **numbers):
    return dealt_with(UNDO_RETURN, batch, **numbers)


def dealt_with(kind, batch, **numbers):
    """What became of these tickets, and the reason for each that was left alone."""
    wanted = batch.tickets.filter(**numbers).values_list("order__code", flat=True)
    done, skipped = returned(batch, {"orders": list(wanted)}, job_kind=kind)
    return done, {code: reason for code, _value, reason in skipped}


def secrets(order):
    return {
        (order.secret, order.internal_secret),
        *((each.secret, each.web_secret, each.pseudonymization_id) for each in order.positions.all()),
    }
