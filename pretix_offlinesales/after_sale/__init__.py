"""
What all jobs have in common that do something with tickets that exist.

``kind`` says what there is to know of such a kind of job, ``attempt`` how a worker does it chunk by chunk, at its
``pace``. ``orders`` fetches what there is to know of tickets, ``secrets`` writes the codes on the paper, ``payments``
our payments, ``announce`` tells the rest of pretix. ``examine`` says what would become of tickets, and what has.
"""
