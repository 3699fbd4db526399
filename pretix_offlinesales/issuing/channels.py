"""
Through which sales channel tickets are sold on paper: not through the online shop, if reports are to tell them apart.
"""

from django.db.models import Max
from django.utils.translation import gettext_lazy as _
from i18nfield.strings import LazyI18nString
from pretix.base.channels import ApiSalesChannelType
from pretix.base.models import Event, Organizer, SalesChannel, User

#: The channel that we offer to make. It is of a type that the host knows without us, in case the plugin is removed.
IDENTIFIER = f"{ApiSalesChannelType.identifier}.offlinesales"


def usual_channel(event: Event) -> SalesChannel | None:
    """The one that this event's tickets were issued on last; or the one that we have made; or the online shop."""
    channels = event.organizer.sales_channels
    return (
        channels.filter(pk__in=event.offline_sales_batches.order_by("-pk").values("sales_channel")[:1]).first()
        or channels.filter(identifier=IDENTIFIER).first()
        or channels.filter(identifier="web").first()
    )


def is_missing(organizer: Organizer) -> bool:
    """Whether there is nothing but the online shop."""
    return not organizer.sales_channels.exclude(identifier="web").exists()


def make_channel(organizer: Organizer, user: User) -> SalesChannel:
    """Make it, as the host makes channels. Whoever comes second gets that of the first."""
    last = organizer.sales_channels.aggregate(last=Max("position"))["last"] or 0
    channel, made = organizer.sales_channels.get_or_create(
        identifier=IDENTIFIER,
        defaults={
            "type": ApiSalesChannelType.identifier,
            "label": LazyI18nString.from_gettext(_("Offline sales")),
            "position": last + 1,
        },
    )
    if made:
        channel.refresh_from_db()  # with its label in all languages, which the log can read
        data = {"label": channel.label, "identifier": channel.identifier}
        channel.log_action("pretix.saleschannel.created", user=user, data=data)
    return channel
