"""All kinds of jobs that there are: importing this registers them."""

from .issuing.kinds import ISSUE, ISSUE_SEVERAL
from .printing.kinds import MAKE_DATA, PRINT, PRINT_FOR_SELLERS
from .returning.kinds import REPLACE, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN
from .settling.kinds import DECLARE_SOLD, UNDO_SOLD
from .settling.many import STATE_ALL
from .settling.settle import SETTLE

__all__ = [
    "DECLARE_SOLD",
    "ISSUE",
    "ISSUE_SEVERAL",
    "MAKE_DATA",
    "PRINT",
    "PRINT_FOR_SELLERS",
    "REPLACE",
    "REPORT_LOST",
    "RETURN",
    "SETTLE",
    "STATE_ALL",
    "UNDO_LOST",
    "UNDO_RETURN",
    "UNDO_SOLD",
]
