from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from config.health import healthz, readyz
from jobs.views import show_job
from policies.rules.gate import uses_no_personal_data

# The room of jobs is below the policies, and knows none; it shows numbers and states.
uses_no_personal_data(show_job)

handler500 = "config.faults.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("dicom-web/", include("studies.api.urls")),
    path("", include("accounts.urls")),
    path("", include("studies.urls")),
    path("consent/", include("consent.urls")),
    path("releases/", include("releases.urls")),
    path("retention/backups/", include("backups.urls")),
    path("retention/", include("retention.urls")),
    path("requests/", include("dsar.urls")),
    path("disclosures/", include("disclosures.urls")),
    path("incidents/", include("incidents.urls")),
    path("governance/", include("governance.urls")),
    path("jobs/", include("jobs.urls")),
    path("api/v1/", include("studies.api.v1.urls")),
    path("api/v1/schema/", uses_no_personal_data(SpectacularAPIView.as_view()), name="schema"),
]
