"""
The mask of a QR code: which of the eight makes it easiest to scan, by the points that the standard (ISO/IEC 18004)
gives for what confuses scanners.

It is the native encoder's choice, which looks at one module after the other. Here, all modules of a code are bits of
one number, so that they are looked at together.
"""

DARK, LIGHT = b"\x00", b"\xff"

#: Between lines, and around all of them: as many modules as must be light beside what looks like an eye.
GAP = 4 * LIGHT

_TO_BITS = bytes.maketrans(DARK + LIGHT, b"10")


class Lines:
    """Where bits of all rows of a code are in a number, and after them those of all columns."""

    def __init__(self, width: int):
        self._width, self._stride = width, width + len(GAP)
        self._everything = (1 << len(GAP) + (2 * width + 1) * self._stride) - 1
        modules = self.pack(DARK * width * width)
        self._amount = modules.bit_count()
        self._pairs = modules & modules >> 1

    def pack(self, modules: bytes) -> int:
        """The bits of dark modules."""
        width = self._width
        rows = [modules[start : start + width] for start in range(0, len(modules), width)]
        columns = [modules[start::width] for start in range(width)]
        # With a line between them, no module of a column lies below one of a row.
        lines = GAP.join([b"", *rows, LIGHT * width, *columns, b""])
        return int(lines.translate(_TO_BITS), 2)

    def rows(self, dark: int) -> int:
        """The bits of the rows alone, with a gap after each."""
        return dark >> (self._width + 1) * self._stride

    def points(self, dark: int) -> int:
        """What the standard calls the penalty of a code."""
        # Of neighbours in a line, both dark or both light: a bit for the first one.
        different = dark ^ dark >> 1
        same = self._pairs ^ (self._pairs & different)
        three = same & same >> 1
        five = three & three >> 2
        # Three for five in a line, and one for each more.
        points = 3 * five.bit_count() - 2 * (five & five << 1).bit_count()
        pairs_below = same & same >> self._stride
        squares = pairs_below ^ (pairs_below & (dark ^ dark >> self._stride))
        edges = different & different >> 1
        eyes = dark & edges & three >> 2 & edges >> 4
        around = self._everything ^ dark
        around &= around >> 1
        around &= around >> 2
        points += 40 * (eyes & (around >> 7 | around << 4)).bit_count()
        amount, dark_amount = self._amount, dark.bit_count()
        # Each square is there twice, in rows and in columns.
        return points + 3 * squares.bit_count() // 2 + 10 * (abs(20 * dark_amount - 10 * amount) // amount)


class Masks:
    """Of all codes that are equally large and have the same error correction."""

    def __init__(self, lines: Lines, examples: list[int]):
        """:param examples: the modules of any code with each mask, in their order"""
        self._lines = lines
        first, *others = examples
        #: What is dark or light with this mask, if it is not so with the first one. This is the same for all contents.
        self._changes = [0, *(first ^ other for other in others)]

    def best(self, code: int) -> int:
        """
        The code with its best mask.

        :param code: with the first mask
        """
        return min((code ^ change for change in self._changes), key=self._lines.points)
