"""
What sellers say is sold, and what has been paid.

``kinds`` says what can be done: declare tickets as sold, undo that, and pay the orders of a statement that is settled.
"""
