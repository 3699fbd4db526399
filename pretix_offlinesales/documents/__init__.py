"""
Papers, of the moment or with a number. What they say is collected as a ``snapshot``, and drawn from that alone.

Of the moment are the delivery note and the statement of a batch: ``contents`` collects what they say, ``batch_papers``
draws it, and ``make`` does both. With a number, and kept, are what goes with a hand-over (``notes``, ``note_paper``)
and statements of sellers (``statements``, ``statement_paper``, ``statement_files``): ``kept`` has each drawn once, and
forgets people. All are on the organizer's ``letterhead``, and speak the event's language, whoever asks.
"""
