from django.urls import include, path, re_path
from pretix.api.urls import event_router, orga_router

from .after_sale.kind import all_offered
from .api.documents import DocumentViewSet
from .api.handing_over import HandingOverViewSet
from .api.jobs import JobViewSet
from .api.sellers import SellerViewSet
from .api.statements import PaymentViewSet, StatementViewSet
from .api.tickets import EventTicketViewSet, TicketViewSet
from .api.views import AfterSaleViewSet, BatchViewSet
from .control import (
    documents,
    handing_over,
    kept,
    printing,
    printing_for_sellers,
    returning,
    sellers,
    several,
    state_all,
    statements,
    views,
)

event_router.register("offlinesalesbatches", BatchViewSet, basename="offlinesalesbatch")
event_router.register("offlinesalesbatches/jobs", JobViewSet, basename="offlinesalesjob")
event_router.register(r"offlinesalesbatches/(?P<batch>[0-9]+)/tickets", TicketViewSet, basename="offlinesalesticket")
event_router.register(
    r"offlinesalesbatches/(?P<batch>[0-9]+)/(?P<after_sale>{})".format(
        "|".join(sorted({kind.api_action for kind in all_offered()}))
    ),
    AfterSaleViewSet,
    basename="offlinesalesaftersale",
)

event_router.register("offlinesaleshandovers", HandingOverViewSet, basename="offlinesaleshandover")
event_router.register("offlinesalestickets", EventTicketViewSet, basename="offlinesaleseventticket")
orga_router.register("offlinesalessellers", SellerViewSet, basename="offlinesalesseller")
orga_router.register("offlinesalesdocuments", DocumentViewSet, basename="offlinesalesdocument")
orga_router.register("offlinesalesstatements", StatementViewSet, basename="offlinesalesstatement")
orga_router.register("offlinesalespayments", PaymentViewSet, basename="offlinesalespayment")

control_patterns = [
    path("", views.BatchList.as_view(), name="list"),
    path("add", views.BatchCreate.as_view(), name="add"),
    path("add/several", several.IssueSeveral.as_view(), name="several"),
    path("add/several/<uuid:job>/", several.SeveralResult.as_view(), name="several_result"),
    path("add/several/<uuid:job>/notes.pdf", several.SeveralNotes.as_view(), name="several_notes"),
    path("channel", views.ChannelCreate.as_view(), name="channel"),
    path("preview", views.BatchPreview.as_view(), name="preview"),
    path("specimen", views.BatchSpecimen.as_view(), name="specimen"),
    path("hand-over", handing_over.HandOver.as_view(), name="hand_over"),
    path("print-for-sellers", printing_for_sellers.SellersPrint.as_view(), name="print_for_sellers"),
    path(
        "print-for-sellers/<uuid:job>",
        printing_for_sellers.SellersDownload.as_view(),
        name="print_for_sellers_download",
    ),
    path("jobs/<uuid:job>/cancel", views.JobCancel.as_view(), name="cancel"),
    path("jobs/<uuid:job>/dismiss", views.JobDismiss.as_view(), name="dismiss"),
    path("results/<uuid:job>/", returning.ResultPage.as_view(), name="result"),
    path("results/<uuid:job>/tickets.csv", returning.ResultExport.as_view(), name="result_csv"),
    path("results/<uuid:job>/print/<int:batch>", returning.ResultPrint.as_view(), name="result_print"),
    path("<int:batch>/", views.BatchDetail.as_view(), name="batch"),
    path("<int:batch>/comment", views.BatchComment.as_view(), name="comment"),
    path("<int:batch>/print", printing.BatchPrint.as_view(), name="print"),
    path("<int:batch>/print/options", printing.BatchPrintOptions.as_view(), name="print_options"),
    path("<int:batch>/print/preview", printing.BatchPrintPreview.as_view(), name="print_preview"),
    path("<int:batch>/print/sheet", printing.BatchFirstSheet.as_view(), name="first_sheet"),
    path("<int:batch>/print/calibration", printing.BatchCalibration.as_view(), name="calibration"),
    path("<int:batch>/print/presets", printing.PresetSave.as_view(), name="preset_save"),
    path("<int:batch>/print/presets/<int:preset>/delete", printing.PresetDelete.as_view(), name="preset_delete"),
    path("<int:batch>/data", printing.BatchData.as_view(), name="data"),
    path("<int:batch>/download/<uuid:job>", views.BatchDownload.as_view(), name="download"),
    path("<int:batch>/delivery.pdf", documents.DeliveryNote.as_view(), name="delivery"),
    path("<int:batch>/statement.pdf", documents.Statement.as_view(), name="statement"),
    path("<int:batch>/statement.csv", documents.StatementExport.as_view(), name="statement.csv"),
    path("<int:batch>/tickets.csv", views.TicketExport.as_view(), name="csv"),
]

for kind in all_offered():
    page = returning.AfterSalePage.as_view(kind=kind)
    control_patterns += [
        path(kind.path, page, name=kind.identifier),
        path(f"<int:batch>/{kind.path}", page, name=f"batch_{kind.identifier}"),
    ]

document_patterns = [
    path("<int:document>/", kept.DocumentDetail.as_view(), name="document"),
    path("<int:document>/pdf", kept.DocumentPDF.as_view(), name="document_pdf"),
]

seller_patterns = [
    path("", sellers.SellerList.as_view(), name="sellers"),
    path("add", sellers.SellerCreate.as_view(), name="seller_add"),
    path("import", sellers.SellerImport.as_view(), name="seller_import"),
    path("import/<uuid:file>", sellers.SellerImportProcess.as_view(), name="seller_import_process"),
    path("sales", sellers.SalesOverTime.as_view(), name="sales"),
    path("sellers.csv", sellers.SellerExport.as_view(), name="seller_export"),
    path("<int:seller>/", sellers.SellerDetail.as_view(), name="seller"),
    path("<int:seller>/edit", sellers.SellerEdit.as_view(), name="seller_edit"),
    path("<int:seller>/comment", sellers.SellerComment.as_view(), name="seller_comment"),
    path("<int:seller>/active", sellers.SellerActive.as_view(), name="seller_active"),
    path("<int:seller>/delete", sellers.SellerDelete.as_view(), name="seller_delete"),
    path("<int:seller>/erase", sellers.SellerErase.as_view(), name="seller_erase"),
    path("<int:seller>/statement", statements.StatementMake.as_view(), name="seller_state"),
]

statement_patterns = [
    path("", statements.StatementList.as_view(), name="statements"),
    path("all", state_all.StateAll.as_view(), name="state_all"),
    path("all/<uuid:job>/", state_all.StateAllResult.as_view(), name="state_all_result"),
    path("all/<uuid:job>/file", state_all.StateAllDownload.as_view(), name="state_all_download"),
    path("<int:statement>/", statements.StatementDetail.as_view(), name="seller_statement"),
    path("<int:statement>/pdf", statements.StatementPDF.as_view(), name="seller_statement_pdf"),
    path("<int:statement>/csv", statements.StatementCSV.as_view(), name="seller_statement_csv"),
    path("<int:statement>/json", statements.StatementJSON.as_view(), name="seller_statement_json"),
    path("<int:statement>/payment", statements.PaymentWrite.as_view(), name="seller_payment"),
]

payment_patterns = [
    path("", statements.PaymentList.as_view(), name="payments"),
]

urlpatterns = [
    path("control/organizer/<str:organizer>/offlinesales/documents/", include(document_patterns)),
    path("control/organizer/<str:organizer>/offlinesales/sellers/", include(seller_patterns)),
    path("control/organizer/<str:organizer>/offlinesales/statements/", include(statement_patterns)),
    path("control/organizer/<str:organizer>/offlinesales/payments/", include(payment_patterns)),
    path("control/event/<str:organizer>/<str:event>/offlinesales/", include(control_patterns)),
    # The documented example posts to this address without the last slash, which the router insists on.
    re_path(
        r"^api/v1/organizers/(?P<organizer>[^/]+)/events/(?P<event>[^/]+)/offlinesalesbatches/(?P<pk>[0-9]+)/render$",
        BatchViewSet.as_view({"post": "render_pdf"}, write_permission="event.orders:read"),
        name="render",
    ),
]
