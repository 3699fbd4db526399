"""What may happen to the tickets of a batch, by chance: by us, and by the host beside us."""

import random
from decimal import Decimal

from pretix.base.models import Order, OrderFee, OrderRefund
from pretix.base.services.checkin import CheckInError, perform_checkin
from pretix.base.services.orders import OrderError, cancel_order, mark_order_expired, reactivate_order

from pretix_offlinesales.kinds import REPLACE, UNDO_LOST, UNDO_RETURN

from .after_sale import change, deal_with, report_lost, take_back

KINDS = ("unsold", "lost", "damaged")


class History:
    """What may happen to a ticket, by chance. What the host refuses does not happen."""

    def __init__(self, batch, poster, tax_rule, seed):
        self.batch, self.poster, self.tax_rule = batch, poster, tax_rule
        self.chance = random.Random(seed)
        self.told = []

    def go_on(self):
        names = [name for name in dir(self) if name.startswith("then_")]
        name, ticket = self.chance.choice(names), self.chance.choice(self.batch.tickets.order_by("number"))
        try:
            getattr(self, name)(Order.objects.get(pk=ticket.order_id), ticket.number)
        except (OrderError, CheckInError, IndexError) as error:
            self.told.append(f"{ticket.number} not {name}: {error}")
        else:
            self.told.append(f"{ticket.number} {name}")

    def money(self):
        return Decimal(self.chance.randrange(1, 3000)) / 100

    def then_it_is_returned(self, order, number):
        take_back(self.batch, str(number), self.chance.choice(KINDS))

    def then_its_return_is_undone(self, order, number):
        deal_with(self.batch, str(number), UNDO_RETURN)

    def then_it_is_lost(self, order, number):
        report_lost(self.batch, str(number))

    def then_it_is_found_again(self, order, number):
        deal_with(self.batch, str(number), UNDO_LOST)

    def then_it_is_replaced(self, order, number):
        deal_with(self.batch, str(number), REPLACE)

    def then_its_price_is_changed(self, order, number):
        position = self.chance.choice(order.positions.all())
        change(order, lambda manager: manager.change_price(position, self.money()))

    def then_something_is_added(self, order, number):
        change(order, lambda manager: manager.add_position(self.poster, None, self.money(), None))

    def then_a_position_is_canceled(self, order, number):
        position = self.chance.choice(order.positions.all())
        change(order, lambda manager: manager.cancel(position))

    def then_a_position_is_split_off(self, order, number):
        position = self.chance.choice(order.positions.filter(addon_to=None))
        change(order, lambda manager: manager.split(position))

    def then_a_fee_is_added(self, order, number):
        fee = OrderFee(order=order, fee_type=OrderFee.FEE_TYPE_OTHER, value=self.money(), tax_rule=self.tax_rule)
        fee._calculate_tax()
        change(order, lambda manager: manager.add_fee(fee))

    def then_a_fee_is_canceled(self, order, number):
        fee = self.chance.choice(order.fees.all())
        change(order, lambda manager: manager.cancel_fee(fee))

    def then_something_is_refunded(self, order, number):
        amount = min(self.money(), order.payment_refund_sum)
        order.refunds.create(
            amount=amount,
            provider="manual",
            state=OrderRefund.REFUND_STATE_DONE,
            source=OrderRefund.REFUND_SOURCE_ADMIN,
            payment=order.payments.first(),
        )

    def then_it_expires(self, order, number):
        if order.status != Order.STATUS_EXPIRED and order.status != Order.STATUS_CANCELED:
            mark_order_expired(order)

    def then_it_is_canceled(self, order, number):
        cancel_order(order)

    def then_it_is_canceled_for_a_fee(self, order, number):
        cancel_order(order, cancellation_fee=min(self.money(), order.total))

    def then_it_is_reactivated(self, order, number):
        reactivate_order(order, force=True)

    def then_it_is_paid(self, order, number):
        if order.status == Order.STATUS_PENDING and order.pending_sum > 0:
            order.payments.create(provider="manual", amount=order.pending_sum).confirm(ignore_date=True)

    def then_it_is_let_in(self, order, number):
        door, _new = self.batch.event.checkin_lists.get_or_create(name="Door", all_products=True)
        position = order.all_positions.get(positionid=1) if order.all_positions.filter(positionid=1) else [][0]
        perform_checkin(position, door, {}, force=self.chance.random() < 0.5)
