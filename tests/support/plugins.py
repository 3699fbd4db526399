"""Plugins that are active in an event."""


PLUGINS = "pretix.plugins.ticketoutputpdf,pretix_offlinesales"
