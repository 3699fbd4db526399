"""
What sellers say is sold, and what has been paid.

``kinds`` says what can be done: declare tickets as sold, and undo that. ``settle`` is the job that pays the orders of a
statement that is settled, which ``paying`` asks for, and ``mark_paid`` does what the host does with one order.
``sold`` writes down what is sold, ``deadlines`` finds what counts as sold since nobody has brought it back.
``many`` makes the statements of many sellers in one go.
"""
