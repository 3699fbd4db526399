"""Lines of a table: what the host takes and what we take for the same, in one run."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """
    :param plugin: in the unit that the label names
    :param host: for the same; or nothing
    :param cpu: seconds of one processor, for all of it, without what the database needs
    :param remark: instead of how often our figure is in the host's
    """

    label: str
    plugin: float
    host: float | None = None
    cpu: float | None = None
    remark: str = ""

    @property
    def ratio(self) -> str:
        """How often our figure is in the host's."""
        if self.remark or not self.host or not self.plugin:
            return self.remark
        ratio = self.host / self.plugin
        return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×"

    def __str__(self) -> str:
        shown = (number(self.host), number(self.plugin), self.ratio, number(self.cpu))
        return f"{self.label:<52}" + "".join(f"{each:>10}" for each in shown).rstrip()


HEADINGS = "".join(f"{each:>10}" for each in ("host", "plugin", "ratio", "our CPU s"))


def number(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(title: str, lines: Iterator[Line]) -> None:
    print(f"\n{title:<52}{HEADINGS}", flush=True)
    for line in lines:
        print(line, flush=True)
