"""The REST API, as documented for the official plugin."""

import django_filters
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_scopes import scopes_disabled
from pretix.api.auth.permission import EventPermission
from pretix.api.models import OAuthAccessToken
from pretix.api.pagination import TotalOrderingFilter
from pretix.base.models import Device, TeamAPIToken
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.reverse import reverse

from .. import tasks
from ..downloads import download
from ..issuing import request_data
from ..jobs import runner as jobs
from ..models import Job, OfflineSalesBatch
from .lists import BooleanFilter, MomentFilter, Pagination
from .serializers import (
    BatchDetailSerializer,
    BatchRequestSerializer,
    BatchSerializer,
    PrintRequestSerializer,
    ReturnSerializer,
    TicketsSerializer,
    UndoSerializer,
)


class PluginPermission(EventPermission):
    """The host asks for the right permission, but not whether the event uses the plugin."""

    def has_permission(self, request, view):
        if "\0" in view.kwargs["event"]:
            return False  # PostgreSQL would not even look for it
        return super().has_permission(request, view) and "pretix_offlinesales" in request.event.get_plugins()


with scopes_disabled():

    class BatchFilter(FilterSet):
        sales_channel = django_filters.CharFilter(field_name="sales_channel__identifier")
        testmode = BooleanFilter()
        creation_since = MomentFilter(field_name="creation", lookup_expr="gte")
        creation_before = MomentFilter(field_name="creation", lookup_expr="lt")

        class Meta:
            model = OfflineSalesBatch
            fields = ("item", "variation", "subevent", "layout")


class BatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet):
    """Batches, and the jobs that make and print them."""

    http_method_names = ("get", "head", "options", "post", "patch")
    permission_classes = (PluginPermission,)
    queryset = OfflineSalesBatch.objects.none()
    pagination_class = Pagination
    filter_backends = (DjangoFilterBackend, TotalOrderingFilter)
    filterset_class = BatchFilter
    ordering = ("id",)
    ordering_fields = ("id", "creation", "amount")
    lookup_value_regex = "[0-9]+"

    def _get_permission_name(self, request):
        if request.method in SAFE_METHODS or self.action == "render_pdf":
            return "event.orders:read"
        return "event.orders:write"

    def perform_content_negotiation(self, request, force=False):
        # Who downloads a PDF may say that nothing else is welcome; then errors are JSON all the same.
        return super().perform_content_negotiation(request, force=force or self.action == "download")

    def get_queryset(self):
        return (
            OfflineSalesBatch.objects.filter(event=self.request.event, completed__isnull=False)
            .select_related("sales_channel")
        )

    def get_serializer_class(self):
        return BatchSerializer if self.action == "list" else BatchDetailSerializer

    def create(self, request, *args, **kwargs):
        serializer = BatchRequestSerializer(data=request.data, event=request.event)
        serializer.is_valid(raise_exception=True)
        refuse_too_many(request.event)
        data = request_data(serializer.batch, serializer.seats)
        job = jobs.create_issuing(request.event, data, requested_by(request))
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
        job = self._find_job(Job.Kind.ISSUE, job)
        if job.state != Job.State.SUCCEEDED:
            return unfinished(job)
        return Response(BatchDetailSerializer(job.batch).data)

    @action(detail=True, methods=["post"], url_path="render", url_name="render")
    def render_pdf(self, request, **kwargs):
        batch = self.get_object()
        serializer = PrintRequestSerializer(data=request.data, batch=batch)
        serializer.is_valid(raise_exception=True)
        refuse_too_many(request.event)
        job = jobs.create_printing(batch, requested_by(request), serializer.request_data)
        return self._accepted("download", job)

    @action(detail=True, url_path="download/(?P<job>[^/]+)/(?P<file>[^/]+)")
    def download(self, request, job, file, **kwargs):
        job = self._find_job(Job.Kind.PRINT, job, batch=self.get_object(), file=file)
        if job.state != Job.State.SUCCEEDED:
            return unfinished(job)
        return download(job.file)

    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def return_tickets(self, request, **kwargs):
        return self._deal_with(Job.Kind.RETURN, ReturnSerializer)

    @action(detail=True, url_path="return/(?P<job>[^/]+)")
    def returned(self, request, job, **kwargs):
        return self._dealt_with(Job.Kind.RETURN, job)

    @action(detail=True, methods=["post"], url_path="undo", url_name="undo")
    def undo(self, request, **kwargs):
        return self._deal_with(Job.Kind.UNDO, UndoSerializer)

    @action(detail=True, url_path="undo/(?P<job>[^/]+)")
    def undone(self, request, job, **kwargs):
        return self._dealt_with(Job.Kind.UNDO, job)

    @action(detail=True, methods=["post"], url_path="replace", url_name="replace")
    def replace(self, request, **kwargs):
        return self._deal_with(Job.Kind.REPLACE, TicketsSerializer)

    @action(detail=True, url_path="replace/(?P<job>[^/]+)")
    def replaced(self, request, job, **kwargs):
        return self._dealt_with(Job.Kind.REPLACE, job)

    @action(detail=True, methods=["post"], url_path="lost", url_name="report-lost")
    def report_lost(self, request, **kwargs):
        return self._deal_with(Job.Kind.LOST, TicketsSerializer)

    @action(detail=True, url_path="lost/(?P<job>[^/]+)")
    def lost(self, request, job, **kwargs):
        return self._dealt_with(Job.Kind.LOST, job)

    def _deal_with(self, kind, serializer_class):
        """Start a job about some tickets of the batch."""
        batch, request = self.get_object(), self.request
        serializer = serializer_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        refuse_too_many(request.event)
        job = jobs.create_after_sale(
            request.event, kind, serializer.request_data(kind), requested_by(request), batch=batch
        )
        return self._accepted("check", job)

    def _dealt_with(self, kind, pk):
        job = self._find_job(kind, pk, batch=self.get_object())
        if job.state != Job.State.SUCCEEDED:
            return unfinished(job)
        return Response({name: job.data[name] for name in (job.dealt_with, "skipped")})

    def _accepted(self, name, job):
        """Start the job, and say where to ask for its result, under the name that the documentation gives it."""
        tasks.start(job)
        return Response({name: address_of(job, self.request)}, status=status.HTTP_202_ACCEPTED)

    def _find_job(self, kind, pk, **filters):
        try:
            job = jobs.find(self.request.event, kind, pk, **filters)
        except (Job.DoesNotExist, ValidationError):
            raise Http404
        tasks.revive(job)
        return job


def address_of(job: Job, request) -> str | None:
    """Where to ask for the result. None for what can only be asked for, and looked at, in the backend."""
    if job.kind == Job.Kind.ISSUE:
        route, kwargs = "check", {}
    elif job.kind == Job.Kind.PRINT and job.file_id:
        route, kwargs = "download", {"pk": job.batch_id, "file": job.file_id}
    elif job.dealt_with and job.batch_id:
        route, kwargs = job.dealt_with, {"pk": job.batch_id}
    else:
        return None
    kwargs |= {"organizer": request.organizer.slug, "event": request.event.slug, "job": job.pk}
    return reverse(f"api-v1:offlinesalesbatch-{route}", kwargs=kwargs, request=request)


def refuse_too_many(event) -> None:
    if jobs.too_many(event):
        raise Throttled(wait=60, detail=_("There are too many unfinished jobs of this event. Please wait for some."))


def unfinished(job: Job) -> Response:
    if job.state == Job.State.FAILED:
        return Response({"status": "failed", "message": job.message}, status=status.HTTP_410_GONE)
    return Response({"status": job.state}, status=status.HTTP_409_CONFLICT, headers={"Retry-After": "1"})


def requested_by(request) -> dict:
    """Who asks, as the fields of ``Requested``."""
    auth = request.auth
    return {
        "user": request.user if request.user.is_authenticated else None,
        "api_token": auth if isinstance(auth, TeamAPIToken) else None,
        "device": auth if isinstance(auth, Device) else None,
        "oauth_application": auth.application if isinstance(auth, OAuthAccessToken) else None,
    }
