"""The REST API, as documented for the official plugin."""

from typing import Any, cast

import django_filters
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import cached_property
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.models import OAuthAccessToken
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import Device, Event, TeamAPIToken
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from .. import tasks
from ..after_sale.examine import Result
from ..after_sale.kind import AfterSale, all_offered, with_action
from ..downloads import download
from ..issuing.request import IssueRequest
from ..jobs.queries import find, too_many
from ..jobs.registry import kind_of
from ..kinds import ISSUE, PRINT
from ..models import Job, OfflineSalesBatch
from .lists import BooleanFilter, MomentFilter, Pagination
from .permissions import PluginPermission, may_name_sellers
from .serializers import (
    BatchDetailSerializer,
    BatchRequestSerializer,
    BatchSerializer,
    PrintRequestSerializer,
    TicketsSerializer,
)

with scopes_disabled():

    class BatchFilter(FilterSet):
        sales_channel = django_filters.CharFilter(field_name="sales_channel__identifier")
        testmode = BooleanFilter()
        creation_since = MomentFilter(field_name="creation", lookup_expr="gte")
        creation_before = MomentFilter(field_name="creation", lookup_expr="lt")

        class Meta:
            model = OfflineSalesBatch
            fields = ("item", "variation", "subevent", "layout")


class JobMixin:
    """Views that start jobs, and where one asks for their results."""

    def _accepted(self, name, job):
        """Start the job, and say where to ask for its result, under the name that the documentation gives it."""
        tasks.start(job)
        return Response({name: address_of(job, self.request)}, status=status.HTTP_202_ACCEPTED)

    def _find_job(self, pk, *kinds, **filters):
        try:
            job = find(self.request.event, pk, *kinds, **filters)
        except (Job.DoesNotExist, ValidationError) as error:
            raise Http404 from error
        tasks.recover(job)
        return job


class BatchViewSet(
    JobMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet,
):
    """Batches, and the jobs that make and print them."""

    http_method_names = ("get", "head", "options", "post", "patch")
    permission = "event.orders:read"
    write_permission = "event.orders:write"
    permission_classes = (PluginPermission,)
    queryset = OfflineSalesBatch.objects.none()
    pagination_class = Pagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    filterset_class = BatchFilter
    ordering = ("id",)
    ordering_fields = ("id", "creation", "amount")
    lookup_value_regex = "[0-9]+"

    def perform_content_negotiation(self, request, force=False):
        # Who downloads a PDF may say that nothing else is welcome; then errors are JSON all the same.
        return super().perform_content_negotiation(request, force=force or self.action == "download")

    def get_queryset(self):
        return shown_batches(self.request.event).select_related("sales_channel")

    def get_serializer_class(self):
        return BatchSerializer if self.action == "list" else BatchDetailSerializer

    def create(self, request, *args, **kwargs):
        serializer = BatchRequestSerializer(
            data=request.data, event=request.event, may_see_sellers=may_name_sellers(request)
        )
        serializer.is_valid(raise_exception=True)
        refuse_too_many(request.event)
        asked = IssueRequest.of(serializer.batch, serializer.chosen_seats, seller=serializer.chosen_seller)
        job = ISSUE.create(request.event, asked, requested_by(request))
        return self._accepted("check", job)

    @transaction.atomic
    def perform_update(self, serializer):
        batch, comment = serializer.instance, serializer.validated_data.get("comment")
        if comment is not None and comment != batch.comment:
            batch.comment = comment
            batch.save(update_fields=["comment"])
            batch.log_action(
                "pretix_offlinesales.batch.changed",
                {"comment": batch.comment},
                user=self.request.user,
                auth=self.request.auth,
            )

    @action(detail=False, url_path="check/(?P<job>[^/]+)")
    def check(self, request, job, **kwargs):
        job = self._find_job(job, ISSUE)
        if job.state != Job.State.SUCCEEDED:
            return unfinished(job)
        return Response(BatchDetailSerializer(job.batch).data)

    @action(detail=True, methods=["post"], url_path="render", url_name="render", write_permission="event.orders:read")
    def render_pdf(self, request, **kwargs):
        batch = self.get_object()
        serializer = PrintRequestSerializer(data=request.data, batch=batch)
        serializer.is_valid(raise_exception=True)
        refuse_too_many(request.event)
        job = PRINT.ask(batch, requested_by(request), serializer.print_request)
        return self._accepted("download", job)

    @action(detail=True, url_path="download/(?P<job>[^/]+)/(?P<file>[^/]+)")
    def download(self, request, job, file, **kwargs):
        job = self._find_job(job, PRINT, batch=self.get_object(), file=file)
        if job.state != Job.State.SUCCEEDED:
            return unfinished(job)
        return download(job.file)


class AfterSaleViewSet(JobMixin, viewsets.GenericViewSet):
    """
    Do something with tickets of a batch, as the kinds of jobs say that have this address (``action``), and ask what has
    become of them.
    """

    http_method_names = ("get", "head", "options", "post")
    permission = "event.orders:read"
    write_permission = "event.orders:write"
    permission_classes = (PluginPermission,)
    queryset = OfflineSalesBatch.objects.none()
    serializer_class = TicketsSerializer
    lookup_field = "job"

    @cached_property
    def batch(self) -> OfflineSalesBatch:
        return get_object_or_404(shown_batches(self.request.event), pk=self.kwargs["batch"])

    @property
    def kinds(self) -> list[AfterSale]:
        return with_action(self.kwargs["after_sale"])

    def get_serializer(self, *args: Any, **kwargs: Any) -> TicketsSerializer:
        return TicketsSerializer(*args, batch=self.batch, kinds=self.kinds, **kwargs)

    def create(self, request, **kwargs):
        batch = self.batch  # is looked for before the request is read
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        refuse_too_many(request.event)
        kind, selection = serializer.kind, serializer.selection
        job = kind.ask(request.event, selection, requested_by(request), batch, **serializer.request_values)
        return self._accepted("check", job)

    def retrieve(self, request, job, **kwargs):
        job = self._find_job(job, *self.kinds, batch=self.batch)
        if job.state != Job.State.SUCCEEDED:
            return unfinished(job)
        kind, result = cast(AfterSale, kind_of(job)), Result.of(job)
        return Response({kind.api_done: result.done, "skipped": result.skipped})


def shown_batches(event: Event) -> QuerySet[OfflineSalesBatch]:
    """Those of which everybody has been told."""
    return OfflineSalesBatch.objects.filter(event=event, completed__isnull=False)


def address_of(job: Job, request: Request) -> str | None:
    """Where to ask for the result. None for what can only be asked for, and looked at, in the backend."""
    kind, place = kind_of(job), {"organizer": request.organizer.slug, "event": request.event.slug, "job": job.pk}
    if kind is ISSUE:
        route = "offlinesalesbatch-check"
    elif kind is PRINT and job.file_id:
        route, place = "offlinesalesbatch-download", place | {"pk": job.batch_id, "file": job.file_id}
    elif kind in all_offered() and job.batch_id:
        route, place = "offlinesalesaftersale-detail", place | {"batch": job.batch_id, "after_sale": kind.api_action}
    else:
        return None
    return reverse(f"api-v1:{route}", kwargs=place, request=request)


def refuse_too_many(event: Event) -> None:
    if message := too_many(event):
        raise Throttled(wait=60, detail=message)


def unfinished(job: Job) -> Response:
    if job.state == Job.State.FAILED:
        return Response({"status": "failed", "message": job.message}, status=status.HTTP_410_GONE)
    return Response({"status": job.state}, status=status.HTTP_409_CONFLICT, headers={"Retry-After": "1"})


def requested_by(request: Request) -> dict:
    """Who asks, as the fields of ``Requested``."""
    auth = request.auth
    return {
        "user": request.user if request.user.is_authenticated else None,
        "api_token": auth if isinstance(auth, TeamAPIToken) else None,
        "device": auth if isinstance(auth, Device) else None,
        "oauth_application": auth.application if isinstance(auth, OAuthAccessToken) else None,
    }
