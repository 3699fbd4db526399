"""What all pages of the organizer's have in common: she must use the plugin, and sellers are only for some."""

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from pretix.control.permissions import OrganizerPermissionRequiredMixin, organizer_permission_required

from ..models import CHANGE_SELLERS, READ_SELLERS, Seller
from ..models.activation import is_active_for


class OrganizerPageMixin(OrganizerPermissionRequiredMixin):
    """
    Every page of the organizer's. The host asks for the permission, but not whether the organizer uses the plugin.
    """

    permission = READ_SELLERS

    @classmethod
    def as_view(cls, **initkwargs):
        """Whoever may change, but not read, would not get to see where it ends."""
        return organizer_permission_required(READ_SELLERS)(super().as_view(**initkwargs))

    def dispatch(self, request, *args, **kwargs):
        if not is_active_for(request.organizer):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def url(self, name: str, **kwargs) -> str:
        return reverse(
            f"plugins:pretix_offlinesales:{name}", kwargs=kwargs | {"organizer": self.request.organizer.slug}
        )

    def get_context_data(self, **kwargs):
        may_change = self.request.user.has_organizer_permission(self.request.organizer, CHANGE_SELLERS, self.request)
        return super().get_context_data(**kwargs) | {"may_change": may_change}

    @property
    def requester(self) -> dict:
        return {"user": self.request.user}

    @property
    def sellers(self) -> QuerySet[Seller]:
        return Seller.objects.filter(organizer=self.request.organizer)


class SellerMixin(OrganizerPageMixin):
    """Pages of one seller."""

    @cached_property
    def seller(self) -> Seller:
        return get_object_or_404(self.sellers, pk=self.kwargs["seller"])

    @cached_property
    def currency(self) -> str:
        """Hers, or, as long as she has none, what she will probably have."""
        some_event = None if self.seller.currency else self.request.organizer.events.first()
        return self.seller.currency or (some_event.currency if some_event else settings.DEFAULT_CURRENCY)

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"seller": self.seller, "currency": self.currency}

    def back(self):
        return redirect(self.url("seller", seller=self.seller.pk))
