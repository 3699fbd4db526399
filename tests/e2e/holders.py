"""
Hands tickets of a batch over to sellers of these names, or (``""``) back to stock, in the database of a server that
runs::

    python -m tests.e2e.holders DIRECTORY BATCH {"Kiosk": "1-50"}
"""

import json
import os
import sys
from pathlib import Path

import demo


def main(directory: str, batch: str, numbers: str):
    demo.DIRECTORY = Path(directory)
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"

    import django

    django.setup()

    from django_scopes import scopes_disabled

    from pretix_offlinesales.models import OfflineSalesBatch, Seller
    from tests.support.sellers import handed_over

    with scopes_disabled():
        batch = OfflineSalesBatch.objects.get(pk=batch)
        for name, theirs in json.loads(numbers).items():
            sellers = Seller.objects.filter(organizer=batch.event.organizer)
            seller = name and sellers.get_or_create(name=name, defaults={"organizer": batch.event.organizer})[0]
            handed_over(batch, seller or None, theirs)


if __name__ == "__main__":
    main(*sys.argv[1:])
