"""A set of tickets: which ones, what has become of them, what they are worth, and what they are called."""
