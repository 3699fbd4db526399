"""
Tickets come back: unsold, lost or damaged. Also, some get lost, shall be valid again, or need new paper.

``kinds`` says all that can be done with tickets that exist, each as a job; ``after_sale`` what these have in common,
``attempt`` how a worker does it chunk by chunk, at its ``pace``. ``orders`` fetches what there is to know. ``cancel``
takes back, ``undo`` makes valid again (with ``claim``), ``lost`` blocks, ``replace`` gives new codes (with
``secrets``); ``announce`` tells the rest of pretix. ``examine`` says what would become of tickets, and what has.
``door`` and ``event_canceled`` watch over what the host does meanwhile.
"""
