"""Delivery, take-back and transfer notes, and statements, in the REST API."""

from collections import defaultdict

import django_filters
from django.db.models import Case, JSONField, Q, QuerySet, When
from django.db.models.fields.json import KeyTransform
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from rest_framework import serializers, viewsets
from rest_framework.decorators import action

from ..downloads import document_pdf
from ..models import READ_SELLERS, Document, DocumentKind
from ..tickets.numbers import format_numbers, format_ranges, parse_numbers
from .lists import MomentFilter, Pagination, sellers_of
from .permissions import OrganizerPermission

#: What these fields are called in the API: no field of a serializer can be called ``from``.
NAMES = {"source": "from", "target": "to"}


class DocumentSerializer(serializers.ModelSerializer):
    seller = serializers.SerializerMethodField()
    event: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    tickets = serializers.SerializerMethodField()

    class Meta:
        model = Document
        fields = (
            "id",
            "number",
            "kind",
            "seller",
            "source",
            "target",
            "event",
            "created",
            "count",
            "value",
            "tickets",
            "currency",
            "comment",
        )

    def get_seller(self, document: Document) -> int | None:
        return document.target_id or document.source_id

    def get_tickets(self, document: Document) -> dict[str, str]:
        """The numbers of each batch that still exists; in statements, of all that there were."""
        if document.kind == DocumentKind.STATEMENT:
            return _stated(document.stated_lines)
        movements = document.movements.all()
        return {str(each.batch_id): format_ranges(each.numbers) for each in movements if each.batch_id}

    def to_representation(self, document: Document) -> dict:
        values = super().to_representation(document)
        return {NAMES.get(name, name): value for name, value in values.items()}


def _stated(lines: list[dict]) -> dict[str, str]:
    """
    :param lines: of the snapshot of a statement. A ticket may be in several.
    """
    numbers: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        for batch, text in line["tickets"].items():
            numbers[batch].update(parse_numbers(text))
    return {batch: format_numbers(sorted(found)) for batch, found in numbers.items()}


with scopes_disabled():

    class DocumentFilter(FilterSet):
        seller = django_filters.ModelChoiceFilter(queryset=sellers_of, method="of_seller")
        event = django_filters.CharFilter(field_name="event__slug")
        created_since = MomentFilter(field_name="created", lookup_expr="gte")
        created_before = MomentFilter(field_name="created", lookup_expr="lt")

        class Meta:
            model = Document
            fields = ("kind", "number")

        def of_seller(self, documents, name, seller):
            return documents.filter(Q(source=seller) | Q(target=seller))


class DocumentViewSet(viewsets.ReadOnlyModelViewSet):
    http_method_names = ("get", "head", "options")
    permission = READ_SELLERS
    permission_classes = (OrganizerPermission,)
    queryset = Document.objects.none()
    serializer_class = DocumentSerializer
    pagination_class = Pagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    filterset_class = DocumentFilter
    ordering = ("id",)
    ordering_fields = ("id", "created", "number")
    lookup_value_regex = "[0-9]+"

    def perform_content_negotiation(self, request, force=False):
        # Who downloads a PDF may say that nothing else is welcome; then errors are JSON all the same.
        return super().perform_content_negotiation(request, force=force or self.action == "pdf")

    def get_queryset(self) -> QuerySet[Document]:
        """Without what they say, which may be long, but for the tickets of statements."""
        lines = KeyTransform("lines", "snapshot")
        is_statement = When(kind=DocumentKind.STATEMENT, then=lines)
        documents = Document.objects.filter(organizer=self.request.organizer)
        documents = documents.annotate(stated_lines=Case(is_statement, output_field=JSONField()))
        return documents.select_related("event").prefetch_related("movements").defer("snapshot", "terms")

    @action(detail=True)
    def pdf(self, request, **kwargs):
        return document_pdf(self.get_object())
