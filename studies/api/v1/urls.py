from django.urls import path

from studies.api.v1 import views

app_name = "uploads"

urlpatterns = [
    path("uploads/", views.Uploads.as_view(), name="uploads"),
    path("uploads/<uuid:pk>/", views.UploadState.as_view(), name="upload"),
    path("uploads/<uuid:pk>/objects/", views.UploadObjects.as_view(), name="objects"),
    path("uploads/<uuid:pk>/close/", views.UploadClose.as_view(), name="close"),
]
