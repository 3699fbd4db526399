"""Numbers of documents, without gaps for each kind and organizer."""

from pretix.base.models import Organizer

from ..models import DocumentCounter

#: The series of self-billing invoices: statements that are invoices about commissions have a number in it, too.
SELF_BILLING = "self_billing"


def next_number(organizer: Organizer, kind: str) -> int:
    """
    Call this in the transaction that writes the document, as the last thing that anybody may have to wait for: who gets
    a number holds up all others until its end.

    :param kind: one of ``DocumentKind``, or ``SELF_BILLING``
    """
    counters = DocumentCounter.objects.select_for_update()
    counter, _created = counters.get_or_create(organizer=organizer, kind=kind)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last
