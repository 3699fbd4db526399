"""The batch as the API shows it, and as it is asked for."""

from django.core.exceptions import ValidationError as DjangoValidationError
from pretix.base.models import Item, ItemVariation, SalesChannel, SubEvent
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from rest_framework import serializers

from ..issuing import check, usual_layout
from ..models import MAX_AMOUNT, OfflineSalesBatch


class BatchSerializer(serializers.ModelSerializer):
    """A batch in a list. Only its comment can be changed."""

    sales_channel = serializers.SlugRelatedField(slug_field="identifier", read_only=True)

    class Meta:
        model = OfflineSalesBatch
        fields = (
            "id",
            "creation",
            "testmode",
            "sales_channel",
            "layout",
            "subevent",
            "item",
            "variation",
            "amount",
            "comment",
        )
        read_only_fields = tuple(name for name in fields if name != "comment")


class BatchDetailSerializer(BatchSerializer):
    """A batch on its own, with the codes of all its orders that still exist, by ticket number."""

    orders = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "orders")

    def get_orders(self, batch) -> list[str]:
        return list(batch.tickets.order_by("number").values_list("order__code", flat=True))


class BatchRequestSerializer(serializers.Serializer):
    """What may be asked for. ``validated_data`` holds the values of a batch that ``issuing.check`` found valid."""

    testmode = serializers.BooleanField(default=False)
    sales_channel = serializers.SlugRelatedField(slug_field="identifier", queryset=SalesChannel.objects.none())
    layout = serializers.PrimaryKeyRelatedField(
        queryset=TicketLayout.objects.none(), required=False, allow_null=True
    )
    subevent = serializers.PrimaryKeyRelatedField(queryset=SubEvent.objects.none(), default=None, allow_null=True)
    item = serializers.PrimaryKeyRelatedField(queryset=Item.objects.none())
    variation = serializers.PrimaryKeyRelatedField(
        queryset=ItemVariation.objects.none(), default=None, allow_null=True
    )
    amount = serializers.IntegerField(min_value=1, max_value=MAX_AMOUNT)
    comment = serializers.CharField(default="", allow_blank=True)

    def __init__(self, *args, event, **kwargs):
        super().__init__(*args, **kwargs)
        self.event = event
        self.fields["sales_channel"].queryset = event.organizer.sales_channels.all()
        self.fields["layout"].queryset = event.ticket_layouts.all()
        self.fields["subevent"].queryset = event.subevents.all()
        self.fields["item"].queryset = event.items.all()
        self.fields["variation"].queryset = ItemVariation.objects.filter(item__event=event)

    def validate(self, values):
        if "layout" not in values:
            values["layout"] = usual_layout(self.event, values["item"], values["sales_channel"])
        self.batch = OfflineSalesBatch(event=self.event, **values)
        try:
            check(self.batch)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message_dict)
        return values
