"""Tickets, of a batch or of an event, and what has become of each, in the REST API."""

import django_filters
from django.db.models import Case, Q, QuerySet, Value, When
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import ItemVariation, Order
from rest_framework import mixins, serializers, viewsets

from ..db.pages import KeysFirst
from ..db.queries import first
from ..models import OfflineSalesTicket, ReturnKind
from ..tickets.figures import tickets_of
from ..tickets.splitting import find_split_off
from ..tickets.state import IN_STATE, LIVE, RETURNED, State, state_of_ticket, the_ticket, with_state
from ..tickets.worth import with_due
from .lists import BooleanFilter, Pagination, sellers_of
from .permissions import PluginPermission
from .views import shown_batches

FIELDS: tuple[str, ...] = (
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
    "seller",
    "state",
)


class TicketSerializer(serializers.ModelSerializer):
    """A ticket in the list of its batch."""

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
    state = serializers.SerializerMethodField()

    class Meta:
        model = OfflineSalesTicket
        fields = FIELDS
        read_only_fields = fields

    def get_returned(self, ticket: OfflineSalesTicket) -> str | None:
        return ticket.fate if ticket.fate in RETURNED else None

    def get_state(self, ticket: OfflineSalesTicket) -> str:
        return state_of_ticket(ticket)


class EventTicketSerializer(TicketSerializer):
    """A ticket in the list of all of an event."""

    active = serializers.BooleanField(read_only=True)

    class Meta(TicketSerializer.Meta):
        fields = tuple(dict.fromkeys(["batch", "number", "order", "seller", "state", "active", *FIELDS]))
        read_only_fields = fields


with scopes_disabled():

    class TicketFilter(FilterSet):
        status = django_filters.ChoiceFilter(field_name="shown_status", choices=Order.STATUS_CHOICE)
        returned = django_filters.ChoiceFilter(field_name="fate", choices=ReturnKind.choices)
        lost = BooleanFilter(field_name="is_lost")
        blocked = BooleanFilter(field_name="blocked", lookup_expr="isnull", exclude=True)
        printed = BooleanFilter(field_name="printed")
        checked_in = BooleanFilter(field_name="checked_in")
        seller = django_filters.ModelChoiceFilter(queryset=sellers_of, null_label="in stock")
        state = django_filters.ChoiceFilter(choices=State.choices, method="in_state")

        class Meta:
            model = OfflineSalesTicket
            fields = ("number",)

        def in_state(self, tickets, name, state):
            return tickets.filter(IN_STATE[State(state)])

    class EventTicketFilter(TicketFilter):
        batch = django_filters.ModelChoiceFilter(queryset=lambda request: shown_batches(request.event))
        item = django_filters.ModelChoiceFilter(field_name="batch__item", queryset=lambda request: request.event.items)
        variation = django_filters.ModelChoiceFilter(
            field_name="batch__variation",
            queryset=lambda request: ItemVariation.objects.filter(item__event=request.event),
        )
        subevent = django_filters.ModelChoiceFilter(
            field_name="batch__subevent", queryset=lambda request: request.event.subevents
        )


class TicketPagination(Pagination):
    django_paginator_class = KeysFirst


class TicketList(mixins.ListModelMixin, viewsets.GenericViewSet):
    http_method_names = ("get", "head", "options")
    permission = "event.orders:read"
    permission_classes = (PluginPermission,)
    queryset = OfflineSalesTicket.objects.none()
    pagination_class = TicketPagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)

    def paginate_queryset(self, queryset):
        tickets = super().paginate_queryset(queryset)
        find_split_off(tickets or [])
        return tickets


class TicketViewSet(TicketList):
    """The tickets of a batch."""

    serializer_class = TicketSerializer
    filterset_class = TicketFilter
    ordering = ("number",)
    ordering_fields = ("number",)

    def get_queryset(self):
        batch = get_object_or_404(shown_batches(self.request.event), pk=self.kwargs["batch"])
        return shown(tickets_of([batch]).select_related("order"))


class EventTicketViewSet(TicketList):
    """The tickets of all batches of an event."""

    serializer_class = EventTicketSerializer
    filterset_class = EventTicketFilter
    # By the key, or the batches would be looked up to sort by theirs.
    ordering = ("batch_id", "number")
    ordering_fields = ("batch", "number")

    def get_queryset(self):
        return shown(tickets_of(shown_batches(self.request.event)).select_related("order"))


def shown(tickets: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
    """
    With the secret of the ticket as it is now, what it is blocked for, and its order's status: canceled, where the
    order goes on without the ticket, too. An order that waits for approval is a ticket that is not ``active`` yet.
    """
    shown = Case(When(LIVE, canceled=True, then=Value(Order.STATUS_CANCELED)), default="order__status")
    return with_due(with_state(tickets)).annotate(
        secret=first(the_ticket(), "secret"),
        blocked=first(the_ticket(), "blocked"),
        is_lost=Q(lost__isnull=False),
        shown_status=shown,
        active=Q(order__require_approval=False) | Q(order__status=Order.STATUS_PAID),
    )
