"""Why a ticket is left alone. The values are those of the API."""

UNKNOWN = "unknown"
ALREADY_CANCELED = "already_canceled"
CHECKED_IN = "checked_in"
#: It isn't what was issued any more: another product or price, more positions or fewer.
CHANGED = "changed"
#: The gift card that was sold with it has less on it than was paid for it.
GIFT_CARD_USED = "gift_card_used"

# Of tickets that shall become valid again:
NOT_CANCELED = "not_canceled"
#: The codes on the paper are on the revocation list: it needs replacing.
REVOKED = "revoked"
SOLD_OUT = "sold_out"
#: Somebody else held the quota for too long.
BUSY = "busy"

# Of tickets that shall get new codes:
GIFT_CARD = "gift_card"
