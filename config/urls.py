from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.urls")),
    path("consent/", include("consent.urls")),
    path("jobs/", include("jobs.urls")),
    path("dicom-web/", include("studies.api.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
]
