"""Which tickets are meant: by number, by order code, by what a scanner reads, or all that are still out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import QuerySet
from pretix.base.models import Event, OrderPosition
from pretix.base.models.orders import RevokedTicketSecret

from ..figures import with_state
from ..models import OfflineSalesBatch, OfflineSalesTicket
from ..numbers import parse_numbers
from .reasons import ALREADY_CANCELED, UNKNOWN


class Ticket(NamedTuple):
    """Of an ``OfflineSalesTicket``, what is needed to find its order and its place."""

    batch_id: int
    number: int
    order_id: int
    code: str


@dataclass(frozen=True)
class Choice:
    """One of the things that were asked for."""

    #: As it was given.
    value: str
    ticket: Ticket | None
    #: Why nothing can be done about it, if that is plain already.
    reason: str = ""

    @property
    def place(self) -> list[int]:
        """Where it is among all; as a list, since jobs remember it as JSON."""
        return [self.ticket.batch_id, self.ticket.number]

    def skipped_for(self, reason: str) -> dict:
        """As it is told to whoever asked."""
        return {"order": self.ticket and self.ticket.code, "value": self.value, "reason": reason}


def choose(event: Event, batch: OfflineSalesBatch | None, selection: dict) -> list[Choice]:
    """
    All that the selection names, in ticket order, and what is unknown after it. Nothing is named twice.

    :param batch: only its tickets are looked at; without it, those of the whole event
    :param selection: one of ``{"tickets": "1-50,60"}`` (of a batch), ``{"orders": […]}``, ``{"secrets": […]}`` and
        ``{"all": true}``
    """
    tickets = OfflineSalesTicket.objects.filter(batch__event=event, batch__completed__isnull=False)
    if batch:
        tickets = tickets.filter(batch=batch)
    [(what, wanted)] = selection.items()
    choices = list(CHOOSE[what](tickets, wanted))
    known = [choice for choice in choices if choice.ticket]
    return sorted(known, key=lambda choice: choice.place) + [choice for choice in choices if not choice.ticket]


def _still_out(tickets, wanted):
    out = with_state(tickets).filter(canceled=False)
    return (Choice(str(ticket.number), ticket) for ticket in _fetch(out))


def _by_number(tickets, wanted):
    numbers = parse_numbers(wanted)
    found = {ticket.number: ticket for ticket in _fetch(tickets.filter(number__in=numbers))}
    return (_choice(value, found.get(number)) for number, value in numbers.items())


def _by_code(tickets, wanted):
    values = {}
    for value in wanted:
        values.setdefault(value.strip().upper(), value)
    found = {ticket.code: ticket for ticket in _fetch(tickets.filter(order__code__in=values))}
    return (_choice(value, found.get(code)) for code, value in values.items())


def _by_secret(tickets, wanted):
    """
    Secrets of any of an order's positions. Those on the revocation list belong to paper that is not valid any more:
    the ticket was canceled, or its paper was replaced.
    """
    values = {}
    for value in wanted:
        values.setdefault(value.strip(), value)
    valid = dict(
        OrderPosition.all.filter(order__offline_sales_ticket__in=tickets, secret__in=values)
        .order_by("pk").values_list("secret", "order_id")
    )
    revoked = dict(
        RevokedTicketSecret.objects.filter(position__order__offline_sales_ticket__in=tickets, secret__in=values)
        .values_list("secret", "position__order_id")
    )
    chosen = tickets.filter(order__in={*valid.values(), *revoked.values()})
    found = {ticket.order_id: ticket for ticket in _fetch(chosen)}
    seen = set()
    for secret, value in values.items():
        if secret in valid:
            if valid[secret] not in seen:
                seen.add(valid[secret])
                yield Choice(value, found[valid[secret]])
        elif secret in revoked:
            yield Choice(value, found[revoked[secret]], ALREADY_CANCELED)
        else:
            yield Choice(value, None, UNKNOWN)


CHOOSE = {"all": _still_out, "tickets": _by_number, "orders": _by_code, "secrets": _by_secret}


def _choice(value, ticket):
    return Choice(value, ticket) if ticket else Choice(value, None, UNKNOWN)


def _fetch(tickets: QuerySet) -> Iterable[Ticket]:
    return map(Ticket._make, tickets.values_list("batch_id", "number", "order_id", "order__code"))
