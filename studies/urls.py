from django.urls import path

from studies import converters  # noqa: F401 - registers uid
from studies.views import records, sharing, study, worklist

app_name = "studies"

urlpatterns = [
    path("", worklist.worklist, name="worklist"),
    path("studies/<uid:uid>/", study.study, name="study"),
    path("studies/<uid:uid>/share/", sharing.share, name="share"),
    path("studies/<uid:uid>/held/release/", study.held_release, name="held_release"),
    path("studies/<uid:uid>/doubts/settle/", study.doubts_settle, name="doubts_settle"),
    path("audit/", records.trail, name="trail"),
    path("my/", records.my_record, name="my_record"),
]
