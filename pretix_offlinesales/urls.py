from django.urls import re_path
from pretix.api.urls import event_router

from .api.views import BatchViewSet

event_router.register("offlinesalesbatches", BatchViewSet, basename="offlinesalesbatch")

urlpatterns = [
    # The documented example posts to this address without the last slash, which the router insists on.
    re_path(
        r"^api/v1/organizers/(?P<organizer>[^/]+)/events/(?P<event>[^/]+)/offlinesalesbatches/(?P<pk>[0-9]+)/render$",
        BatchViewSet.as_view({"post": "render_pdf"}),
        name="render",
    ),
]
