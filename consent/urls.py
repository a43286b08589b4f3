from django.urls import path

from consent import views

app_name = "consent"

urlpatterns = [
    path("", views.shares, name="shares"),
    path("account/close/", views.account_close, name="account_close"),
    path("account/purposes/", views.my_purposes, name="my_purposes"),
    path("account/purposes/settings/", views.my_settings_switch, name="my_settings_switch"),
    path(
        "account/purposes/settings/colours/", views.my_settings_colours, name="my_settings_colours"
    ),
    path("account/purposes/<slug:purpose>/", views.my_purpose_object, name="my_purpose_object"),
    path("subjects/<uuid:pk>/", views.subject_purposes, name="subject_purposes"),
    path("subjects/<uuid:pk>/<slug:purpose>/", views.subject_consent, name="subject_consent"),
    path("<uuid:pk>/", views.share, name="share"),
    path("<uuid:pk>/revoke/", views.share_revoke, name="share_revoke"),
]
