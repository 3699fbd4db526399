"""An organizer's sellers in the REST API."""

from collections.abc import Mapping
from typing import Any

import django_filters
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, RestrictedError
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import Event, Item
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError

from ..models import CHANGE_SELLERS, READ_SELLERS, Document, ProductCommission, Seller
from ..sellers import history
from ..sellers.accounts import accounts
from .lists import BooleanFilter, Pagination
from .permissions import OrganizerPermission

#: In days: before the event, there must be such a day.
MAX_DEADLINE = 3_650

#: How many products can have a commission of their own.
MAX_COMMISSIONS = 1_000

MAX_KEY = 2**63 - 1


class ProductCommissionSerializer(serializers.ModelSerializer):
    item = serializers.IntegerField(source="item_id", min_value=1, max_value=MAX_KEY)

    class Meta:
        model = ProductCommission
        fields = ("item", "commission_percent", "commission_fixed")


class SellerSerializer(serializers.ModelSerializer):
    """A seller in a list. Saving it writes her history."""

    locale = serializers.ChoiceField(choices=settings.LANGUAGES, required=False, allow_blank=True)
    currency = serializers.ChoiceField(choices=Event.CURRENCY_CHOICES, required=False, allow_blank=True)
    product_commissions = ProductCommissionSerializer(many=True, required=False, max_length=MAX_COMMISSIONS)

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
            "contact",
            "commission_tax_text",
            "commission_invoiced_by",
            "product_commissions",
        )
        extra_kwargs = {"deadline_days": {"max_value": MAX_DEADLINE}}

    def validate_currency(self, currency: str) -> str:
        seller = self.instance
        if seller and seller.currency != currency and documents_of(seller).exists():
            raise ValidationError(_("This cannot be changed any more, since tickets have been handed over."))
        return currency

    def validate_product_commissions(self, commissions: list[dict]) -> list[dict]:
        keys = [each["item_id"] for each in commissions]
        known = Item.objects.filter(event__organizer=self.context["request"].organizer, pk__in=keys)
        found = set(known.values_list("pk", flat=True))
        errors = []
        for index, key in enumerate(keys):
            message = _("There is no such product.") if key not in found else ""
            if key in keys[:index]:
                message = _("This product is named twice.")
            errors.append({"item": [message]} if message else {})
        if any(errors):
            raise ValidationError(errors)
        return commissions

    def save(self, **kwargs: Any) -> Seller:
        request = self.context["request"]
        before = self._values(self.instance) if self.instance else {}
        try:
            with transaction.atomic():
                seller = super().save(organizer=request.organizer)
        except IntegrityError as error:  # the identifier is all that can be taken
            raise ValidationError({"identifier": [_("Another seller has this identifier.")]}) from error
        after = self._values(seller)
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        action = history.CHANGED if before else history.ADDED
        history.write(seller, action, changed, user=request.user, auth=request.auth)
        return seller

    def create(self, validated_data: dict) -> Seller:
        commissions = validated_data.pop("product_commissions", [])
        seller = Seller.objects.create(**validated_data)
        self._agree(seller, commissions)
        return seller

    def update(self, seller: Seller, validated_data: dict) -> Seller:
        commissions = validated_data.pop("product_commissions", None)
        seller = super().update(seller, validated_data)
        if commissions is not None:
            seller.product_commissions.all().delete()
            self._agree(seller, commissions)
        return seller

    def _agree(self, seller: Seller, commissions: list[dict]) -> None:
        ProductCommission.objects.bulk_create(ProductCommission(seller=seller, **each) for each in commissions)
        # What was looked up before is not true any more.
        getattr(seller, "_prefetched_objects_cache", {}).pop("product_commissions", None)

    def _values(self, seller: Seller) -> Mapping[str, Any]:
        """As they are shown, by field."""
        return SellerSerializer(seller).data


class SellerDetailSerializer(SellerSerializer):
    """A seller on her own, with what she holds and owes."""

    balance = serializers.DecimalField(max_digits=13, decimal_places=2, read_only=True, source="account.owed")
    held = serializers.IntegerField(read_only=True, source="account.held.count")
    held_value = serializers.DecimalField(max_digits=13, decimal_places=2, read_only=True, source="account.held.value")

    class Meta(SellerSerializer.Meta):
        fields = (*SellerSerializer.Meta.fields, "balance", "held", "held_value")

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
        if self.action in ("partial_update", "destroy"):
            return sellers.select_for_update(no_key=True)  # who hands something over to her waits
        return sellers.prefetch_related("product_commissions")

    @transaction.atomic
    def create(self, request, **kwargs):
        return super().create(request, **kwargs)

    @transaction.atomic
    def partial_update(self, request, **kwargs):
        return super().partial_update(request, **kwargs)

    @transaction.atomic
    def destroy(self, request, **kwargs):
        return super().destroy(request, **kwargs)

    def perform_destroy(self, seller: Seller) -> None:
        history.write(seller, history.DELETED, {}, user=self.request.user, auth=self.request.auth)
        try:
            seller.delete()
        except RestrictedError as error:
            message = _("This seller cannot be deleted, since tickets have been handed over. Set “active” to false.")
            raise PermissionDenied(message) from error


def documents_of(seller: Seller) -> QuerySet[Document]:
    return Document.objects.filter(Q(source=seller) | Q(target=seller))
