"""What the host raises and says when something can't be done."""

from pretix.base.services.checkin import CheckInError
from pretix.base.services.locking import LockTimeoutException
from pretix.base.services.orders import error_messages

__all__ = ["BUSY", "INTERNAL", "CheckInError", "LockTimeoutException"]

#: In the host's own words, and in its own translation once they are read.
BUSY, INTERNAL = error_messages["busy"], error_messages["internal"]
