"""
What ``host/`` relies on that nobody has promised to plugins, module by module of it. A name that is not here may not be
used there, and none of these anywhere else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    #: ``module:name.of.it``; with ``()`` it is that of an instance.
    path: str
    #: How it is called: the parameters by place, then ``*`` and those by name. Not looked at if it is not said.
    called: str | None = None
    #: The names of what it must look for itself: it finds there what we put there.
    looks_for: str = ""
    #: Whether we manage without it, because the oldest pretix has to.
    optional: bool = False

    def __str__(self):
        return self.path


ORDER = "pretix.api.serializers.order"
IMPORTS = "pretix.base.modelimport"
INVOICES = "pretix.base.services.invoices"
PDF = "pretix.base.pdf"
REPORTLAB_PAPERS = "pretix.base.invoicing.pdf:BaseReportlabInvoiceRenderer"
SECRETS = "pretix.base.secrets"
TICKET_OUTPUT = "pretix.plugins.ticketoutputpdf.ticketoutput:PdfTicketOutput"
QUOTAS = "pretix.base.services.quotas:QuotaAvailability"
QR_ENCODER = "reportlab.graphics.barcode.qrencoder"
CANVAS = "reportlab.pdfgen.canvas:Canvas"

NAMES = {
    "canvas": [
        Name(f"{CANVAS}.init_graphics_state", "self", looks_for="_extgstate"),
        Name(f"{CANVAS}.push_state_stack", "self"),
        Name(f"{CANVAS}.pop_state_stack", "self"),
        Name(f"{CANVAS}.addLiteral", "self, s", looks_for="_code"),
        Name(f"{CANVAS}()._code"),
        Name(f"{CANVAS}()._extgstate"),
        Name(f"{CANVAS}()._extgstate._c"),
        Name("reportlab.pdfbase.ttfonts:TTFont()._asciiReadable"),
        Name("reportlab.pdfbase.ttfonts:TTFont().face.charToGlyph"),
    ],
    "errors": [
        Name("pretix.base.services.checkin:CheckInError", "msg, code"),
        Name("pretix.base.services.locking:LockTimeoutException"),
        Name("pretix.base.services.orders:error_messages.busy"),
        Name("pretix.base.services.orders:error_messages.internal"),
    ],
    "forms": [
        Name("pretix.control.forms.renderers:ControlFieldRenderer.add_label", looks_for="_required"),
    ],
    "fonts": [
        Name("pretix.helpers.reportlab:normalize_text", "text"),
        Name("pretix.helpers.reportlab:register_ttf_font_if_new", "name, path"),
        Name("reportlab.pdfbase.ttfonts:TTFont().face.charToGlyph"),
    ],
    "helpers": [
        Name("defusedcsv.csv:_escape", "payload"),
        Name("pretix.helpers.database:OF_SELF"),
        Name("pretix.helpers.database:rolledback_transaction", ""),
        Name("pretix.helpers.http:ChunkBasedFileResponse", "streaming_content, *, content_type"),
        Name("pretix.helpers.iter:chunked_iterable", "iterable, size"),
        Name("pretix.helpers.json:CustomJSONEncoder"),
        Name("pretix.helpers.periodic:minimum_interval", "minutes_after_success"),
        Name("pretix.helpers.reportlab:ThumbnailingImageReader.resize", "self, width, height, dpi"),
        Name("pretix.helpers.reportlab:ThumbnailingImageReader.remove_transparency", "self"),
    ],
    "imports": [
        Name(f"{IMPORTS}:parse_csv", "file, *, mode, charset"),
        Name(f"{IMPORTS}:ImportColumn", "event"),
        Name(f"{IMPORTS}:ImportColumn.resolve", "self, settings, record", looks_for="identifier default_value"),
        Name(f"{IMPORTS}:BooleanColumnMixin.clean", "self, value, previous_values"),
        Name(f"{IMPORTS}:DecimalColumnMixin.clean", "self, value, previous_values"),
        Name("pretix.control.forms.modelimport:ProcessForm.__init__", looks_for="get_columns"),
        Name("pretix.control.views.modelimport:BaseImportView.post", looks_for="get_process_url"),
        Name("pretix.control.views.modelimport:BaseProcessView.dispatch", looks_for="get_form_url parsed"),
        Name("pretix.control.views.modelimport:BaseProcessView.file"),
    ],
    "invoices": [
        Name(f"{INVOICES}:generate_cancellation", "invoice"),
        Name(f"{INVOICES}:generate_invoice", "order"),
        Name(f"{INVOICES}:invoice_qualified", "order"),
    ],
    "managers": [
        Name(
            "django.db.models.fields.related_descriptors:create_reverse_many_to_one_manager",
            "superclass, rel",
        ),
        Name(
            "django.db.models.fields.related_descriptors:ReverseManyToOneDescriptor.related_manager_cls",
            looks_for="create_reverse_many_to_one_manager",
        ),
    ],
    "memberships": [
        Name(
            "pretix.base.services.memberships:validate_memberships_in_order",
            "customer, positions, event, *, lock, testmode",
        ),
    ],
    "papers": [
        Name(f"{REPORTLAB_PAPERS}", "event"),
        Name(
            f"{REPORTLAB_PAPERS}._build_doc",
            "self, fhandle",
            looks_for="_init _get_story _get_first_page_frames _get_other_page_frames _on_first_page _on_other_page "
            "canvas_class",
        ),
        Name(f"{REPORTLAB_PAPERS}._get_stylesheet", "self"),
        Name(f"{REPORTLAB_PAPERS}._get_story", "self, doc"),
        Name(f"{REPORTLAB_PAPERS}._get_first_page_frames", "self, doc"),
        Name(f"{REPORTLAB_PAPERS}._get_other_page_frames", "self, doc"),
        Name(f"{REPORTLAB_PAPERS}._on_first_page", "self, canvas, doc"),
        Name(f"{REPORTLAB_PAPERS}._on_other_page", "self, canvas, doc"),
        Name(f"{REPORTLAB_PAPERS}._register_fonts", "self", looks_for="event font_regular font_bold"),
        Name(f"{REPORTLAB_PAPERS}._upper", "self, val"),
        Name(f"{REPORTLAB_PAPERS}._get_stylesheet", "self"),
        *(
            Name(f"{REPORTLAB_PAPERS}.{measure}")
            for measure in ("canvas_class", "pagesize", "left_margin", "right_margin", "font_regular", "font_bold")
        ),
        Name("pretix.presale.style:get_fonts", "event, pdf_support_required"),
    ],
    "prefetching": [
        Name("django.db.models:Model()._prefetched_objects_cache"),
        Name("pretix.base.models:Event._settings_objects"),
        Name("pretix.base.models:Organizer._settings_objects"),
    ],
    "pricing": [
        Name("pretix.base.services.pricing:get_listed_price", "item, variation, subevent"),
        Name(
            "pretix.base.services.pricing:get_line_price",
            "*, price_after_voucher, custom_price_input, custom_price_input_is_net, tax_rule, invoice_address, "
            "bundled_sum",
        ),
        Name("pretix.base.services.pricing:apply_discounts", "event, sales_channel, positions"),
        Name("pretix.base.models:CartPosition.sort_key"),
    ],
    "qrcodes": [
        Name(f"{QR_ENCODER}:QR"),
        Name(f"{QR_ENCODER}:QRNumber.valid"),
        Name(f"{QR_ENCODER}:QRAlphaNum.valid"),
        Name(f"{QR_ENCODER}:QR8bitByte", "data"),
        Name(f"{QR_ENCODER}:QRCode", "version, errorCorrectLevel"),
        Name(f"{QR_ENCODER}:QRCode.addData", "self, data"),
        Name(f"{QR_ENCODER}:QRCode.make", "self"),
        Name(f"{QR_ENCODER}:QRCode.calculate_version", "self"),
        Name(f"{QR_ENCODER}:QRCode().modules"),
        *(Name(f"{QR_ENCODER}:QRErrorCorrectLevel.{level}") for level in "LMQH"),
    ],
    "quotas": [
        Name(
            "pretix.base.services.locking:lock_objects",
            "objects, *, shared_lock_objects",
        ),
        Name("pretix.base.services.locking:LockTimeoutException"),
        Name(QUOTAS, "*, count_waitinglist"),
        Name(f"{QUOTAS}.queue"),
        Name(f"{QUOTAS}.compute", "self"),
        Name(f"{QUOTAS}().results"),
    ],
    "rendering": [
        Name(f"{PDF}:get_sizebox", "page", optional=True),
        Name(f"{PDF}:get_variables", "event"),
        Name(f"{PDF}:Renderer", "event, layout, background_file"),
        Name(f"{PDF}:Renderer._register_fonts", "event"),
        Name(f"{PDF}:Renderer._draw_barcodearea", "self, canvas, op, order, o"),
        Name(f"{PDF}:Renderer._draw_imagearea", "self, canvas, op, order, o", looks_for="images"),
        Name(f"{PDF}:Renderer._draw_poweredby", "self, canvas, op, o"),
        Name(f"{PDF}:Renderer._draw_textarea", "self, canvas, op, order, o", looks_for="_text_paragraph"),
        Name(f"{PDF}:Renderer._draw_textcontainer", "self, canvas, op, order, o", looks_for="_text_paragraph"),
        Name(f"{PDF}:Renderer._get_ev", "self, op, order"),
        Name(f"{PDF}:Renderer._get_text_content", "self, op, order, o", looks_for="variables"),
        Name(f"{PDF}:Renderer._text_paragraph", "self, op, order, o"),
        Name(
            f"{PDF}:Renderer.draw_page",
            "self, canvas, order, op, *, show_page, only_page",
            looks_for="layout bg_pdf",
        ),
        Name(f"{PDF}:Renderer.render_background", "self, buffer", looks_for="bg_pdf"),
        Name(f"{PDF}:Renderer().layout"),
        Name(f"{PDF}:Renderer().variables"),
        Name(f"{PDF}:Renderer().images"),
        Name(f"{PDF}:Renderer().bg_pdf"),
        Name(TICKET_OUTPUT, "event"),
        Name(f"{TICKET_OUTPUT}._draw_page", "self, layout, op, order"),
        Name(f"{TICKET_OUTPUT}._get_default_background", "self"),
        Name(f"{TICKET_OUTPUT}._legacy_layout", "self"),
        Name(f"{TICKET_OUTPUT}.default_layout"),
        Name(f"{TICKET_OUTPUT}.generate", "self, op", looks_for="_draw_page layout_map default_layout"),
        Name(f"{TICKET_OUTPUT}.layout_map"),
        Name("pretix.plugins.ticketoutputpdf.models:TicketLayout"),
    ],
    "secrets": [
        Name(
            f"{SECRETS}:assign_ticket_secret",
            "event, position, *, force_invalidate_if_revokation_list_used, force_invalidate, save",
            looks_for="revoked_secrets create ticket_secret_generator use_revocation_list",
        ),
        Name(f"{SECRETS}:BaseTicketSecretGenerator", "event"),
        Name(f"{SECRETS}:BaseTicketSecretGenerator.generate_secret"),
        Name(f"{SECRETS}:BaseTicketSecretGenerator.use_revocation_list"),
        Name(f"{SECRETS}:RandomTicketSecretGenerator.generate_secret", looks_for="get_random_string"),
        Name(f"{SECRETS}:Sig1TicketSecretGenerator.generate_secret", looks_for="get_random_string _sign_payload"),
        Name(f"{SECRETS}:Sig1TicketSecretGenerator._sign_payload", "self, payload", looks_for="load_pem_private_key"),
        Name(f"{SECRETS}:load_pem_private_key", "data, password"),
        Name("django.utils.crypto:RANDOM_STRING_CHARS"),
        Name("django.utils.crypto:get_random_string", "length, allowed_chars"),
    ],
    "simulation": [
        Name(f"{ORDER}:OrderCreateSerializer", "*, data, context"),
        *(
            Name(f"{ORDER}:OrderCreateSerializer().fields.{field}")
            for field in (
                "status",
                "testmode",
                "sales_channel",
                "locale",
                "tax_rounding_mode",
                "positions",
                "simulate",
                "force",
            )
        ),
        Name(f"{ORDER}:WrappedModel()._wrapped"),
        *(
            Name(f"pretix.base.models:OrderPosition().{column}")
            for column in (
                "price",
                "price_includes_rounding_correction",
                "tax_value",
                "tax_value_includes_rounding_correction",
            )
        ),
    ],
    "signals": [
        Name("pretix.base.signals:EventPluginSignal._live_receivers", "self, sender"),
        Name("pretix.base.signals:EventPluginSignal._is_receiver_active", "self, sender, receiver"),
    ],
    "sql": [
        Name("django.db.models.sql.query:Query.sql_with_params", "self"),
    ],
    "spreadsheets": [
        Name("pretix.helpers.safe_openpyxl:SafeCell", "worksheet, *, value"),
    ],
    "tasks": [
        Name("pretix.base.services.tasks:ProfiledEventTask"),
        Name("pretix.base.services.tasks:ProfiledTask"),
        Name("pretix.celery_app:app.task"),
    ],
    "webhooks": [
        Name("pretix.api.webhooks:notify_webhooks.run", "logentry_ids"),
        Name("pretix.api.webhooks:notify_webhooks.apply_async", "*, args, priority"),
        Name("pretix.helpers.celery:get_task_priority", "shard, organizer_id"),
    ],
}

#: Of objects that the host has, and that rooms above call: public, but nobody has promised how they are called.
CALLED_ABOVE = [
    Name("pretix.base.banlist:banned", "string"),
    Name("pretix.base.channels:ApiSalesChannelType.identifier"),
    Name("pretix.base.media:MEDIA_TYPES"),
    Name("pretix.base.models:Invoice.full_invoice_from"),
    Name("pretix.base.models:Item.compute_validity", "self, *, requested_start, override_tz"),
    Name("pretix.base.models:LogEntry.webhook_type"),
    Name("pretix.base.models:Order.create_transactions", "self, *, is_new, positions, fees, dt_now, save"),
    Name("pretix.base.models:Order.log_action", "self, action, data, *, user, auth, save"),
    Name("pretix.base.models:Order.set_expires", "self, now_dt, subevents"),
    Name("pretix.base.models:OrderPosition.quotas"),
    Name("pretix.base.models:Quota.rebuild_cache"),
    Name(
        "pretix.base.models:Seat.annotated",
        "qs, event_id, subevent, *, minimal_distance, distance_only_within_row",
    ),
    Name("pretix.base.models:Transaction.key", "obj"),
    Name("reportlab.lib.rl_accel:escapePDF"),
    Name("reportlab.lib.rl_accel:fp_str"),
]
