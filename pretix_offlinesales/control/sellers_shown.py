"""What pages of an event show of sellers, who are the organizer's."""

from django.http import HttpRequest

from ..models import CHANGE_SELLERS, READ_SELLERS


def may_read_sellers(request: HttpRequest) -> bool:
    """Over all events of the organizer, that is."""
    return request.user.has_organizer_permission(request.organizer, READ_SELLERS, request)


def may_change_sellers(request: HttpRequest) -> bool:
    return request.user.has_organizer_permission(request.organizer, CHANGE_SELLERS, request)


def of_sellers(request: HttpRequest) -> dict:
    """What forms that issue tickets want to know."""
    return {"has_sellers": may_read_sellers(request), "may_exceed": may_change_sellers(request)}
