"""What has become of some tickets."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    #: Order codes of those that were dealt with.
    done: list[str] = field(default_factory=list)
    #: Order codes of those that were left alone, and one of ``reasons`` for each.
    skipped: dict[str, str] = field(default_factory=dict)
