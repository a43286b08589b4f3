from django.urls import path

from dsar import converters  # noqa: F401 - it registers the number's
from dsar.views import directives, erasure, held, officer, own, public

app_name = "dsar"

urlpatterns = [
    path("new/", public.new, name="new"),
    path("new/<slug:slug>/", public.new_for, name="new_for"),
    path("new/<slug:slug>/sent/", public.sent, name="sent"),
    path("confirm/<str:token>/", public.confirm, name="confirm"),
    path("read/<str:token>/", public.read, name="read"),
    path("read/<str:token>/reply/", public.read_detail, name="read_detail"),
    path("read/<str:token>/disagree/", public.read_disagree, name="read_disagree"),
    path("read/<str:token>/copy/", held.fetch_by_code, name="read_copy"),
    path("mine/", own.mine, name="mine"),
    path("mine/delete-account/", own.delete_account, name="delete_account"),
    path("mine/<case_number:number>/", own.own_case, name="own_case"),
    path("mine/<case_number:number>/reply/", own.own_detail, name="own_detail"),
    path("mine/<case_number:number>/disagree/", own.own_disagree, name="own_disagree"),
    path("mine/<case_number:number>/copy/", held.fetch, name="own_copy"),
    path("directives/<uuid:pk>/", directives.directives, name="directives"),
    path("directives/<uuid:pk>/lift/", directives.directive_lift, name="directive_lift"),
    path(
        "directives/<uuid:pk>/announce/", directives.directive_announce, name="directive_announce"
    ),
    path("", officer.queue, name="queue"),
    path("record/", officer.record, name="record"),
    path("<case_number:number>/", officer.case, name="case"),
    path("<case_number:number>/held/", held.held, name="held"),
    path("<case_number:number>/held/link/", held.link, name="link"),
    path("<case_number:number>/held/copy/", held.prepare, name="prepare"),
    path("<case_number:number>/erasure/", erasure.erasure, name="erasure"),
    path("<case_number:number>/letter/", officer.letter, name="letter"),
    path("<case_number:number>/<slug:name>/", officer.act, name="act"),
]
