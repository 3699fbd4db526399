"""The event's jobs in the REST API: whoever was cut off before the answer finds what became of the request."""

from typing import TYPE_CHECKING

import django_filters
from django.db.models import Case, F, QuerySet, Value, When
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.pagination import TotalOrderingFilter
from rest_framework import mixins, serializers, viewsets

from ..jobs.queries import remembered
from ..jobs.registry import all_kinds, kind_of
from ..models import Job
from .lists import Pagination
from .permissions import PluginPermission
from .views import address_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Who asked, by the field of ``Requested``: the first that is set. An app acts for a user.
REQUESTER_TYPES = {"api_token": "token", "device": "device", "oauth_application": "app", "user": "user"}


class JobSerializer(serializers.ModelSerializer):
    """Nothing of what was asked for that may be personal: no comment, no selection, no scanned code."""

    kind = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    batch = serializers.IntegerField(source="shown_batch", read_only=True)
    check = serializers.SerializerMethodField()
    requested_by = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "progress",
            "amount",
            "batch",
            "created",
            "started",
            "finished",
            "message",
            "check",
            "requested_by",
        )

    def get_kind(self, job: Job) -> str:
        return kind_of(job).api_name

    def get_amount(self, job: Job) -> int | None:
        return kind_of(job).amount(job)

    def get_check(self, job: Job) -> str | None:
        """As the request was answered. What only the backend can ask for has no address here."""
        return address_of(job, self.context["request"])

    def get_requested_by(self, job: Job) -> dict | None:
        """``{"type": …, "name": …}``; None if it was deleted since."""
        for field, kind in REQUESTER_TYPES.items():
            if requester := getattr(job, field):
                return {"type": kind, "name": requester.get_full_name() if kind == "user" else requester.name}
        return None


def _names_of_kinds() -> "list[tuple[str, StrOrPromise]]":
    return [(kind.api_name, kind.name) for kind in all_kinds()]


with scopes_disabled():

    class JobFilter(FilterSet):
        kind = django_filters.ChoiceFilter(choices=_names_of_kinds, method="of_kind")

        class Meta:
            model = Job
            fields = ("state",)

        def of_kind(self, queryset, name, value):
            return queryset.filter(kind__in=[kind.identifier for kind in all_kinds() if kind.api_name == value])


class JobViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    http_method_names = ("get", "head", "options")
    permission = "event.orders:read"
    permission_classes = (PluginPermission,)
    queryset = Job.objects.none()
    serializer_class = JobSerializer
    pagination_class = Pagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    filterset_class = JobFilter
    ordering = ("-created",)
    ordering_fields = ("created",)

    def get_queryset(self) -> QuerySet[Job]:
        """Without what may be long, but for what of it is shown."""
        # A batch that is not complete can't be asked for yet.
        shown_batch = Case(When(batch__completed__isnull=False, then=F("batch")), default=Value(None))
        return (
            remembered(self.request.event)
            .defer("selection", "checkpoint", "result")
            .select_related("batch", *REQUESTER_TYPES)
            .annotate(shown_batch=shown_batch)
        )
