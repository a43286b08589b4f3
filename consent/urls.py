from django.urls import path

from consent import views

app_name = "consent"

urlpatterns = [
    path("", views.shares, name="shares"),
    path("account/close/", views.account_close, name="account_close"),
    path("<uuid:pk>/", views.share, name="share"),
    path("<uuid:pk>/revoke/", views.share_revoke, name="share_revoke"),
]
