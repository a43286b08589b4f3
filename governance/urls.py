from django.urls import path

from governance.views import inventory, legal_export, policy, promises

app_name = "governance"

urlpatterns = [
    path("policy/", policy.policy, name="policy"),
    path("policy/begin/", policy.policy_begin, name="policy_begin"),
    path("policy/discard/", policy.policy_discard, name="policy_discard"),
    path("policy/review/", policy.policy_review, name="policy_review"),
    path("policy/text/", policy.policy_text, name="policy_text"),
    path("policy/<int:revision>/withdraw/", policy.policy_withdraw, name="policy_withdraw"),
    path("policy/parts/<slug:slug>/", policy.policy_part, name="policy_part"),
    path("policy/records/<str:path>/", policy.policy_record, name="policy_record_add"),
    path("policy/records/<str:path>/<slug:code>/", policy.policy_record, name="policy_record"),
    path(
        "policy/records/<str:path>/<slug:code>/remove/",
        policy.policy_record_remove,
        name="policy_record_remove",
    ),
    path("promises/", promises.promises, name="promises"),
    path("authorities/", legal_export.legal_exports, name="legal_exports"),
    path("authorities/new/", legal_export.legal_export_new, name="legal_export_new"),
    path("inventory/", inventory.inventory, name="inventory"),
]
