"""
Tickets come back: unsold, lost or damaged. Also, some get lost, shall be valid again, or need new paper.

``kinds`` says what can be done, each as a job such as ``after_sale`` has them. ``cancel`` takes back, ``undo`` makes
valid again (with ``claim``), ``lost`` blocks, ``replace`` gives new codes. ``door`` and ``event_canceled`` watch over
what the host does meanwhile.
"""
