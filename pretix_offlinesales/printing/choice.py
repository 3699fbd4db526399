"""Which tickets of a batch shall be printed. That is decided once, when it is asked for."""

from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Q, TextChoices
from django.utils.translation import gettext as _, gettext_lazy
from pretix.base.models import OrderPosition

from ..db.queries import exists_for_each, planned_plainly, unscoped
from ..models import OfflineSalesBatch
from ..tickets.numbers import format_numbers, parse_numbers
from ..tickets.selection import Selection, choose as find_tickets
from ..tickets.state import with_state


class Only(TextChoices):
    #: No print of it was ever recorded, by us or by anybody else.
    UNPRINTED = "unprinted", gettext_lazy("only tickets that were never printed")
    #: It is paid, or valid before it is, and not canceled.
    VALID = "valid", gettext_lazy("only tickets that are still valid")


#: What is printed of the tickets that are chosen, of those with their state: never what is canceled.
PRINTABLE = {
    None: Q(canceled=False),
    Only.UNPRINTED: Q(canceled=False, printed=False),
    Only.VALID: Q(canceled=False, valid=True),
}


def choose(batch: OfflineSalesBatch, tickets: str = "", only: str | None = None) -> list[int]:
    """
    The numbers of the tickets to print, in ascending order. Canceled ones are never printed.

    :param tickets: numbers, ranges and books, such as ``1-50, 60, book 3``; all if empty
    :param only: one of ``Only``
    :raises ValidationError: by key, if these are no numbers, or none of this batch, or if nothing is left to print
    """
    chosen = batch.tickets.order_by("number")
    if tickets:
        chosen = chosen.filter(number__in=_existing(batch, tickets))
    left = with_state(chosen).filter(PRINTABLE[only])
    with planned_plainly():
        numbers = list(left.values_list("number", flat=True))
    if not numbers:
        raise ValidationError({"only" if only else "tickets": nothing_to_print(chosen=True)})
    return numbers


def numbers_of(batch: OfflineSalesBatch, tickets: str) -> Sequence[int]:
    """:param tickets: numbers and ranges that were chosen; all of the batch, if empty"""
    return list(parse_numbers(tickets)) if tickets else batch.numbers


def nothing_to_print(chosen: bool) -> str:
    """:param chosen: whether somebody has chosen tickets, or wants all of the batch"""
    if chosen:
        return _("There is nothing to print among these tickets.")
    return _("There is nothing to print, because all tickets of this batch have been canceled or split off.")


def _existing(batch: OfflineSalesBatch, tickets: str) -> Collection[int]:
    try:
        choices = find_tickets(batch.event, batch, Selection.numbered(tickets, batch))
    except ValueError as error:
        raise ValidationError({"tickets": str(error)}) from error
    if missing := [int(choice.value) for choice in choices if not choice.ticket]:
        message = _("This batch has no tickets with these numbers: {numbers}")
        raise ValidationError({"tickets": message.format(numbers=format_numbers(missing))})
    return [choice.ticket.number for choice in choices]


def count_printed(batch: OfflineSalesBatch, numbers: Collection[int]) -> int:
    """How many of the tickets with these numbers were printed before."""
    with planned_plainly():
        return with_state(batch.tickets.filter(number__in=numbers)).filter(printed=True).count()


def count_blocked(batch: OfflineSalesBatch, numbers: Collection[int]) -> int:
    """How many of the tickets with these numbers are blocked: printed all the same, but refused as long as they are."""
    blocked = unscoped(OrderPosition.objects).filter(order=OuterRef("order"), blocked__isnull=False)
    return batch.tickets.filter(exists_for_each(blocked), number__in=numbers).count()
