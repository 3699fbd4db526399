"""
Which tickets are meant: by number, by order code, by what a scanner reads, or all that are still out. Whoever returns,
prints or does something else with tickets says it by a ``Selection``, and ``choose`` finds them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from pretix.base.models import Event, Order, OrderPosition
from pretix.base.models.orders import RevokedTicketSecret

from ..db.queries import among, exists_for_each, planned_plainly, unscoped
from ..db.rows import look_up
from ..models import MAX_AMOUNT, OfflineSalesBatch, OfflineSalesTicket, Seller, StatementEntry
from .books import spelled_out
from .lines import Line, as_lines, batch_with_books, read_each, read_lines, read_name, too_many
from .numbers import format_ranges, parse_numbers, ranges_of
from .origin import ticket_name
from .reasons import ALREADY_CANCELED, AMBIGUOUS, HELD_ELSEWHERE, REVOKED, TEXTS, UNKNOWN
from .state import with_state

#: How many of what can't be left alone are named.
MAX_WRONG = 20


class Ticket(NamedTuple):
    """Of an ``OfflineSalesTicket``, what is needed to find its order and its place."""

    batch_id: int
    number: int
    order_id: int
    code: str

    @property
    def name(self) -> str:
        return ticket_name(self.batch_id, self.number)


@dataclass(frozen=True)
class Choice:
    """One of the things that were asked for."""

    #: As it was given.
    value: str
    ticket: Ticket | None
    #: Why nothing can be done about it, if that is plain already.
    reason: str = ""
    #: The line that it was named in, if there were lines.
    line: str = ""
    #: What was given is the code on a paper, as long as nobody replaces it.
    scanned: bool = False

    @property
    def place(self) -> list[int]:
        """Where it is among all, if it is known; as a list, since jobs remember it as JSON."""
        return [self.ticket.batch_id, self.ticket.number] if self.ticket else []

    @property
    def code(self) -> str | None:
        """Of its order, if it is known."""
        return self.ticket and self.ticket.code

    def refusal(self, refused: dict[int, str]) -> str:
        """
        Why nothing can be done about it; empty if something can.

        :param refused: what has turned out since, by order
        """
        return self.reason or (refused.get(self.ticket.order_id, "") if self.ticket else "")

    def skipped_for(self, reason: str) -> dict:
        """As it is told to whoever asked."""
        return {"order": self.code, "value": self.value, "reason": reason}


class By(StrEnum):
    """The ways to say which tickets are meant. The values are those of the API, and of what jobs remember."""

    #: The numbers of a batch, as text: ``1-50, 60``.
    NUMBERS = "tickets"
    #: Order codes.
    ORDERS = "orders"
    #: What a scanner reads, of any of an order's positions.
    SECRETS = "secrets"
    #: All of that, as people type it (see ``lines``).
    LINES = "lines"
    #: Lines too, but each names all that it means, whatever others name.
    EACH = "each"
    #: All that something can be done about.
    ALL = "all"
    #: What a statement says that its seller owes, by its key; it may have come back since. For jobs, not in the API.
    STATEMENT = "statement"
    #: What was chosen before, by codes that may mean nothing any more: what was given, order code, reason.
    FOUND = "found"


@dataclass(frozen=True)
class Selection:
    """Which tickets somebody means, said in one way. Only ``choose`` knows which there are."""

    by: By
    wanted: Any = True

    @classmethod
    def numbered(cls, text: str, batch: OfflineSalesBatch | None = None) -> "Selection":
        """
        :param text: ``1-50, 60``, and ``book 3`` of the batch
        :raises ValueError: with a message for people, if these are no numbers or books of the batch, or too many
        """
        if batch:
            text = spelled_out(batch, text)
        parse_numbers(text)
        return cls(By.NUMBERS, text)

    @classmethod
    def parse(cls, text: str, event: Event, batch: OfflineSalesBatch | None) -> "Selection":
        """
        What people type, scan or upload. Nothing is selected, if it names nothing.

        :param batch: whose numbers are meant where none is named
        :raises ValueError: with a message for people, if these are more tickets than one may ask about
        """
        return cls(By.LINES, tuple(read_lines(as_lines(text), event, batch)))

    @classmethod
    def from_json(cls, data: dict) -> "Selection":
        """:raises ValueError: if it is no ``data`` of a selection"""
        if len(data) != 1:
            raise ValueError(f"A selection says in one way which tickets are meant, and not in {len(data)}.")
        [(by, wanted)] = data.items()
        return cls(By(by), tuple(wanted) if isinstance(wanted, list) else wanted)

    @property
    def data(self) -> dict:
        """As JSON, for jobs to remember."""
        if self.by in (By.LINES, By.EACH):
            return {self.by.value: [line.stored if isinstance(line, Line) else line for line in self.wanted]}
        return {self.by.value: list(self.wanted) if isinstance(self.wanted, tuple) else self.wanted}

    def __bool__(self) -> bool:
        return bool(self.wanted)


#: All of a batch, or of the event.
ALL = Selection(By.ALL)


def choose(
    event: Event,
    batch: OfflineSalesBatch | None,
    selection: Selection,
    candidates: Q | None = None,
    dead: str = REVOKED,
) -> list[Choice]:
    """
    All that the selection names, in ticket order, and what is unknown after it. Nothing is named twice.

    :param batch: only its tickets are looked at; without it, those of the whole event
    :param selection: its lines may be read already or not
    :param candidates: what all tickets are, of those with their state
    :param dead: what is said of paper whose code has been revoked
    """
    tickets = OfflineSalesTicket.objects.filter(batch__event=event, batch__completed__isnull=False)
    if batch:
        tickets = tickets.filter(batch=batch)
    wanted = selection.wanted
    if selection.by == By.ALL:
        tickets = with_state(tickets).filter(candidates or Q())
    if selection.by in (By.LINES, By.EACH):
        unread = [line for line in wanted if not isinstance(line, Line)]
        wanted = read_each(unread, event, batch) if unread else wanted
    with planned_plainly():
        choices = list(CHOOSE[selection.by](tickets, wanted, dead))
    known = [choice for choice in choices if choice.ticket]
    return sorted(known, key=lambda choice: choice.place) + [choice for choice in choices if not choice.ticket]


def all_but(
    event: Event,
    batch: OfflineSalesBatch | None,
    exceptions: Selection,
    candidates: Q | None = None,
    seller: Seller | None = None,
) -> Selection:
    """
    All that ``choose`` would find now but for these, as lines: what somebody gets later is not meant. Nothing, if none
    is left.

    :param exceptions: may be nothing
    :param candidates: what all tickets are, of those with their state
    :param seller: who has them, or answers for them; whoever does, if it is None
    :raises ValueError: with a message for people, if one of the exceptions is none of all these tickets: something else
        would be meant by mistake
    """
    named = of_all(event, batch, exceptions, seller)
    if wrong := [(choice.value, reason) for choice, reason in named if reason]:
        raise ValueError(_not_left_alone(wrong))
    theirs = Q(seller=seller) if seller else Q()
    spared = {choice.ticket for choice, _reason in named}
    numbers: dict[int, list[int]] = defaultdict(list)
    for choice in choose(event, batch, ALL, (candidates or Q()) & theirs):
        if choice.ticket and choice.ticket not in spared:
            numbers[choice.ticket.batch_id].append(choice.ticket.number)
    if sum(map(len, numbers.values())) > MAX_AMOUNT:
        raise too_many()
    ranges = ((pk, each) for pk, found in numbers.items() for each in ranges_of(found))
    return Selection(By.LINES, tuple(f"#{pk}: {format_ranges([each])}" for pk, each in ranges))


def holders(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[Seller]:
    """Those of these tickets, or who answer for them."""
    return Seller.objects.filter(Exists(tickets.filter(seller=OuterRef("pk")).order_by()))


def of_all(
    event: Event, batch: OfflineSalesBatch | None, exceptions: Selection, seller: Seller | None = None
) -> list[tuple[Choice, str]]:
    """The exceptions of ``all_but``, each with the reason why it can't be one; empty if it can."""
    choices = choose(event, batch, exceptions) if exceptions else []
    orders = [choice.ticket.order_id for choice in choices if choice.ticket]
    tickets = unscoped(OfflineSalesTicket.objects).filter(among("order", orders)) if seller and orders else None
    theirs = set(tickets.filter(seller=seller).values_list("order", flat=True)) if tickets is not None else set(orders)
    found = []
    for choice in choices:
        if not choice.ticket:
            found.append((choice, choice.reason))
        else:  # whatever is wrong with the paper, it is plain which ticket is left alone
            found.append((choice, "" if choice.ticket.order_id in theirs else HELD_ELSEWHERE))
    return found


def _not_left_alone(wrong: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{value} ({TEXTS[reason]})" for value, reason in wrong[:MAX_WRONG])
    message = _("These are none of the tickets that are meant, so they can't be left alone: {tickets}")
    return message.format(tickets=f"{shown}, …" if wrong[MAX_WRONG:] else shown)


def find_elsewhere(event: Event, values: Iterable[str]) -> dict[str, Ticket]:
    """What a batch does not know may be a ticket of another one: those of the event, by what was given."""
    lines = read_each(values, event, None)
    choices = choose(event, None, Selection(By.EACH, tuple(lines)), dead=ALREADY_CANCELED) if lines else []
    return {choice.value: choice.ticket for choice in choices if choice.ticket}


def named_by(text: str) -> Q | None:
    """The tickets that a text such as ``#3-17``, ``#3: 1-50`` or ``#3 book 1`` names, whatever event they belong to."""
    text = text.strip()
    bound = batch_with_books(text)
    named = read_name(text, unscoped(OfflineSalesBatch.objects).in_bulk([bound]) if bound else {})
    if not named or not named[1]:
        return None
    batch, numbers = named
    return Q(batch=batch, number__range=(numbers[0], numbers[-1]))


def settled(selection: Selection, choices: list[Choice]) -> Selection:
    """
    The selection that makes the same choices whenever it is looked up again. Numbers and order codes
    stay what they are, but a secret that was replaced is not known any more.
    """
    if any(choice.scanned for choice in choices):
        return Selection(By.FOUND, tuple([choice.value, choice.code, choice.reason] for choice in choices))
    return selection


def _all(tickets, wanted, dead):
    return (Choice(str(ticket.number), ticket) for ticket in _fetch(tickets))


def _by_number(tickets, wanted, dead):
    numbers = parse_numbers(wanted)
    found = {ticket.number: ticket for ticket in _fetch(tickets.filter(among("number", numbers)))}
    return (_choice(value, found.get(number)) for number, value in numbers.items())


def _by_code(tickets, wanted, dead):
    values: dict[str, str] = {}
    for value in wanted:
        values.setdefault(value.strip().upper(), value)
    found = {ticket.code: ticket for ticket in _fetch(tickets.filter(order__code__in=values))}
    return (_choice(value, found.get(code)) for code, value in values.items())


def _by_secret(tickets, wanted, dead):
    """
    Secrets of any of an order's positions. Those on the revocation list belong to paper that is not valid any more:
    the ticket was canceled, or its paper was replaced.
    """
    values: dict[str, str] = {}
    for value in wanted:
        values.setdefault(value.strip(), value)
    valid, revoked = _secrets(tickets, values)
    chosen = tickets.filter(order__in={*valid.values(), *revoked.values()})
    found = {ticket.order_id: ticket for ticket in _fetch(chosen)}
    seen = set()
    for secret, value in values.items():
        if secret in valid:
            if valid[secret] not in seen:
                seen.add(valid[secret])
                yield Choice(value, found[valid[secret]], scanned=True)
        elif secret in revoked:
            yield Choice(value, found[revoked[secret]], dead)
        else:
            yield Choice(value, None, UNKNOWN)


def _secrets(tickets: QuerySet, texts: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
    """The orders with these secrets, and those that had them until they were revoked."""
    positions, revoked = unscoped(OrderPosition.all), unscoped(RevokedTicketSecret.objects)
    return (
        look_up(texts, positions.filter(_is_of(tickets, "order")), "secret", "order"),
        look_up(texts, revoked.filter(_is_of(tickets, "position__order")), "secret", "position__order"),
    )


def _is_of(tickets: QuerySet, order: str) -> ExpressionWrapper:
    return exists_for_each(tickets.filter(order=OuterRef(order)))


def _by_line(tickets: QuerySet, lines: list[Line], dead: str) -> Iterator[Choice]:
    seen = set()
    for choice in _by_each_line(tickets, lines, dead):
        if choice.reason or choice.ticket not in seen:
            yield choice
        if not choice.reason:
            seen.add(choice.ticket)


def _by_each_line(tickets: QuerySet, lines: list[Line], dead: str) -> Iterator[Choice]:
    """
    Whatever a line could mean is looked for; what could mean two different tickets means none. What another line names
    as well is named twice.
    """
    valid, revoked = _secrets(tickets, {text for line in lines for text in line.secrets})
    codes = {code for line in lines for code in line.codes}  # as far as anybody knows, so secrets are among them
    orders = look_up(codes, unscoped(Order.objects).filter(_is_of(tickets, "pk")), "code", "pk")
    meant = Q(order__in={*orders.values(), *valid.values(), *revoked.values()}) | _of_numbers(tickets, lines)
    found = list(_fetch(tickets.filter(meant)))
    by_code = {ticket.code: ticket for ticket in found}
    by_order = {ticket.order_id: ticket for ticket in found}
    by_number: dict[tuple[int | None, int], Ticket] = {(ticket.batch_id, ticket.number): ticket for ticket in found}
    for line in lines:
        named = {by_code[code] for code in line.codes if code in by_code}
        named |= {by_order[valid[text]] for text in line.secrets if text in valid}
        gone = {by_order[revoked[text]] for text in line.secrets if text in revoked} - named
        scanned = not valid.keys().isdisjoint(line.secrets)
        numbers = [(number, by_number.get((line.batch, number))) for number in line.numbers]
        if len(numbers) == 1:
            named |= {ticket for _number, ticket in numbers if ticket}
            numbers = []
        if len(named | gone) > 1 or (numbers and named | gone):
            yield Choice(line.text, None, AMBIGUOUS, line.text, scanned)
        elif numbers:
            yield from (_choice(line.name(number), ticket, line.text) for number, ticket in numbers)
        elif named:
            yield Choice(line.text, named.pop(), line=line.text, scanned=scanned)
        elif gone:
            yield Choice(line.text, gone.pop(), dead, line.text)
        else:
            yield Choice(line.text, None, UNKNOWN, line.text)


def _of_numbers(tickets: QuerySet, lines: list[Line]) -> Q:
    """A condition for each batch that there is: anybody can name thousands that there are not."""
    by_batch: dict[int | None, set[int]] = defaultdict(set)
    for line in lines:
        by_batch[line.batch].update(line.numbers)
    named = OfflineSalesBatch.objects.filter(pk__in=[pk for pk, numbers in by_batch.items() if numbers])
    batches = named.filter(Exists(tickets.filter(batch=OuterRef("pk")))).values_list("pk", flat=True)
    conditions = [Q(among("number", by_batch[pk]), batch=pk) for pk in batches]
    return Q(*conditions, _connector=Q.OR) if conditions else Q(pk=None)


def _of_statement(tickets, wanted, dead):
    stated = unscoped(StatementEntry.objects).filter(statement=wanted, count=1).order_by()
    return (Choice(ticket.name, ticket) for ticket in _fetch(tickets.filter(pk__in=stated.values("ticket"))))


def _as_found(tickets, wanted, dead):
    codes = [code for _value, code, _reason in wanted if code]
    found = {ticket.code: ticket for ticket in _fetch(tickets.filter(order__code__in=codes))}
    for value, code, reason in wanted:
        yield Choice(value, found.get(code), reason or ("" if code in found else UNKNOWN))


CHOOSE = {
    By.NUMBERS: _by_number,
    By.ORDERS: _by_code,
    By.SECRETS: _by_secret,
    By.LINES: _by_line,
    By.EACH: _by_each_line,
    By.ALL: _all,
    By.STATEMENT: _of_statement,
    By.FOUND: _as_found,
}


def _choice(value, ticket, line=""):
    return Choice(value, ticket, "" if ticket else UNKNOWN, line)


def _fetch(tickets: QuerySet) -> Iterable[Ticket]:
    return map(Ticket._make, tickets.values_list("batch_id", "number", "order_id", "order__code"))
