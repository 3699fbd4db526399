"""
What sellers say is sold, and what has been paid.

``kinds`` says what can be done: declare tickets as sold, undo that, and pay the orders of a statement that is settled.
``sold`` writes down what is sold, ``deadlines`` finds what counts as sold since nobody has brought it back.
``many`` makes the statements of many sellers in one go.
"""
