"""Patterns: the code of what is drawn alike on many tickets, with blanks for the few things that differ."""

from collections.abc import Sequence

from reportlab.lib.rl_accel import escapePDF

_ESCAPED = str.maketrans({chr(n): escapePDF(chr(n)) for n in range(128)})


class Pattern:
    """A drawing with blanks, to be filled in for others like it."""

    def __init__(self, drawn: str, values: Sequence[str]):
        """
        :param values: what is different in others
        :raises ValueError: if one of them is not in the drawing, or more than once
        """
        for number, value in enumerate(values):
            if drawn.count(value) != 1:
                raise ValueError(f"Expected one {value!r} in the drawing")
            drawn = drawn.replace(value, _blank(number))
        self._drawn = drawn

    def fill_in(self, values: Sequence[str]) -> str:
        """:param values: in the same order"""
        drawn = self._drawn
        for number, value in enumerate(values):
            drawn = drawn.replace(_blank(number), value)
        return drawn


def _blank(number: int) -> str:
    return f"\0{number}"


def shown(text: str) -> str:
    """What shows this ASCII text in a font that has all letters."""
    return f"({text.translate(_ESCAPED)}) Tj"
