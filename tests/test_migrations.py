"""Data of older versions."""

import pytest
from django.apps import apps
from django.utils.module_loading import import_string

from pretix_offlinesales.models import Job, OfflineSalesBatch

UNITS = [(1, 2), (3, 3)]


@pytest.mark.parametrize("first_number", [None, 1, 101])
def test_parts_of_prints_are_counted_from_one(event, item, web, first_number):
    """They were ranges of ticket numbers."""
    batch = OfflineSalesBatch.objects.create(
        event=event, item=item, sales_channel=web, amount=3, first_number=first_number
    )
    job = Job.objects.create(event=event, kind=Job.Kind.PRINT, batch=batch)
    before = (first_number or 1) - 1
    for first, last in UNITS:
        job.parts.create(first=before + first, last=before + last)
    import_string("pretix_offlinesales.migrations.0002_print_units.number_from_one")(apps, None)
    assert [(part.first, part.last) for part in job.parts.all()] == UNITS
