"""What members of the team can be told of, in the host's own way."""

from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from pretix.base.models import LogEntry
from pretix.base.notifications import Notification, NotificationType

from .settling.deadlines import PASSED, Passed


class DeadlinePassed(NotificationType):
    action_type = PASSED
    verbose_name = _("Deadline of a seller of offline sales has passed")  # type: ignore[assignment]  # lazy, as the host's
    #: Who holds tickets may be known by all who may see them.
    required_permission = "event.orders:read"

    def build_notification(self, logentry: LogEntry) -> Notification:
        event, passed = logentry.event, Passed.of(logentry)
        assert event
        place = {"organizer": event.organizer.slug, "event": event.slug}
        url = urljoin(settings.SITE_URL, reverse("plugins:pretix_offlinesales:list", kwargs=place))
        notification = Notification(event, title=passed.in_words(event), url=url)
        notification.add_attribute(_("Event"), event.name)
        if date := passed.date(event):
            notification.add_attribute(pgettext_lazy("subevent", "Date"), date)
        notification.add_attribute(_("Deadline"), passed.day)
        notification.add_attribute(_("Tickets"), passed.tickets)
        notification.add_action(_("Show tickets"), url)
        return notification
