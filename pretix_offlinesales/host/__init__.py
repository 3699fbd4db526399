"""
All of pretix, Django and ReportLab that is not documented for plugins, and what is known of its insides.

Other rooms import from here what they need of it; this one knows only ``models``. ``docs/host.rst`` lists it,
and the tests say of each name whether this host still has it.
"""
