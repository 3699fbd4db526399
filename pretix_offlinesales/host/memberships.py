"""Whether a customer's memberships allow what is in an order."""

from pretix.base.services.memberships import validate_memberships_in_order

__all__ = ["validate_memberships_in_order"]
