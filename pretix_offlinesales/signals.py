"""Where pretix calls us."""

from django.db.models import Q
from django.dispatch import receiver
from django.template.loader import get_template
from django.urls import resolve, reverse
from django.utils.html import format_html
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext, ngettext_lazy
from django_scopes import scopes_disabled
from pretix.api.signals import order_api_details, register_webhook_events
from pretix.base.logentrytypes import EventLogEntryType, NoOpShredderMixin, OrderLogEntryType, log_entry_types
from pretix.base.signals import (
    checkin_created,
    event_copy_data,
    layout_text_variables,
    order_canceled,
    order_changed,
    order_reactivated,
    order_split,
    orderposition_blocked_display,
    periodic_task,
    register_data_exporters,
    register_data_shredders,
    register_multievent_data_exporters,
    register_payment_providers,
)
from pretix.control.signals import (
    html_page_start,
    nav_event,
    order_info,
    order_search_filter_q,
    order_search_forms,
)

from . import tasks
from .db.queries import unscoped
from .exporters import OfflineSalesExporter
from .host.helpers import minimum_interval
from .jobs import runner as jobs
from .models import RESULT_LIFETIME, OfflineSalesBatch, OfflineSalesTicket, ReturnKind
from .returning import LOST_BLOCK, named_by, refuse_at_the_door, unblock_split_off
from .returning.event_canceled import refund_in_place_of_gift_card
from .shredders import COMMENTED, OfflineSalesShredder, shred_comment
from .tickets.figures import with_state
from .tickets.origin import KEY, Origin
from .tickets.payment import OfflineSalesPayment
from .tickets.placeholders import text_variables
from .tickets.splitting import find_split_off
from .webhooks import webhook_events


@receiver(register_payment_providers, dispatch_uid="offlinesales_payment")
def payment_provider(sender, **kwargs):
    return OfflineSalesPayment


@receiver(periodic_task, dispatch_uid="offlinesales_revive")
@scopes_disabled()
def revive_jobs(sender, **kwargs):
    tasks.revive_jobs()


@receiver(periodic_task, dispatch_uid="offlinesales_clean_up")
@scopes_disabled()
@minimum_interval(minutes_after_success=60)
def delete_old_jobs(sender, **kwargs):
    jobs.delete_old()


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


@receiver(order_info, dispatch_uid="offlinesales_order_info")
def order_page(sender, order, request, **kwargs):
    if not (origin := Origin.of(order)):
        return ""
    ticket = with_state(OfflineSalesTicket.objects.filter(order=order)).first()
    if ticket:
        find_split_off([ticket])
    template = get_template("pretix_offlinesales/control/order_info.html")
    return template.render({"origin": origin, "ticket": ticket}, request=request)


#: Pages of the host on which staff decides over the money of many orders at once.
REFUNDING = ("event.cancel", "event.cancel.confirm", "event.orders.bulk.refund_overpaid")


@receiver(html_page_start, dispatch_uid="offlinesales_refunds")
def say_who_gets_no_money(sender, **kwargs):
    request = sender
    match = request.resolver_match
    if not match or match.url_name not in REFUNDING or "pretix_offlinesales" not in request.event.get_plugins():
        return ""
    if not OfflineSalesBatch.objects.filter(event=request.event).exists():
        return ""
    return get_template("pretix_offlinesales/control/refunding.html").render({}, request=request)


@receiver(order_search_forms, dispatch_uid="offlinesales_order_search")
def order_search(sender, request, **kwargs):
    from .control.forms import OrderSearchForm  # the host's forms want all apps to be ready

    data = request.POST if request.method == "POST" else request.GET
    return OrderSearchForm(data=data, prefix="offlinesales")


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
    return _("Reported lost or stolen") if block_name == LOST_BLOCK else None


@receiver(order_split, dispatch_uid="offlinesales_split")
def not_on_lost_paper(sender, split_order, **kwargs):
    unblock_split_off(split_order)


@receiver(order_reactivated, dispatch_uid="offlinesales_reactivated")
def forget_return(sender, order, **kwargs):
    """Whoever made it valid again: if it is canceled once more, that is not the return that it was."""
    ticket = getattr(order, "offline_sales_ticket", None)
    if ticket and ticket.returned:  # not, if it was us: then that was done with it, and may be out of date
        OfflineSalesTicket.objects.filter(pk=ticket.pk).update(returned=None, return_kind="")


@receiver(order_canceled, dispatch_uid="offlinesales_canceled")
@receiver(order_changed, dispatch_uid="offlinesales_changed")
def no_gift_card(sender, order, **kwargs):
    refund_in_place_of_gift_card(order)


@receiver(register_data_exporters, dispatch_uid="offlinesales_exporter")
@receiver(register_multievent_data_exporters, dispatch_uid="offlinesales_multievent_exporter")
def exporter(sender, **kwargs):
    """
    For organizers, the host would rather have plugins that are switched on for all of them, and says so in a warning.
    But its own plugins for events do the same, and ours would have to be switched on twice, with more permissions.
    """
    return OfflineSalesExporter


@receiver(register_data_shredders, dispatch_uid="offlinesales_shredder")
def shredder(sender, **kwargs):
    return OfflineSalesShredder


@receiver(register_webhook_events, dispatch_uid="offlinesales_webhooks")
def webhooks(sender, **kwargs):
    return webhook_events()


@receiver(event_copy_data, dispatch_uid="offlinesales_copy")
def copy_presets(sender, other, **kwargs):
    for preset in other.offline_sales_presets.all():
        preset.pk, preset.event = None, sender
        preset.save(force_insert=True)


@log_entry_types.new_from_dict(
    {
        "pretix_offlinesales.preset.added": _("The preset “{name}” for printing offline sales has been saved."),
        "pretix_offlinesales.preset.changed": _("The preset “{name}” for printing offline sales has been changed."),
        "pretix_offlinesales.preset.deleted": _("The preset “{name}” for printing offline sales has been deleted."),
        "pretix_offlinesales.deleted": _(
            "The last order of offline sales batch #{batch} has been deleted, and with it the batch."
        ),
    }
)
class EventChanged(NoOpShredderMixin, EventLogEntryType):
    """In the history of the event, as there is nothing else that has one."""


def _address(logentry, name: str, **kwargs) -> str | None:
    """Of a page of ours, as long as the event has them: histories are shown without the plugin as well."""
    if "pretix_offlinesales" not in logentry.event.get_plugins():
        return None
    place = {"organizer": logentry.event.organizer.slug, "event": logentry.event.slug}
    return reverse(f"plugins:pretix_offlinesales:{name}", kwargs=place | kwargs)


class BatchLogEntryType(EventLogEntryType):
    object_link_wrapper = _("Offline sales batch {val}")
    object_link_viewname = "plugins:pretix_offlinesales:batch"
    object_link_argname = "batch"
    content_type = OfflineSalesBatch


@log_entry_types.new(COMMENTED, _("The comment has been changed."))
class BatchChanged(BatchLogEntryType):
    def shred_pii(self, logentry):
        shred_comment(logentry)


class CountingLogEntryType(NoOpShredderMixin, BatchLogEntryType):
    """About some of the batch's tickets. The text depends on how many they are."""

    def display(self, logentry, data):
        return self.plain % data


@log_entry_types.new_from_dict(
    {
        "pretix_offlinesales.batch.issued": ngettext_lazy(
            "%(amount)s ticket has been issued for offline sales.",
            "%(amount)s tickets have been issued for offline sales.",
            "amount",
        ),
        "pretix_offlinesales.batch.data": ngettext_lazy(
            "A data file of %(amount)s ticket has been made.",
            "A data file of %(amount)s tickets has been made.",
            "amount",
        ),
    }
)
class BatchProduced(CountingLogEntryType):
    def display(self, logentry, data):
        text = super().display(logentry, data)
        if changed := data.get("changed"):
            not_valid = _("Tickets that were changed meanwhile, so that what was made of them is not valid: {numbers}")
            text = f"{text} {not_valid.format(numbers=changed)}"
        return text


@log_entry_types.new(
    "pretix_offlinesales.batch.printed",
    ngettext_lazy("%(amount)s ticket has been printed.", "%(amount)s tickets have been printed.", "amount"),
)
class BatchPrinted(BatchProduced):
    def display(self, logentry, data):
        text, blocked = super().display(logentry, data), data.get("blocked")
        if not blocked:
            return text
        of_them = ngettext("%(blocked)s of them is blocked.", "%(blocked)s of them are blocked.", blocked)
        return f"{text} {of_them % data}"


@log_entry_types.new("pretix_offlinesales.order.issued")
class OrderIssued(NoOpShredderMixin, OrderLogEntryType):
    """The text is the link, because the order's own history has no other."""

    def display(self, logentry, data):
        if not (origin := Origin.parse(data)):
            return str(_("The order has been issued for offline sales."))
        url = _address(logentry, "batch", batch=origin.batch)
        return format_html('<a href="{}">{}</a>.', url, origin) if url else f"{origin}."


class WithReturnKind:
    """Log entries that know why tickets came back."""

    def display(self, logentry, data):
        kinds = dict(ReturnKind.choices)
        return super().display(logentry, data | {"kind": kinds.get(data.get("kind"), data.get("kind"))})


class WithResult:
    """Log entries of jobs whose result can be looked at for a while."""

    def display(self, logentry, data):
        text = super().display(logentry, data)
        if "job" not in data or logentry.datetime < now() - RESULT_LIFETIME:
            return text
        url = _address(logentry, "result", job=data["job"])
        return format_html('{} <a href="{}">{}</a>', text, url, _("Show result")) if url else text


@log_entry_types.new(
    "pretix_offlinesales.batch.returned",
    ngettext_lazy(
        "%(amount)s ticket has been returned (%(kind)s).",
        "%(amount)s tickets have been returned (%(kind)s).",
        "amount",
    ),
)
class BatchReturned(WithReturnKind, WithResult, CountingLogEntryType):
    pass


@log_entry_types.new_from_dict(
    {
        "pretix_offlinesales.batch.undone": ngettext_lazy(
            "The return of %(amount)s ticket has been undone.",
            "The return of %(amount)s tickets has been undone.",
            "amount",
        ),
        "pretix_offlinesales.batch.replaced": ngettext_lazy(
            "%(amount)s ticket has been replaced.", "%(amount)s tickets have been replaced.", "amount"
        ),
        "pretix_offlinesales.batch.lost": ngettext_lazy(
            "%(amount)s ticket has been reported lost or stolen.",
            "%(amount)s tickets have been reported lost or stolen.",
            "amount",
        ),
        "pretix_offlinesales.batch.undone.lost": ngettext_lazy(
            "%(amount)s ticket is not reported lost any more.",
            "%(amount)s tickets are not reported lost any more.",
            "amount",
        ),
    }
)
class BatchDealtWith(WithResult, CountingLogEntryType):
    pass


@log_entry_types.new("pretix_offlinesales.order.returned", _("The ticket has been returned ({kind})."))
class OrderReturned(WithReturnKind, NoOpShredderMixin, OrderLogEntryType):
    pass


@log_entry_types.new_from_dict(
    {
        "pretix_offlinesales.order.lost": _("The ticket has been reported lost or stolen."),
        "pretix_offlinesales.order.undone.lost": _("The ticket is not reported lost any more."),
    }
)
class OrderLost(NoOpShredderMixin, OrderLogEntryType):
    pass
