"""
The engine: jobs from the request to their end, whatever worker dies.

``registry`` has the kinds of jobs, each of which is one class in the room that does the work; the engine knows none.
``runner`` works on a job and decides what becomes of it; ``lock`` tells whether anybody still does, ``interruptions``
what an error means. ``announcing`` tells the rest of pretix what was made, ``patience`` waits for whom others hold up,
``files`` keeps what was made, ``queries`` finds jobs, and ``retention`` forgets them.
"""
