from typing import TYPE_CHECKING

import pretix
from django.utils.translation import gettext, gettext_lazy as _
from packaging.version import Version
from pretix.base.plugins import PLUGIN_LEVEL_EVENT_ORGANIZER_HYBRID, PluginConfig

from . import __version__

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: All tests have passed with this pretix, whatever its third number. They name what a newer one does not have any more.
NEWEST_TESTED = "2026.8"


class PluginApp(PluginConfig):
    name = "pretix_offlinesales"
    verbose_name = _("Offline sales")

    class PretixPluginMeta:
        name = _("Offline sales")
        author = "The pretix-offlinesales contributors"
        description = _(
            "Issue batches of paid, scannable tickets and print them as one PDF, for sale where there is no internet: "
            "at the kiosk, the tourist office or the bookshop."
        )
        category = "FEATURE"
        level = PLUGIN_LEVEL_EVENT_ORGANIZER_HYBRID
        navigation_links: "list[tuple[tuple[StrOrPromise, ...], str, dict]]" = [
            ((_("Offline sales"), _("All batches")), "plugins:pretix_offlinesales:list", {}),
            ((_("Offline sales"), _("Issue a batch of tickets")), "plugins:pretix_offlinesales:add", {}),
            ((_("Offline sales"), _("Return tickets")), "plugins:pretix_offlinesales:return", {}),
        ]
        visible = True
        featured = False
        version = __version__
        compatibility = "pretix>=2026.3.0"

    @property
    def compatibility_warnings(self) -> list[str]:
        """What the host's page of plugins says of this one."""
        if Version(pretix.__version__).release[:2] <= Version(NEWEST_TESTED).release:
            return []
        message = gettext(
            "This plugin was tested with pretix up to {tested}, and this is pretix {version}. Please issue and print a "
            "batch in test mode first, and look for a newer version of the plugin."
        )
        return [message.format(tested=NEWEST_TESTED, version=pretix.__version__)]

    def ready(self):
        from . import signals  # noqa: F401
        from .host import managers

        managers.install()
