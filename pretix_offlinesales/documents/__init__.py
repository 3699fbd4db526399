"""
Papers that go with a batch: a delivery note when its tickets are handed over, and a statement when it is settled.

``contents`` collects what they say, as a ``snapshot`` of values. ``paper`` writes that on the organizer's
``letterhead``, and looks at nothing else. All is said in the event's language and timezone, whoever asks.
"""
