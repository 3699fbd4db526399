"""Who may do what: the host's rules, and that the plugin is on."""

from typing import cast

from pretix.api.auth.permission import EventPermission
from pretix.base.models import Device, TeamAPIToken, User
from rest_framework.request import Request

from ..models import CHANGE_SELLERS, READ_SELLERS
from ..models.activation import is_active, is_active_for


class PluginPermission(EventPermission):
    """The host asks for the right permission, but not whether the event uses the plugin."""

    def has_permission(self, request, view):
        if "\0" in view.kwargs["event"]:
            return False  # PostgreSQL would not even look for it
        return super().has_permission(request, view) and is_active(request.event)


class OrganizerPermission(EventPermission):
    """At addresses of an organizer, and no event."""

    def has_permission(self, request, view):
        return super().has_permission(request, view) and is_active_for(request.organizer)


class HandingOverPermission(PluginPermission):
    """Who hands tickets over must be able to say to whom."""

    def has_permission(self, request, view):
        return super().has_permission(request, view) and may_name_sellers(request)


def may_name_sellers(request: Request) -> bool:
    """
    Who may see them, which is a permission of the organizer's. Devices can't have any, and see no sellers: they are
    told whom.
    """
    return isinstance(request.auth, Device) or _may(request, READ_SELLERS)


def may_change_sellers(request: Request) -> bool:
    """Never a device."""
    return not isinstance(request.auth, Device) and _may(request, CHANGE_SELLERS)


def _may(request: Request, permission: str) -> bool:
    holder = request.auth if isinstance(request.auth, TeamAPIToken) else cast(User, request.user)
    return holder.has_organizer_permission(request.organizer, permission, request=request)
