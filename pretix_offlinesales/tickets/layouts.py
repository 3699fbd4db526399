"""What a ticket looks like, where nobody has chosen."""

from pretix.base.models import Event, Item, SalesChannel
from pretix.plugins.ticketoutputpdf.models import TicketLayout

from ..host.rendering import TicketOutput


def usual_layout(event: Event, item: Item, sales_channel: SalesChannel) -> TicketLayout | None:
    """The layout that the host would use for this product and channel; none, where the event has no layouts."""
    output = TicketOutput(event)
    layouts = output.layout_map
    layout = layouts.get((item.pk, sales_channel.identifier)) or layouts.get((item.pk, "web")) or output.default_layout
    return layout if layout.pk else None
