"""
The plugin beside the host, in one run: ``make bench``.

``__main__`` makes a scratch database, lets ``measure`` take each measurement in a process of its own (so that what one
needs of memory is not hidden by another), prints the table, and cleans up. ``world`` is what is measured in, and
``publish`` writes what a whole run has found into the docs.
"""
