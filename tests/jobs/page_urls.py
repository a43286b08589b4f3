"""As `urls`, with the pages of accounts that the frame of every page links to."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("jobs/", include("jobs.urls")), path("", include("accounts.urls"))]
