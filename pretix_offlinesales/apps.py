from django.utils.translation import gettext_lazy as _
from pretix.base.plugins import PLUGIN_LEVEL_EVENT, PluginConfig

from . import __version__


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
        level = PLUGIN_LEVEL_EVENT
        navigation_links = [
            ((_("Offline sales"), _("All batches")), "plugins:pretix_offlinesales:list", {}),
            ((_("Offline sales"), _("Issue a batch of tickets")), "plugins:pretix_offlinesales:add", {}),
            ((_("Offline sales"), _("Return tickets")), "plugins:pretix_offlinesales:return", {}),
        ]
        visible = True
        featured = False
        version = __version__
        compatibility = "pretix>=2026.3.0"

    def ready(self):
        from . import signals  # noqa: F401
        from .host import managers

        managers.install()
