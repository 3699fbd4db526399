"""What all lists in the REST API have in common: how long their pages are, and how filters read what is asked for."""

from datetime import UTC

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from pretix.api.pagination import Pagination as HostPagination
from rest_framework import serializers
from rest_framework.request import Request

from ..models import Seller


class Pagination(HostPagination):
    """As the host's, but whoever has thousands of tickets may ask for more of them at once."""

    max_page_size = 500


class BooleanField(forms.NullBooleanField):
    """Understands what a request's body may say, too. Forms take what they don't understand for no answer."""

    widget = forms.TextInput

    def to_python(self, value):
        try:
            return None if value in self.empty_values else serializers.BooleanField().to_internal_value(value)
        except serializers.ValidationError as error:
            raise ValidationError(error.detail, code="invalid") from error


class BooleanFilter(django_filters.BooleanFilter):
    field_class = BooleanField


class MomentField(django_filters.fields.IsoDateTimeField):
    def to_python(self, value):
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:  # a moment of the year 1 that is in the year 0 elsewhere
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


def sellers_of(request: Request) -> QuerySet[Seller]:
    """All that may be named: others are as unknown as those that there are not."""
    return Seller.objects.filter(organizer=request.organizer)
