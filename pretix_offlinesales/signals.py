"""Where pretix calls us."""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.template.loader import get_template
from django.urls import resolve, reverse
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from django_scopes import scopes_disabled
from pretix.api.signals import order_api_details, register_webhook_events
from pretix.base.permissions import PermissionGroup, PermissionOption
from pretix.base.signals import (
    checkin_created,
    event_copy_data,
    layout_text_variables,
    order_approved,
    order_canceled,
    order_changed,
    order_expiry_changed,
    order_paid,
    order_reactivated,
    order_split,
    orderposition_blocked_display,
    periodic_task,
    register_data_exporters,
    register_data_shredders,
    register_multievent_data_exporters,
    register_notification_types,
    register_organizer_permission_groups,
    register_payment_providers,
)
from pretix.control.signals import (
    html_page_start,
    nav_event,
    nav_organizer,
    order_info,
    order_search_filter_q,
    order_search_forms,
)

from . import logentries, tasks  # noqa: F401 - histories are registered
from .db.queries import unscoped
from .exporters import OfflineSalesExporter
from .host.helpers import minimum_interval
from .jobs import retention
from .models import CHANGE_SELLERS, READ_SELLERS, OfflineSalesBatch, OfflineSalesTicket
from .models.activation import is_active, is_active_for
from .notifications import DeadlinePassed
from .returning.door import refuse_at_the_door
from .returning.event_canceled import refund_in_place_of_gift_card
from .returning.lost import BLOCK, unblock_split_off
from .sellers.history import movements_of
from .settling.sold import note_payment
from .shredders import DocumentShredder, OfflineSalesShredder
from .tickets.expiry import keep_all_valid, keep_valid
from .tickets.origin import KEY, Origin
from .tickets.payment import OfflineSalesPayment
from .tickets.placeholders import text_variables
from .tickets.selection import named_by
from .tickets.splitting import find_split_off
from .tickets.state import in_words, state_of_ticket, with_state
from .webhooks import webhook_events


@receiver(register_payment_providers, dispatch_uid="offlinesales_payment")
def payment_provider(sender, **kwargs):
    return OfflineSalesPayment


@receiver(register_organizer_permission_groups, dispatch_uid="offlinesales_permissions")
def permissions(sender, **kwargs):
    name, read = READ_SELLERS.split(":")
    _name, write = CHANGE_SELLERS.split(":")
    levels = {(): "No access", (read,): "View", (read, write): "View and change"}  # the host's words, and translations
    options = [
        PermissionOption(actions=actions, label=pgettext_lazy("permission_level", label))
        for actions, label in levels.items()
    ]
    group = PermissionGroup(
        name=name,
        label=_("Sellers of offline sales"),
        actions=[read, write],
        options=options,
        help_text=_("Includes the tickets that sellers hold and what they owe, over all events."),
    )
    return [group]  # alone, the host would take it for a list, since it is a tuple


@receiver(periodic_task, dispatch_uid="offlinesales_recover")
@scopes_disabled()
def recover_jobs(sender, **kwargs):
    tasks.recover_jobs()


@receiver(periodic_task, dispatch_uid="offlinesales_deadlines")
def pass_deadlines(sender, **kwargs):
    tasks.pass_deadlines()


@receiver(register_notification_types, dispatch_uid="offlinesales_notifications")
def notifications(sender, **kwargs):
    return DeadlinePassed(sender)


@receiver(order_paid, dispatch_uid="offlinesales_paid")
def sold_when_paid(sender, order, **kwargs):
    note_payment(order)


@receiver(periodic_task, dispatch_uid="offlinesales_clean_up")
@scopes_disabled()
@minimum_interval(minutes_after_success=60)
def delete_old_jobs(sender, **kwargs):
    retention.delete_old()


@receiver(periodic_task, dispatch_uid="offlinesales_expiry")
@scopes_disabled()
@minimum_interval(minutes_after_success=60)
def let_nothing_expire(sender, **kwargs):
    keep_all_valid()


@receiver(periodic_task, dispatch_uid="offlinesales_settle_rest")
@scopes_disabled()
@minimum_interval(minutes_after_success=60)
def settle_rest(sender, **kwargs):
    tasks.settle_rest()


@receiver(nav_event, dispatch_uid="offlinesales_nav")
def navigation(sender, request, **kwargs):
    if not request.user.has_event_permission(request.organizer, request.event, "event.orders:read", request):
        return []
    place = {"organizer": request.organizer.slug, "event": request.event.slug}
    return [
        {
            "label": _("Offline sales"),
            "url": reverse("plugins:pretix_offlinesales:list", kwargs=place),
            "parent": reverse("control:event.orders", kwargs=place),
            "active": resolve(request.path_info).namespace == "plugins:pretix_offlinesales",
        }
    ]


@receiver(nav_organizer, dispatch_uid="offlinesales_organizer_nav")
def organizer_navigation(sender, organizer, request, **kwargs):
    if not is_active_for(organizer) or not request.user.has_organizer_permission(organizer, READ_SELLERS, request):
        return []
    place, here = {"organizer": organizer.slug}, resolve(request.path_info)
    of_pages = {"sellers": _("Sellers"), "statements": _("Statements"), "payments": _("Payments of sellers")}
    is_ours = here.namespace == "plugins:pretix_offlinesales"
    children = []
    for name, label in of_pages.items():
        url = reverse(f"plugins:pretix_offlinesales:{name}", kwargs=place)
        children.append({"label": label, "url": url, "active": is_ours and request.path_info.startswith(url)})
    return [{"label": _("Offline sales"), "url": children[0]["url"], "icon": "handshake-o", "children": children}]


@receiver(order_info, dispatch_uid="offlinesales_order_info")
def order_page(sender, order, request, **kwargs):
    if not (origin := Origin.of(order)):
        return ""
    ticket = with_state(
        OfflineSalesTicket.objects.filter(order=order).select_related("seller", "batch", "statement__document")
    ).first()
    context: dict[str, Any] = {"origin": origin, "order": order, "ticket": ticket}
    if ticket:
        find_split_off([ticket])
        context["state"] = in_words(state_of_ticket(ticket), ticket.seller.name if ticket.seller else "")
        context["movements"] = movements_of(ticket)
    # Who holds it may be read by all who may read the order, the rest by those who may read sellers.
    context["may_read_sellers"] = request.user.has_organizer_permission(request.organizer, READ_SELLERS, request)
    return get_template("pretix_offlinesales/control/order_info.html").render(context, request=request)


#: Pages of the host on which staff decides over the money of many orders at once.
REFUNDING = ("event.cancel", "event.cancel.confirm", "event.orders.bulk.refund_overpaid")


@receiver(html_page_start, dispatch_uid="offlinesales_refunds")
def say_who_gets_no_money(sender, **kwargs):
    request = sender
    match = request.resolver_match
    if not match or match.url_name not in REFUNDING or not is_active(request.event):
        return ""
    if not OfflineSalesBatch.objects.filter(event=request.event).exists():
        return ""
    return get_template("pretix_offlinesales/control/refunding.html").render({}, request=request)


@receiver(order_search_forms, dispatch_uid="offlinesales_order_search")
def order_search(sender, request, **kwargs):
    from .control.forms import OrderSearchForm  # the host's forms want all apps to be ready

    data = request.POST if request.method == "POST" else request.GET
    return OrderSearchForm(data=data, prefix="offlinesales", event=sender)


@receiver(order_search_filter_q, dispatch_uid="offlinesales_order_search_query")
def orders_by_ticket_name(sender, query, **kwargs):
    """``#3-17``, as it is called on the order's page. The host does not always say in which event it searches."""
    named = named_by(query)
    return Q(pk__in=unscoped(OfflineSalesTicket.objects).filter(named).values("order")) if named else Q()


@receiver(order_api_details, dispatch_uid="offlinesales_order_api")
def order_api(sender, order, **kwargs):
    origin = Origin.of(order)
    return {KEY: {"batch": origin.batch, "number": origin.number}} if origin else {}


@receiver(layout_text_variables, dispatch_uid="offlinesales_layout")
def layout_variables(sender, **kwargs):
    return text_variables(sender)


@receiver(checkin_created, dispatch_uid="offlinesales_door")
def check_in(sender, checkin, **kwargs):
    refuse_at_the_door(checkin)


@receiver(orderposition_blocked_display, dispatch_uid="offlinesales_blocked")
def why_it_is_blocked(sender, block_name, **kwargs):
    return _("Reported lost or stolen") if block_name == BLOCK else None


@receiver(order_split, dispatch_uid="offlinesales_split")
def not_on_lost_paper(sender, split_order, **kwargs):
    unblock_split_off(split_order)


@receiver(order_reactivated, dispatch_uid="offlinesales_reactivated")
def forget_return(sender, order, **kwargs):
    """Whoever made it valid again: if it is canceled once more, that is not the return that it was."""
    ticket = getattr(order, "offline_sales_ticket", None)
    if ticket and ticket.returned:  # not, if it was us: then that was done with it, and may be out of date
        OfflineSalesTicket.objects.filter(pk=ticket.pk).update(returned=None, return_kind="")


@receiver(order_reactivated, dispatch_uid="offlinesales_expiry_reactivated")
@receiver(order_changed, dispatch_uid="offlinesales_expiry_changed")
@receiver(order_approved, dispatch_uid="offlinesales_expiry_approved")
@receiver(order_expiry_changed, dispatch_uid="offlinesales_expiry_by_hand")
def let_it_not_expire(sender, order, **kwargs):
    keep_valid(order)


@receiver(order_canceled, dispatch_uid="offlinesales_canceled")
@receiver(order_changed, dispatch_uid="offlinesales_changed")
def no_gift_card(sender, order, **kwargs):
    refund_in_place_of_gift_card(order)


@receiver(register_data_exporters, dispatch_uid="offlinesales_exporter")
@receiver(register_multievent_data_exporters, dispatch_uid="offlinesales_multievent_exporter")
def exporter(sender, **kwargs):
    """
    One for an event, and one for those of an organizer who has the plugin: the host asks only that, and the exporter
    leaves out events that don't use it. For both, one must be allowed to read orders, and gets those events' tickets.
    That includes the names of who holds them, and nothing else about sellers.
    """
    return OfflineSalesExporter


@receiver(register_data_shredders, dispatch_uid="offlinesales_shredder")
def shredder(sender, **kwargs):
    return [OfflineSalesShredder, DocumentShredder]


@receiver(register_webhook_events, dispatch_uid="offlinesales_webhooks")
def webhooks(sender, **kwargs):
    return webhook_events()


@receiver(event_copy_data, dispatch_uid="offlinesales_copy")
def copy_presets(sender, other, **kwargs):
    for preset in other.offline_sales_presets.all():
        preset.pk, preset.event = None, sender
        preset.save(force_insert=True)
