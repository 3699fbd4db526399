"""
Looks into the database of a server that runs, and counts the tickets of a campaign one by one. For each line of its
input, it says what it found, as a line of JSON::

    python -m tests.e2e.witness DIRECTORY
"""

import json
import os
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import demo

from .browser import FESTIVAL, SUMMER

TALLIES = ("held", "sold", "lost")


def main(directory: str):
    demo.DIRECTORY = Path(directory)
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"

    import django

    django.setup()

    from django_scopes import scopes_disabled
    from pretix.base.models import Event

    from tests.support.campaign import Books

    with scopes_disabled():
        for _line in sys.stdin:
            event = Event.objects.get(organizer__slug=FESTIVAL, slug=SUMMER)
            print(json.dumps(_found(Books.of(event)), default=str), flush=True)


def _found(books) -> dict:
    accounts = {seller.name: _figures(books.account(seller)) for seller in books.sellers}
    out = [account for account in accounts.values() if any(account[name][0] for name in TALLIES)]
    return {
        "contradictions": {what: repr(pair)[:500] for what, pair in books.contradictions().items()},
        "accounts": accounts,
        "sum": {name: [sum(each[name][place] for each in out) for place in (0, 1)] for name in TALLIES}
        | {"owed": sum(each["owed"] for each in out)},
        "is_out": bool(out),
        "places": dict(Counter(books.place(paper) for paper in books.papers)),
        "ranges": list(_ranges(books)),
    }


def _figures(account) -> dict:
    return {name: [getattr(account, name).count, getattr(account, name).value] for name in TALLIES} | {
        "owed": account.owed
    }


def _ranges(books):
    """Neighbours that are in the same place: batch, first and last number, place and holder."""
    names = {seller.pk: seller.name for seller in books.sellers}
    together = groupby(books.papers, lambda paper: (paper.batch, books.place(paper), paper.seller))
    for (batch, place, seller), papers in together:
        numbers = [paper.number for paper in papers]
        yield [batch, numbers[0], numbers[-1], place, names.get(seller)]


if __name__ == "__main__":
    main(*sys.argv[1:])
