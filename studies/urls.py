from django.urls import path

from studies import converters  # noqa: F401 - registers uid
from studies.views import (
    acts,
    downloads,
    frames,
    guardians,
    records,
    rejecting,
    sharing,
    study,
    uploads,
    viewer,
    worklist,
)

app_name = "studies"

urlpatterns = [
    path("", worklist.worklist, name="worklist"),
    path("worklist/remember/", worklist.worklist_remember, name="worklist_remember"),
    path("studies/new/", uploads.upload, name="upload"),
    path("studies/new/send/", uploads.UploadPlain.as_view(), name="upload_plain"),
    path("studies/new/<uuid:pk>/", uploads.upload_state, name="upload_state"),
    path("studies/<uid:uid>/", study.study, name="study"),
    path("studies/<uid:uid>/series/<uid:series_uid>/", frames.frames, name="frames"),
    path("studies/<uid:uid>/download/", downloads.download, name="download"),
    path("studies/<uid:uid>/share/", sharing.share, name="share"),
    path("studies/<uid:uid>/held/release/", study.held_release, name="held_release"),
    path("studies/<uid:uid>/guardian/", guardians.guardian, name="guardian"),
    path("studies/<uid:uid>/doubts/settle/", study.doubts_settle, name="doubts_settle"),
    path("studies/rejected/", rejecting.rejected, name="rejected"),
    path("studies/<uid:uid>/reject/", rejecting.reject, name="reject"),
    path("studies/<uid:uid>/restore/", rejecting.restore, name="restore"),
    path("viewer/refused/<uid:uid>/", viewer.viewer_refused, name="viewer_refused"),
    path("viewer/", viewer.viewer, {"path": ""}, name="viewer_home"),
    path("viewer/<path:path>", viewer.viewer, name="viewer"),
    path("audit/", records.trail, name="trail"),
    path("integrity/", records.integrity, name="integrity"),
    path("my/acts/", acts.my_acts, name="my_acts"),
    path("my/", records.my_record, name="my_record"),
]
