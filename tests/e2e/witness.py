"""
Looks into the database of a server that runs, and counts the tickets of a campaign one by one. For each line of its
input, it says what it found, as a line of JSON::

    python -m tests.e2e.witness DIRECTORY ORGANIZER EVENT
"""

import json
import os
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import demo

TALLIES = ("held", "sold", "lost")
SUMS = ("owed", "balance")


def main(directory: str, organizer: str, event: str):
    demo.DIRECTORY = Path(directory)
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"

    import django

    django.setup()

    from django_scopes import scopes_disabled
    from pretix.base.models import Event

    from pretix_offlinesales.models import Job
    from tests.support.campaign import Books

    with scopes_disabled():
        for _line in sys.stdin:
            books = Books.of(Event.objects.get(organizer__slug=organizer, slug=event))
            working = Job.objects.filter(state__in=Job.UNFINISHED, event=books.events[0]).count()
            print(json.dumps(_found(books) | {"working": working}, default=str), flush=True)


def _found(books) -> dict:
    accounts = {seller.name: _figures(books.account(seller)) for seller in books.sellers}
    return {
        "contradictions": {what: repr(pair)[:500] for what, pair in books.contradictions().items()},
        "accounts": accounts,
        "sum": {name: [sum(each[name][place] for each in accounts.values()) for place in (0, 1)] for name in TALLIES}
        | {name: sum(each[name] for each in accounts.values()) for name in SUMS},
        "is_out": any(seller.currency for seller in books.sellers),
        "statements": list(_statements(books)),
        "payments": list(_payments(books)),
        "places": dict(Counter(books.place(paper) for paper in books.papers)),
        "ranges": list(_ranges(books)),
    }


def _figures(account) -> dict:
    tallies = {name: [getattr(account, name).count, getattr(account, name).value] for name in TALLIES}
    return tallies | {name: getattr(account, name) for name in SUMS}


def _statements(books):
    """Number, seller, stage, what is due, what of it is paid, and what is open."""
    names = {seller.pk: seller.name for seller in books.sellers}
    paid = {pk: amount for seller in books.sellers for pk, amount in books.money.paid_of(seller).items()}
    for each in books.money.statements:
        left = each.due - paid[each.pk]
        number, stage = each.document.number, "Open" if left else "Settled"
        yield [number, names[each.seller_id], stage, each.due, paid[each.pk], left]


def _payments(books):
    """Number of the statement, seller, reference and amount."""
    names = {seller.pk: seller.name for seller in books.sellers}
    numbers = {each.pk: each.document.number for each in books.money.statements}
    for each in books.money.payments:
        yield [numbers[each.statement_id], names[each.seller_id], each.reference, each.amount]


def _ranges(books):
    """Neighbours that are in the same place: batch, first and last number, place and holder."""
    names = {seller.pk: seller.name for seller in books.sellers}
    together = groupby(books.papers, lambda paper: (paper.batch, books.place(paper), paper.seller))
    for (batch, place, seller), papers in together:
        numbers = [paper.number for paper in papers]
        yield [batch, numbers[0], numbers[-1], place, names.get(seller)]


if __name__ == "__main__":
    main(*sys.argv[1:])
