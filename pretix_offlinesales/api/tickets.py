"""The tickets of a batch, and what has become of each, in the REST API."""

import django_filters
from django.db.models import Case, Q, QuerySet, Value, When
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import Order
from rest_framework import mixins, serializers, viewsets

from ..db.pages import KeysFirst
from ..db.queries import first
from ..models import OfflineSalesBatch, OfflineSalesTicket, ReturnKind
from ..tickets.figures import tickets_of
from ..tickets.splitting import find_split_off
from ..tickets.state import LIVE, RETURNED, the_ticket, with_state
from ..tickets.worth import with_due
from .lists import BooleanFilter, Pagination
from .views import PluginPermission


class TicketSerializer(serializers.ModelSerializer):
    order: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="code", read_only=True)
    secret = serializers.CharField(read_only=True)
    status = serializers.CharField(source="shown_status", read_only=True)
    split_to = serializers.CharField(read_only=True)
    returned = serializers.SerializerMethodField()
    lost = serializers.BooleanField(source="is_lost", read_only=True)
    blocked = serializers.JSONField(read_only=True)
    due = serializers.DecimalField(max_digits=13, decimal_places=2, read_only=True)
    due_besides = serializers.DecimalField(max_digits=13, decimal_places=2, read_only=True)
    printed = serializers.BooleanField(read_only=True)
    checked_in = serializers.BooleanField(read_only=True)

    class Meta:
        model = OfflineSalesTicket
        fields = (
            "number",
            "order",
            "secret",
            "status",
            "split_to",
            "returned",
            "lost",
            "blocked",
            "due",
            "due_besides",
            "printed",
            "checked_in",
        )

    def get_returned(self, ticket: OfflineSalesTicket) -> str | None:
        return ticket.fate if ticket.fate in RETURNED else None


with scopes_disabled():

    class TicketFilter(FilterSet):
        status = django_filters.ChoiceFilter(field_name="shown_status", choices=Order.STATUS_CHOICE)
        returned = django_filters.ChoiceFilter(field_name="fate", choices=ReturnKind.choices)
        lost = BooleanFilter(field_name="is_lost")
        blocked = BooleanFilter(field_name="blocked", lookup_expr="isnull", exclude=True)
        printed = BooleanFilter(field_name="printed")
        checked_in = BooleanFilter(field_name="checked_in")

        class Meta:
            model = OfflineSalesTicket
            fields = ("number",)


class TicketPagination(Pagination):
    django_paginator_class = KeysFirst


class TicketViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    http_method_names = ("get", "head", "options")
    permission = "event.orders:read"
    permission_classes = (PluginPermission,)
    queryset = OfflineSalesTicket.objects.none()
    serializer_class = TicketSerializer
    pagination_class = TicketPagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    filterset_class = TicketFilter
    ordering = ("number",)
    ordering_fields = ("number",)

    def paginate_queryset(self, queryset):
        tickets = super().paginate_queryset(queryset)
        find_split_off(tickets or [])
        return tickets

    def get_queryset(self):
        batches = OfflineSalesBatch.objects.filter(event=self.request.event, completed__isnull=False)
        batch = get_object_or_404(batches, pk=self.kwargs["batch"])
        return shown(tickets_of([batch]).select_related("order"))


def shown(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    With the secret of the ticket as it is now, what it is blocked for, and its order's status: canceled, where the
    order goes on without the ticket, too.
    """
    shown = Case(When(LIVE, canceled=True, then=Value(Order.STATUS_CANCELED)), default="order__status")
    return with_due(with_state(tickets)).annotate(
        secret=first(the_ticket(), "secret"),
        blocked=first(the_ticket(), "blocked"),
        is_lost=Q(lost__isnull=False),
        shown_status=shown,
    )
