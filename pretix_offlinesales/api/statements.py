"""Statements of sellers, and what they have paid, in the REST API."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_filters
from django.db.models import F, Prefetch, QuerySet
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware, now
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import Event
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from .. import tasks
from ..documents.statements import SellerStatement, StatementLine
from ..downloads import document_pdf, statement_csv, statement_json
from ..host.prefetching import with_settings
from ..models import CHANGE_SELLERS, READ_SELLERS, Document, DocumentKind, Job, Seller, SellerPayment, Statement
from ..models.activation import is_active
from ..sellers.payments import allocations
from ..sellers.standing import standings
from ..sellers.statements import Draft, NothingToState, events_of, look
from ..sellers.terms import payable, places_of
from ..settling.paying import pay, state
from ..tickets.worth import NOTHING
from .lists import BooleanFilter, MomentFilter, Pagination, sellers_of
from .permissions import OrganizerPermission
from .serializers import Codes, PrimaryKeyField, Text, Truth, refuse_unknown
from .views import requested_by

#: Nothing was sold before, and papers can say every moment since.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class UntilField(serializers.DateTimeField):
    """A moment that has passed, or a day: up to its end, and up to now, if it is today."""

    def to_internal_value(self, value):
        day = _day(value)
        moment = self._end_of(day) if day else super().to_internal_value(value)
        if not EARLIEST <= moment <= now():
            raise ValidationError(_("This must be in the past, and not before 1990."))
        return moment.astimezone(UTC)

    def default_timezone(self):
        return self.context["request"].organizer.timezone

    def enforce_timezone(self, value):
        try:
            return super().enforce_timezone(value)
        except OverflowError:
            self.fail("overflow")

    def _end_of(self, day: date) -> datetime:
        zone = self.default_timezone()
        return now() if day == now().astimezone(zone).date() else make_aware(datetime.combine(day, time.max), zone)


def _day(value: Any) -> date | None:
    try:
        return parse_date(value) if isinstance(value, str) else None
    except ValueError:  # such as February 30
        return None


class StatementRequestSerializer(serializers.Serializer):
    """What may be asked for. When valid, ``events`` and ``until`` are there in any case."""

    seller = PrimaryKeyField(queryset=Seller.objects.none())
    events = Codes(child=Text(), required=False, allow_empty=False)
    until = UntilField(required=False)
    dry_run = Truth(default=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seller"].queryset = sellers_of(self.context["request"])

    def validate_events(self, slugs: Sequence[str]) -> list[Event]:
        organizer = self.context["request"].organizer
        named = {event.slug: event for event in with_settings(organizer.events.filter(slug__in=slugs))}
        if unknown := next((slug for slug in slugs if slug not in named), None):
            raise ValidationError(_("There is no event “{event}”.").format(event=unknown[:50]))
        if off := next((event for event in named.values() if not is_active(event)), None):
            raise ValidationError(_("The event “{event}” does not use offline sales.").format(event=off.slug))
        return sorted(named.values(), key=lambda event: (event.date_from, event.pk))

    def validate(self, values):
        refuse_unknown(self)
        seller = values["seller"]
        values.setdefault("until", now())
        if "events" not in values:
            values["events"] = [event for event in with_settings(events_of(seller)) if is_active(event)]
        elif seller.currency and (others := {event.currency for event in values["events"]} - {seller.currency}):
            message = _("This seller sells in {currency}, and the tickets of this event are sold in {other}.")
            raise ValidationError({"events": [message.format(currency=seller.currency, other=min(others))]})
        return values


class StatementSerializer(serializers.ModelSerializer):
    """A statement in a list, with what of it is paid (``with_paid``)."""

    id = serializers.IntegerField(source="document.pk", read_only=True)
    number = serializers.IntegerField(source="document.number", read_only=True)
    currency = serializers.CharField(source="document.currency", read_only=True)
    created = serializers.DateTimeField(source="document.created", read_only=True)
    events: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)
    # Sums have as many digits as it takes.
    paid = serializers.DecimalField(max_digits=None, decimal_places=2, read_only=True)
    settled = serializers.SerializerMethodField()

    class Meta:
        model = Statement
        fields = (
            "id",
            "number",
            "seller",
            "currency",
            "until",
            "total",
            "commission",
            "commission_tax",
            "due",
            "paid",
            "settled",
            "events",
            "created",
            "pay_until",
            "invoice_number",
        )

    def get_settled(self, statement: Statement) -> bool:
        return statement.settled is not None


class StatementDetailSerializer(StatementSerializer):
    """A statement on its own, with what it says."""

    def to_representation(self, statement: Statement) -> dict:
        contents = SellerStatement.from_json(statement.document.snapshot)
        return super().to_representation(statement) | {
            "lines": list(map(_line, contents.lines)),
            "taxes": [each.to_json() for each in contents.taxes],
            "commissions": [each.to_json() for each in contents.commissions],
        }


LINE = (
    *("event", "item", "variation", "subevent", "product", "tickets", "price", "tax_rate"),
    *("count", "gross", "net", "tax", "taxes", "rate"),
)


def _line(line: StatementLine) -> dict:
    rate = line.tax_rate
    told = line.to_json() | {
        "event": line.slug,
        "subevent": line.subevent or None,
        "tax_rate": None if rate is None else str(rate),
    }
    return {name: told[name] for name in LINE}


def with_paid(statements: Iterable[Statement]) -> list[Statement]:
    """Statements that know what of them is paid, in two queries."""
    statements = list(statements)
    found = allocations({statement.seller for statement in statements})
    for statement in statements:
        statement.paid = found[statement.seller_id].paid[statement.pk]
    return statements


def would_be(draft: Draft) -> dict:
    """As a statement would be told that is made now."""
    contents = draft.snapshot()
    document = Document(currency=draft.currency, snapshot=contents.to_json())
    statement = Statement(
        document=document,
        seller=draft.seller,
        until=draft.until,
        pay_until=contents.pay_until,
        total=draft.total,
        commission=draft.commission,
        commission_tax=draft.commission_tax,
        due=draft.due,
    )
    statement.paid = NOTHING
    told = StatementDetailSerializer(statement).data
    return told | {"events": [event.slug for event in draft.events], "created": None}


with scopes_disabled():

    class StatementFilter(FilterSet):
        seller = django_filters.ModelChoiceFilter(queryset=sellers_of)
        number = django_filters.NumberFilter(field_name="document__number")
        event = django_filters.CharFilter(field_name="events__slug")
        settled = BooleanFilter(field_name="settled", lookup_expr="isnull", exclude=True)
        overdue = BooleanFilter(method="are_overdue")
        created_since = MomentFilter(field_name="document__created", lookup_expr="gte")
        created_before = MomentFilter(field_name="document__created", lookup_expr="lt")

        class Meta:
            model = Statement
            fields = ()

        def are_overdue(self, statements, name, value):
            known = standings(self.request.organizer, statements_of(self.request).filter(due__gt=0))
            late = [pk for pk, standing in known.items() if standing.is_overdue]
            return statements.filter(pk__in=late) if value else statements.exclude(pk__in=late)

    class PaymentFilter(FilterSet):
        seller = django_filters.ModelChoiceFilter(queryset=sellers_of)
        statement = django_filters.ModelChoiceFilter(
            queryset=lambda request: papers_of(request), field_name="statement__document"
        )
        date_since = django_filters.DateFilter(field_name="date", lookup_expr="gte")
        date_before = django_filters.DateFilter(field_name="date", lookup_expr="lt")
        created_since = MomentFilter(field_name="created", lookup_expr="gte")
        created_before = MomentFilter(field_name="created", lookup_expr="lt")

        class Meta:
            model = SellerPayment
            fields = ("reference",)


def statements_of(request: Request) -> QuerySet[Statement]:
    return Statement.objects.filter(document__organizer=request.organizer)


def papers_of(request: Request) -> QuerySet[Document]:
    """The documents that are statements, without what they say, which may be long."""
    documents = Document.objects.filter(organizer=request.organizer, kind=DocumentKind.STATEMENT)
    return documents.defer("snapshot", "terms")


class WrittenOnceViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, viewsets.GenericViewSet
):
    """What is written never changes."""

    http_method_names = ("get", "head", "options", "post")
    permission = READ_SELLERS
    write_permission = CHANGE_SELLERS
    permission_classes = (OrganizerPermission,)
    pagination_class = Pagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    ordering = ("id",)
    lookup_value_regex = "[0-9]+"


#: What is downloaded.
FILES = ("pdf", "as_csv", "as_json")


class StatementViewSet(WrittenOnceViewSet):
    queryset = Statement.objects.none()
    filterset_class = StatementFilter
    ordering_fields = ("id", "number", "created", "until", "due", "pay_until")
    # That of the document: of a relation, Django asks the database for any number, however large.
    lookup_field = "document__id"
    lookup_url_kwarg = "pk"

    def perform_content_negotiation(self, request, force=False):
        # Who downloads a file may say that nothing else is welcome; then errors are JSON all the same.
        return super().perform_content_negotiation(request, force=force or self.action in FILES)

    def get_serializer_class(self):
        if self.action == "create":
            return StatementRequestSerializer
        return StatementSerializer if self.action == "list" else StatementDetailSerializer

    def get_queryset(self) -> QuerySet[Statement]:
        of_document = {"id": F("document"), "number": F("document__number"), "created": F("document__created")}
        events = Prefetch("events", Event.objects.order_by("date_from", "pk").only("slug"))
        statements = statements_of(self.request).select_related("document", "seller").prefetch_related(events)
        # What a statement says may be long.
        hidden = ("document__terms", *(("document__snapshot",) if self.action == "list" else ()))
        return statements.alias(**of_document).defer(*hidden)

    def paginate_queryset(self, queryset):
        return with_paid(super().paginate_queryset(queryset) or ())

    def get_object(self) -> Statement:
        [statement] = with_paid([super().get_object()])
        return statement

    def create(self, request, **kwargs):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        try:
            if not asked["events"]:
                raise NothingToState
            return self._answer(dry_run=asked.pop("dry_run"), **asked)
        except NothingToState as error:
            raise ValidationError({"non_field_errors": [str(error)]}) from error

    def _answer(self, seller: Seller, events: list[Event], until: datetime, dry_run: bool) -> Response:
        if dry_run:
            draft = look(seller, events, until)
            if not draft.changes:
                raise NothingToState
            return Response(would_be(draft))
        statement, jobs = state(seller, events, until, requested_by(self.request))
        start_all(jobs)
        [statement] = with_paid([self.get_queryset().get(pk=statement.pk)])
        return Response(StatementDetailSerializer(statement).data, status=status.HTTP_201_CREATED)

    @action(detail=True)
    def pdf(self, request, **kwargs):
        return document_pdf(self.get_object().document)

    @action(detail=True, url_path="csv")
    def as_csv(self, request, **kwargs):
        return statement_csv(self.get_object().document)

    @action(detail=True, url_path="json")
    def as_json(self, request, **kwargs):
        return statement_json(self.get_object().document)


class PaymentSerializer(serializers.ModelSerializer):
    """What was paid, as it is shown and as it is written down."""

    # Found by the document that it is (see ``StatementViewSet.lookup_field``).
    statement = PrimaryKeyField(queryset=Document.objects.none())
    currency = serializers.CharField(source="statement.document.currency", read_only=True)

    class Meta:
        model = SellerPayment
        fields = ("id", "statement", "seller", "amount", "currency", "date", "reference", "created")
        read_only_fields = ("id", "seller", "created")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["statement"].queryset = papers_of(self.context["request"]).select_related("statement")

    def validate_amount(self, amount):
        if not amount:
            raise ValidationError(_("This must not be 0."))
        return amount

    def validate_date(self, day):
        if day > now().date() + timedelta(days=1):  # it may be tomorrow already, somewhere
            raise ValidationError(_("This day is in the future."))
        return day

    def validate(self, values):
        refuse_unknown(self)
        if self.initial_data.get("seller", values["statement"].target_id) != values["statement"].target_id:
            raise ValidationError({"seller": [_("The statement is of another seller.")]})
        currency = values["statement"].currency
        if values["amount"] != payable(values["amount"], currency):
            message = self.fields["amount"].error_messages["max_decimal_places"]
            raise ValidationError({"amount": [message.format(max_decimal_places=places_of(currency))]})
        return values

    def create(self, values: dict) -> SellerPayment:
        payment, jobs = pay(
            values["statement"].statement,
            values["amount"],
            values["date"],
            values.get("reference", ""),
            requested_by(self.context["request"]),
        )
        start_all(jobs)
        return payment


class PaymentViewSet(WrittenOnceViewSet):
    queryset = SellerPayment.objects.none()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    ordering_fields = ("id", "date", "created", "amount")

    def get_queryset(self) -> QuerySet[SellerPayment]:
        payments = SellerPayment.objects.filter(seller__organizer=self.request.organizer)
        return payments.select_related("statement").prefetch_related(
            Prefetch("statement__document", papers_of(self.request))
        )


def start_all(jobs: Iterable[Job]) -> None:
    for job in jobs:
        tasks.start(job)
