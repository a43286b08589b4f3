from django.urls import path

from studies import converters  # noqa: F401 - registers uid
from studies.api import views

app_name = "dicomweb"

STUDY = "studies/<uid:study>"
SERIES = f"{STUDY}/series/<uid:series>"
INSTANCE = f"{SERIES}/instances/<uid:instance>"

urlpatterns = [
    path("studies", views.Studies.as_view(), name="studies"),
    path(STUDY, views.Study.as_view(), name="study"),
    path(f"{STUDY}/metadata", views.Metadata.as_view(), name="study_metadata"),
    path(f"{STUDY}/series", views.SeriesOfStudy.as_view(), name="series_of_study"),
    path(f"{STUDY}/instances", views.Instances.as_view(), name="instances_of_study"),
    path(SERIES, views.Retrieve.as_view(), name="series"),
    path(f"{SERIES}/metadata", views.Metadata.as_view(), name="series_metadata"),
    path(f"{SERIES}/instances", views.Instances.as_view(), name="instances_of_series"),
    path(INSTANCE, views.Retrieve.as_view(), name="instance"),
    path(f"{INSTANCE}/metadata", views.Metadata.as_view(), name="instance_metadata"),
    path(f"{INSTANCE}/frames/<str:frames>", views.Frames.as_view(), name="frames"),
    path(f"{STUDY}/thumbnail", views.Thumbnail.as_view(), name="study_thumbnail"),
    path(f"{SERIES}/thumbnail", views.Thumbnail.as_view(), name="series_thumbnail"),
    path(f"{INSTANCE}/thumbnail", views.Thumbnail.as_view(), name="instance_thumbnail"),
    path(
        f"{INSTANCE}/frames/<str:frames>/thumbnail",
        views.Thumbnail.as_view(),
        name="frame_thumbnail",
    ),
    path(f"{INSTANCE}/rendered", views.Rendered.as_view(), name="instance_rendered"),
    path(
        f"{INSTANCE}/frames/<str:frames>/rendered", views.Rendered.as_view(), name="frame_rendered"
    ),
    path(f"{INSTANCE}/bulkdata/<path:path>", views.Bulk.as_view(), name="bulk"),
]
