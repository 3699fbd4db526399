"""
A request becomes a batch of orders.

``product`` says what may be sold offline, ``seats`` on which seats, ``quote`` what it would cost; ``request`` is what a
job remembers, and ``kinds`` has the job. The host simulates one order (``blueprint``), ``insert`` writes all of them,
``announce`` tells the rest of pretix. ``channels`` is about where paper is sold.
"""
