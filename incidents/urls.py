from django.urls import path

from incidents.views import acts, locking, people, register

app_name = "incidents"

urlpatterns = [
    path("", register.incidents, name="incidents"),
    path("new/", register.incident_new, name="incident_new"),
    path("incidents.csv", register.incidents_file, name="incidents_file"),
    path("my-account/", locking.account_used, name="account_used"),
    path("my-account/locked/", locking.account_locked, name="account_locked"),
    path("letters/<uuid:pk>/", people.my_letter, name="my_letter"),
    path("<uuid:pk>/", register.incident, name="incident"),
    path("<uuid:pk>/note/", acts.note, name="note"),
    path("<uuid:pk>/lead/", acts.lead, name="lead"),
    path("<uuid:pk>/assess/", acts.assessment, name="assess"),
    path("<uuid:pk>/delay/", acts.delay, name="delay"),
    path("<uuid:pk>/close/", acts.close, name="close"),
    path("<uuid:pk>/steps/<slug:step>/", acts.step, name="step"),
    path("<uuid:pk>/duties/<str:code>/", acts.duty, name="duty"),
    path("<uuid:pk>/people/", people.affected, name="affected"),
    path("<uuid:pk>/people/account/", people.count_account, name="count_account"),
    path("<uuid:pk>/people/studies/", people.count_uids, name="count_uids"),
    path("<uuid:pk>/letter/", people.letter, name="letter"),
    path("<uuid:pk>/letter/send/", people.letter_send, name="letter_send"),
    path("<uuid:pk>/letter/print/", people.letter_print, name="letter_print"),
]
