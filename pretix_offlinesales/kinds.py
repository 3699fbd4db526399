"""All kinds of jobs that there are: importing this registers them."""

from .issuing.kinds import ISSUE, ISSUE_SEVERAL
from .printing.kinds import MAKE_DATA, PRINT, PRINT_FOR_SELLERS
from .returning.kinds import REPLACE, REPORT_LOST, RETURN, UNDO_LOST, UNDO_RETURN
from .settling.settle import SETTLE

__all__ = [
    "ISSUE",
    "ISSUE_SEVERAL",
    "MAKE_DATA",
    "PRINT",
    "PRINT_FOR_SELLERS",
    "REPLACE",
    "REPORT_LOST",
    "RETURN",
    "SETTLE",
    "UNDO_LOST",
    "UNDO_RETURN",
]
