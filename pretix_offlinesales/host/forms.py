"""Fields of forms, as the host's pages show them."""

from django.forms import Field


def show_as_required(field: Field) -> None:
    """
    Let the host's pages not call this field optional. It is required only together with what else is chosen, which
    Django does not know.
    """
    field._required = True
