from django.urls import path

from disclosures.views import acts, going, looking, scope

app_name = "disclosures"

urlpatterns = [
    path("", looking.cases, name="cases"),
    path("mine/", looking.mine, name="mine"),
    path("mine/<uuid:pk>/", looking.own_paper, name="own_paper"),
    path("new/", acts.new, name="new"),
    path("<int:number>/", looking.case, name="case"),
    path("<int:number>/letter/<str:key>/", looking.letter, name="letter"),
    path("<int:number>/papers/", acts.papers, name="papers"),
    path("<int:number>/papers/<uuid:pk>/", acts.paper, name="paper"),
    path("<int:number>/sign/", acts.sign, name="sign"),
    path("<int:number>/narrow/", acts.narrow, name="narrow"),
    path("<int:number>/withhold/", acts.withhold, name="withhold"),
    path("<int:number>/close/", acts.close, name="close"),
    path("<int:number>/scope/", scope.scope, name="scope"),
    path("<int:number>/scope/clauses/", scope.clause, name="clause"),
    path("<int:number>/scope/studies/<str:uid>/", scope.study_item, name="study_item"),
    path("<int:number>/scope/accounts/", scope.account_item, name="account_item"),
    path("<int:number>/scope/items/<int:item>/", scope.explain, name="explain"),
    path("<int:number>/notices/", going.notices, name="notices"),
    path("<int:number>/notices/<str:key>/", going.notice, name="notice"),
    path("<int:number>/ask/", going.ask, name="ask"),
    path("<int:number>/approve/", going.approve, name="approve"),
    path("<int:number>/release/", going.release, name="release"),
    path("<int:number>/package/", going.package, name="package"),
    path("<int:number>/review/", going.review, name="review"),
]
