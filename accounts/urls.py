from django.urls import path

from accounts.api.unsubscribe import Unsubscribe
from accounts.views import (
    account,
    campaigns,
    enrolment,
    members,
    messages,
    notice,
    policy,
    public,
    sign_in,
)

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/second-factor/", sign_in.second_factor, name="second_factor"),
    path("sign-in/passkey/begin/", sign_in.passkey_begin, name="passkey_begin"),
    path("sign-in/passkey/complete/", sign_in.passkey_complete, name="passkey_complete"),
    path("sign-in/again/", sign_in.step_up, name="step_up"),
    path("sign-in/again/demo/", sign_in.demo_step_up, name="demo_step_up"),
    path("sign-in/demo/<str:token>/", sign_in.demo, name="demo"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("factors/", enrolment.enrol, name="enrol"),
    path("factors/app/", enrolment.enrol_totp, name="enrol_totp"),
    path("factors/passkey/begin/", enrolment.enrol_passkey_begin, name="enrol_passkey_begin"),
    path(
        "factors/passkey/complete/",
        enrolment.enrol_passkey_complete,
        name="enrol_passkey_complete",
    ),
    path("factors/recovery/", enrolment.recovery_codes, name="recovery_codes"),
    path("account/", account.account, name="account"),
    path("account/sessions/<uuid:pk>/end/", account.session_end, name="session_end"),
    path("account/organisation/", account.organisation_choose, name="organisation_choose"),
    path("account/tokens/new/", account.token_issue, name="token_issue"),
    path("account/tokens/<uuid:pk>/revoke/", account.token_revoke, name="token_revoke"),
    path("password/forgot/", account.password_forgot, name="password_forgot"),
    path("password/reset/<str:uid>/<str:token>/", account.password_reset, name="password_reset"),
    path("outbox/", account.outbox, name="outbox"),
    path("notifications/", messages.notifications, name="notifications"),
    path("notifications/read/", messages.read_all, name="notifications_read"),
    path("notifications/<uuid:pk>/open/", messages.open_one, name="notification_open"),
    path("notifications/<uuid:pk>/read/", messages.read_one, name="notification_read"),
    path(
        "notifications/<uuid:pk>/acknowledge/",
        messages.acknowledge_one,
        name="notification_acknowledge",
    ),
    path("account/messages/", messages.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", Unsubscribe.as_view(), name="unsubscribe"),
    path("campaigns/", campaigns.campaigns, name="campaigns"),
    path("cookies/", public.cookies, name="cookies"),
    path("leaving/", public.leaving, name="leaving"),
    path("members/", members.members, name="members"),
    path("members/invite/", members.member_invite, name="member_invite"),
    path("members/<uuid:pk>/", members.member_edit, name="member_edit"),
    path("members/<uuid:pk>/end/", members.member_end, name="member_end"),
    path("join/<str:secret>/", members.join, name="join"),
    path("notice/", notice.notices, name="notices"),
    path("notice/<slug:slug>/", notice.notice, name="notice"),
    path("notice/<slug:slug>/versions/", notice.notice_versions, name="notice_versions"),
    path("notice/<slug:slug>/<int:revision>/", notice.notice_version, name="notice_version"),
    path(
        "notice/<slug:slug>/<int:revision>/changes/", notice.notice_changes, name="notice_changes"
    ),
    path("policy/accept/", policy.policy_accept, name="policy_accept"),
    path("policy/news/", policy.policy_news, name="policy_news"),
    path("policy/declined/", policy.policy_declined, name="policy_declined"),
    path("account/data/", policy.own_data, name="own_data"),
]
