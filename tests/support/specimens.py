"""What one sees before anything is made or printed."""

from io import BytesIO

from pretix_offlinesales.issuing.blueprint import simulate
from pretix_offlinesales.printing.specimen import print_first_sheet, print_specimen


def specimen(batch, seats=()) -> bytes:
    """The first ticket of this (unsaved) batch."""
    blueprint, output = simulate(batch, seats), BytesIO()
    print_specimen(batch, blueprint.order, blueprint.positions, output)
    return output.getvalue()


def first_sheet(batch, request) -> bytes:
    output = BytesIO()
    print_first_sheet(batch, request, output)
    return output.getvalue()
