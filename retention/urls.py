from django.urls import path

from retention.views import archive, holds, keeping, runs
from studies import converters  # noqa: F401 - registers uid

app_name = "retention"

urlpatterns = [
    path("", keeping.overview, name="overview"),
    path("archive/", archive.archive, name="archive"),
    path("closing/", archive.closing, name="closing"),
    path("schedule/", keeping.schedule, name="schedule"),
    path("records/", keeping.records, name="records"),
    path("simulation/", keeping.simulation, name="simulation"),
    path("studies/<uid:uid>/", keeping.study, name="study"),
    path("studies/<uid:uid>/noted/", keeping.study_milestone, name="study_milestone"),
    path("holds/", holds.holds, name="holds"),
    path("holds/new/", holds.hold_place, name="hold_place"),
    path("holds/<int:number>/", holds.hold, name="hold"),
    path("holds/<int:number>/<slug:name>/", holds.hold_act, name="hold_act"),
    path("runs/<int:number>/", runs.run, name="run"),
    path("runs/<int:number>/<slug:name>/", runs.run_act, name="run_act"),
    path("clock/", runs.clock, name="clock"),
    path("certificates/<int:number>/", runs.certificate, name="certificate"),
    path("certificates/<int:number>/note/", runs.certificate_note, name="certificate_note"),
    path(
        "certificates/<int:number>/addendum/", runs.certificate_addendum,
        name="certificate_addendum",
    ),
]  # fmt: skip
