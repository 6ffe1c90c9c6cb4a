"""Addresses of the exams app, under /exams/."""

from django.urls import path

from exams import (
    examiner_views,
    form_views,
    rating_views,
    regrade_views,
    rehearsal_views,
    report_views,
    views,
)

app_name = "exams"
urlpatterns = [
    path("", views.index, name="index"),
    path("examiner/", examiner_views.running, name="examiner"),
    path("examiner/items/<slug:exam>/", examiner_views.items, name="items"),
    path("examiner/ratings/", rating_views.waiting, name="ratings"),
    path("examiner/ratings/<int:item_id>/", rating_views.rate, name="rate"),
    path("examiner/corrections/", regrade_views.regrades, name="regrades"),
    path("examiner/corrections/<int:regrade_id>/", regrade_views.regrade, name="regrade"),
    path("examiner/incident/", examiner_views.incident, name="incident"),
    path("examiner/forms/<slug:exam>/", form_views.fixed, name="forms"),
    path("examiner/forms/<int:form_id>/state/", form_views.form_state, name="form-state"),
    path("examiner/forms/<int:form_id>/cut/", form_views.form_cut, name="form-cut"),
    path(
        "examiner/irregularities/<slug:exam>/", examiner_views.irregularities, name="irregularities"
    ),
    path("examiner/accommodations/", examiner_views.accommodate, name="accommodate"),
    path("examiner/attempts/<uuid:attempt_id>/extend/", examiner_views.extend, name="extend"),
    path("attempts/<uuid:attempt_id>/", views.attempt, name="attempt"),
    path("attempts/<uuid:attempt_id>/start/", views.start, name="start"),
    path("attempts/<uuid:attempt_id>/status/", views.status, name="status"),
    path("attempts/<uuid:attempt_id>/sheets/", views.sheets, name="sheets"),
    path("attempts/<uuid:attempt_id>/items/<int:position>/", views.item, name="item"),
    path("attempts/<uuid:attempt_id>/items/<int:position>/save/", views.save, name="save"),
    path("attempts/<uuid:attempt_id>/items/<int:position>/flag/", views.flag, name="flag"),
    path("attempts/<uuid:attempt_id>/items/<int:position>/seen/", views.seen, name="seen"),
    path("attempts/<uuid:attempt_id>/move-here/", views.move_here, name="move-here"),
    path("attempts/<uuid:attempt_id>/pause/", views.pause, name="pause"),
    path("attempts/<uuid:attempt_id>/go-on/", views.go_on, name="go-on"),
    path("attempts/<uuid:attempt_id>/advance/", views.advance, name="advance"),
    path("attempts/<uuid:attempt_id>/review/", views.review, name="review"),
    path("attempts/<uuid:attempt_id>/hand-in/", views.hand_in, name="hand-in"),
    path("attempts/<uuid:attempt_id>/receipt/", views.receipt, name="receipt"),
    path("attempts/<uuid:attempt_id>/receipt.txt", views.receipt_file, name="receipt-file"),
    path("attempts/<uuid:attempt_id>/result/", views.result, name="result"),
    path("rehearsal/", rehearsal_views.overview, name="rehearsal"),
    path("rehearsal/begin/", rehearsal_views.begin, name="rehearsal-begin"),
    path("rehearsal/<uuid:rehearsal_id>/", rehearsal_views.rehearse, name="rehearse"),
    path("rehearsal/<uuid:rehearsal_id>/save/", rehearsal_views.save, name="rehearsal-save"),
    path("rehearsal/<uuid:rehearsal_id>/status/", rehearsal_views.status, name="rehearsal-status"),
    path("rehearsal/<uuid:rehearsal_id>/prove/", rehearsal_views.prove, name="rehearsal-prove"),
    path("rehearsal/<uuid:rehearsal_id>/finish/", rehearsal_views.finish, name="rehearsal-finish"),
    path("<slug:exam>/", views.exam, name="exam"),
    path("<slug:exam>/reports/", report_views.reports, name="reports"),
    path("<slug:exam>/reports/<slug:form>/", report_views.report, name="report"),
    path("<slug:exam>/prepare/", views.prepare, name="prepare"),
]
