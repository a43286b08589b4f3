from __future__ import annotations

from django.urls import path

from releases.views import acts, counting, handing_out, looking, projects

app_name = "releases"
urlpatterns = [
    path("", projects.projects, name="projects"),
    path("new/", projects.new, name="new"),
    path("add/<uid:uid>/", projects.add, name="add"),
    path("<uuid:pk>/", projects.project, name="project"),
    path("<uuid:pk>/studies/", projects.collect, name="collect"),
    path("<uuid:pk>/studies/<int:row>/remove/", projects.remove, name="remove"),
    path("<uuid:pk>/review/", looking.review, name="review"),
    path("<uuid:pk>/judge/", looking.judged, name="judge"),
    path("<uuid:pk>/objects/<int:output>/", looking.compare, name="compare"),
    path(
        "<uuid:pk>/objects/<int:output>/<int:frame>/before.jpg", looking.picture,
        {"side": "before"}, name="before",
    ),
    path(
        "<uuid:pk>/objects/<int:output>/<int:frame>/after.jpg", looking.picture,
        {"side": "after"}, name="after",
    ),
    path("<uuid:pk>/report/", handing_out.report, name="report"),
    path("<uuid:pk>/report.json", handing_out.report_file, {"kind": "json"}, name="report_json"),
    path("<uuid:pk>/report.note", handing_out.report_file, {"kind": "note"}, name="report_note"),
    path("<uuid:pk>/download/", handing_out.download, name="download"),
    path("<uuid:pk>/links/", handing_out.links, name="links"),
    path("<uuid:pk>/counts/", counting.counts, name="counts"),
    path("<uuid:pk>/counts.csv", counting.counts_csv, name="counts_csv"),
    path("<uuid:pk>/counts/make/", counting.count, name="count"),
    path("<uuid:pk>/<slug:name>/", acts.act, name="act"),
]  # fmt: skip
