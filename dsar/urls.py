from django.urls import path

from dsar import converters  # noqa: F401 - it registers the number's
from dsar.views import (
    acts,
    agents,
    directives,
    documents,
    erasure,
    fees,
    held,
    identity,
    officer,
    own,
    public,
    register,
)

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
    path("read/<str:token>/fee/", fees.read_fee, name="read_fee"),
    path("read/<str:token>/code/", identity.read_code, name="read_code"),
    path("read/<str:token>/documents/", documents.read_document, name="read_document"),
    path("person/<str:token>/", agents.person, name="person"),
    path("person/<str:token>/copy/", agents.person_copy, name="person_copy"),
    path("mine/", own.mine, name="mine"),
    path("mine/<case_number:number>/", own.own_case, name="own_case"),
    path("mine/<case_number:number>/reply/", own.own_detail, name="own_detail"),
    path("mine/<case_number:number>/disagree/", own.own_disagree, name="own_disagree"),
    path("mine/<case_number:number>/copy/", held.fetch, name="own_copy"),
    path("mine/<case_number:number>/fee/", fees.own_fee, name="own_fee"),
    path("mine/<case_number:number>/code/", identity.own_code, name="own_code"),
    path("mine/<case_number:number>/documents/", documents.own_document, name="own_document"),
    path("directives/<uuid:pk>/", directives.directives, name="directives"),
    path("directives/<uuid:pk>/lift/", directives.directive_lift, name="directive_lift"),
    path(
        "directives/<uuid:pk>/announce/", directives.directive_announce, name="directive_announce"
    ),
    path("", officer.queue, name="queue"),
    path("record/", officer.record, name="record"),
    path("register/", register.register, name="register"),
    path("register/<int:year>/<slug:form>/", register.register_file, name="register_file"),
    path("<case_number:number>/", officer.case, name="case"),
    path("<case_number:number>/held/", held.held, name="held"),
    path("<case_number:number>/held/link/", held.link, name="link"),
    path("<case_number:number>/held/copy/", held.prepare, name="prepare"),
    path("<case_number:number>/erasure/", erasure.erasure, name="erasure"),
    path("<case_number:number>/authority/", agents.authority, name="authority"),
    path("<case_number:number>/identify/", identity.identify, name="identify"),
    path("<case_number:number>/identify/code/", identity.code_for, name="identify_code"),
    path("<case_number:number>/documents/", documents.documents, name="documents"),
    path("<case_number:number>/documents/<uuid:pk>/", documents.document, name="document"),
    path("<case_number:number>/letter/", officer.letter, name="letter"),
    path("<case_number:number>/<slug:name>/", acts.act, name="act"),
]
