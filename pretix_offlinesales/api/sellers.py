"""An organizer's sellers in the REST API."""

from typing import Any

import django_filters
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import Event, Item
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request

from ..issuing import several
from ..models import CHANGE_SELLERS, READ_SELLERS, ProductCommission, Seller
from ..sellers import records
from ..sellers.accounts import accounts
from ..sellers.terms import Rate
from .lists import BooleanFilter, Pagination
from .permissions import OrganizerPermission

#: How many products can have a commission of their own.
MAX_COMMISSIONS = 1_000

MAX_KEY = 2**63 - 1


class ProductCommissionSerializer(serializers.ModelSerializer):
    item = serializers.IntegerField(source="item_id", min_value=1, max_value=MAX_KEY)

    class Meta:
        model = ProductCommission
        fields = ("item", "commission_percent", "commission_fixed")


class SellerSerializer(serializers.ModelSerializer):
    """A seller in a list."""

    locale = serializers.ChoiceField(choices=settings.LANGUAGES, required=False, allow_blank=True)
    currency = serializers.ChoiceField(choices=Event.CURRENCY_CHOICES, required=False, allow_blank=True)
    product_commissions = ProductCommissionSerializer(many=True, required=False, max_length=MAX_COMMISSIONS)  # type: ignore[call-arg]  # of the list

    class Meta:
        model = Seller
        fields: tuple[str, ...] = (
            "id",
            "name",
            "identifier",
            "email",
            "phone",
            "address",
            "vat_id",
            "locale",
            "currency",
            "active",
            "comment",
            "commission_percent",
            "commission_fixed",
            "commission_tax_rate",
            "credit_limit",
            "firm",
            "deadline_days",
            "deadline_action",
            "payment_days",
            "contact",
            "commission_tax_text",
            "commission_invoiced_by",
            "product_commissions",
        )

    def validate_product_commissions(self, commissions: list[dict]) -> dict[int, Rate]:
        """By the key of the product."""
        keys = [each["item_id"] for each in commissions]
        known = Item.objects.filter(event__organizer=self.context["request"].organizer, pk__in=keys)
        found, named = set(known.values_list("pk", flat=True)), set()
        errors: list[dict] = []
        for key in keys:
            message = _("This product is named twice.") if key in named else ""
            if key not in found:
                message = _("There is no such product.")
            errors.append({"item": [message]} if message else {})
            named.add(key)
        if any(errors):
            raise ValidationError(errors)
        return {each["item_id"]: Rate.of(ProductCommission(**each)) for each in commissions}

    def validate(self, values: dict) -> dict:
        if problems := records.problems(self.context["request"].organizer, self.instance, values):
            raise ValidationError({field: [message] for field, message in problems.items()})
        return values

    def save(self, **kwargs: Any) -> Seller:
        try:
            return super().save(**kwargs)
        except IntegrityError as error:  # the identifier is all that can be taken meanwhile
            raise ValidationError({"identifier": [_("Another seller has this identifier already.")]}) from error

    def create(self, values: dict) -> Seller:
        commissions = values.pop("product_commissions", None)
        seller = Seller(organizer=self.context["request"].organizer, **values)
        records.add(seller, requester(self.context["request"]), commissions)
        return seller

    def update(self, seller: Seller, values: dict) -> Seller:
        commissions = values.pop("product_commissions", None)
        records.change(seller, values, requester(self.context["request"]), commissions)
        return seller


class SellerDetailSerializer(SellerSerializer):
    """A seller on her own, with what she holds and owes."""

    # Sums have as many digits as it takes.
    balance = serializers.DecimalField(max_digits=None, decimal_places=2, read_only=True, source="account.balance")
    owed = serializers.DecimalField(max_digits=None, decimal_places=2, read_only=True, source="account.owed")
    held = serializers.IntegerField(read_only=True, source="account.held.count")
    held_value = serializers.DecimalField(
        max_digits=None, decimal_places=2, read_only=True, source="account.held.value"
    )

    class Meta(SellerSerializer.Meta):
        fields = (*SellerSerializer.Meta.fields, "balance", "owed", "held", "held_value")

    def to_representation(self, seller: Seller) -> dict:
        seller.account = accounts([seller])[seller.pk]
        return super().to_representation(seller)


with scopes_disabled():

    class SellerFilter(FilterSet):
        active = BooleanFilter()
        search = django_filters.CharFilter(method="matching")

        class Meta:
            model = Seller
            fields = ("identifier",)

        def matching(self, sellers, name, text):
            fields = ("name", "identifier", "contact", "email")
            return sellers.filter(Q(*[(f"{field}__icontains", text) for field in fields], _connector=Q.OR))


class SellerViewSet(viewsets.ModelViewSet):
    http_method_names = ("get", "head", "options", "post", "patch", "delete")
    permission = READ_SELLERS
    write_permission = CHANGE_SELLERS
    permission_classes = (OrganizerPermission,)
    queryset = Seller.objects.none()
    pagination_class = Pagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    filterset_class = SellerFilter
    ordering = ("id",)
    ordering_fields = ("id", "name")
    lookup_value_regex = "[0-9]+"

    def get_serializer_class(self):
        return SellerSerializer if self.action == "list" else SellerDetailSerializer

    def get_queryset(self) -> QuerySet[Seller]:
        sellers = Seller.objects.filter(organizer=self.request.organizer)
        if self.action == "partial_update":
            return sellers.select_for_update(no_key=True)  # who hands something over to her waits
        return sellers.prefetch_related("product_commissions")

    @transaction.atomic
    def partial_update(self, request, **kwargs):
        return super().partial_update(request, **kwargs)

    @transaction.atomic
    def perform_destroy(self, seller: Seller) -> None:
        key = seller.pk
        try:
            records.delete(seller, requester(self.request))
            several.forget(self.request.organizer, key)
        except records.NotDeleted as error:
            raise PermissionDenied(str(error)) from error


def requester(request: Request) -> dict:
    """As ``log_action`` takes it."""
    return {"user": request.user, "auth": request.auth}
