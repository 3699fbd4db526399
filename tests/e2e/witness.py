"""
Looks into the database of a server that runs, and counts the tickets of a campaign one by one. For each line of its
input, it says what it found, as a line of JSON::

    python -m tests.e2e.witness DIRECTORY
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import demo

from .browser import FESTIVAL, SUMMER


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
    return {
        "contradictions": {what: repr(pair)[:500] for what, pair in books.contradictions().items()},
        "accounts": {seller.name: _numbers(books.account(seller)) for seller in books.sellers},
        "places": dict(Counter(books.place(paper) for paper in books.papers)),
    }


def _numbers(account) -> dict:
    tallies = {name: getattr(account, name) for name in ("held", "sold", "lost")}
    return {name: (tally.count, tally.value) for name, tally in tallies.items()} | {"owed": account.owed}


if __name__ == "__main__":
    main(*sys.argv[1:])
