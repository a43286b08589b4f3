from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import AgeForm, ContactsForm, InviteForm, JoinForm, RolesForm
from accounts.models import Invitation
from accounts.permissions import needs, public
from accounts.rules import Capability, Role
from accounts.rules.ages import is_old_enough
from accounts.rules.contacts import ContactsRefused
from accounts.selectors import members_of, open_invitation, open_invitations_of
from accounts.selectors.names import by_name
from accounts.services.ages import age_shown, shows_age
from accounts.services.members import (
    MembershipRefused,
    accept_invitation,
    change_roles,
    end_membership,
    invite_contacts,
    invite_member,
)
from accounts.views.notice import notice_context
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.pack import youngest_age
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack


@needs(Capability.MANAGE_MEMBERS)
@require_safe
@uses(Purpose.OPERATIONS, Category.ACCOUNT, Category.PROFESSIONAL)
def members(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "accounts/members.html",
        {
            "members": by_name(members_of(request.actor.organisation_id)),
            "invitations": open_invitations_of(request.actor.organisation_id),
        },
    )


@needs(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.OPERATIONS, Category.ACCOUNT, Category.PROFESSIONAL)
def member_invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invite_member(
                acting=request.actor,
                organisation_id=request.actor.organisation_id,
                email=form.cleaned_data["email"],
                roles=[Role(role) for role in form.cleaned_data["roles"]],
            )
        except MembershipRefused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, "The invitation is on its way.")
            return redirect("accounts:members")
    return render(request, "accounts/member_invite.html", {"form": form})


@needs(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.OPERATIONS, Category.ACCOUNT, Category.PROFESSIONAL)
def contacts_invite(request: HttpRequest) -> HttpResponse:
    """Invite people by a list that a third party gave, with its source and basis."""
    form = ContactsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            sent = invite_contacts(
                acting=request.actor, text=values["addresses"], source=values["source"],
                basis=values["basis"], roles=[Role(role) for role in values["roles"]],
            )  # fmt: skip
        except (ContactsRefused, MembershipRefused) as refusal:
            form.add_error("addresses", str(refusal))
        else:
            messages.success(request, f"{len(sent)} invitations go out.")
            return redirect("accounts:members")
    pack = effective_pack(request.actor.organisation_id)
    context = {"form": form, "takes": pack["secondary.brokers"]}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/contacts_invite.html", context, status=status)


@needs(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.OPERATIONS, Category.ACCOUNT, Category.PROFESSIONAL)
def member_edit(request: HttpRequest, pk: str) -> HttpResponse:
    membership = get_object_or_404(members_of(request.actor.organisation_id), pk=pk)
    held = [row.role for row in membership.roles.all()]
    form = RolesForm(request.POST or None, initial={"roles": held})
    if request.method == "POST" and form.is_valid():
        try:
            change_roles(
                acting=request.actor,
                membership=membership,
                roles=[Role(role) for role in form.cleaned_data["roles"]],
            )
        except MembershipRefused as refusal:
            form.add_error("roles", str(refusal))
        else:
            messages.success(request, "The roles are changed.")
            return redirect("accounts:members")
    return render(request, "accounts/member_edit.html", {"form": form, "membership": membership})


@needs(Capability.MANAGE_MEMBERS)
@require_POST
@uses(Purpose.OPERATIONS, Category.ACCOUNT, Category.PROFESSIONAL)
def member_end(request: HttpRequest, pk: str) -> HttpResponse:
    membership = get_object_or_404(members_of(request.actor.organisation_id), pk=pk)
    try:
        end_membership(acting=request.actor, membership=membership)
        messages.success(request, "The membership is ended.")
    except MembershipRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:members")


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation: first its policy, read whole, then the form.

    Signing in, with a second factor, comes after.
    """
    invitation = open_invitation(secret)
    if invitation is None:
        return render(request, "accounts/invitation_ended.html", status=410)
    pack = effective_pack(invitation.organisation_id)
    if request.method == "GET" and request.GET.get("read") != pack.digest:
        context = notice_context(invitation.organisation, pack) | {"invitation": invitation}
        return render(request, "accounts/join_read.html", context)
    age = request.POST.get("age", request.GET.get("age", ""))
    if not shows_age(invitation, age):
        # Before any field about a person, and again once that was long ago.
        return _age_page(request, invitation, secret, AgeForm())
    form = JoinForm(
        request.POST or None,
        initial={"digest": pack.digest, "age": age},
        at_least=pack["auth.password_length"],
    )
    if request.method == "POST" and form.is_valid():
        try:
            accept_invitation(
                invitation=invitation,
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
                read_digest=form.cleaned_data["digest"],
            )
        except MembershipRefused as refusal:
            form.add_error("password", str(refusal))
        else:
            messages.success(request, "Welcome. Sign in to set up your second factor.")
            return redirect("accounts:sign_in")
    context = {
        "form": form,
        "invitation": invitation,
        "pack": pack,
        "contact_email": pack["contact.email"],
    }
    return render(request, "accounts/join.html", context, status=422 if form.is_bound else 200)


@public
@sensitive_post_parameters("born")
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT)
def join_age(request: HttpRequest, secret: str) -> HttpResponse:
    """Look whether somebody is old enough, and keep nothing of it, whatever comes of it."""
    invitation = open_invitation(secret)
    if invitation is None:
        return render(request, "accounts/invitation_ended.html", status=410)
    form = AgeForm(request.POST)
    if not form.is_valid():
        return _age_page(request, invitation, secret, form)
    pack = effective_pack(invitation.organisation_id)
    youngest = youngest_age(pack, form.cleaned_data["country"])
    if not is_old_enough(form.cleaned_data["born"], timezone.localdate(), youngest=youngest):
        return render(request, "accounts/join_too_young.html", status=403)
    query = urlencode({"read": pack.digest, "age": age_shown(invitation)})
    return redirect(f"{reverse('accounts:join', args=[secret])}?{query}")


def _age_page(
    request: HttpRequest, invitation: Invitation, secret: str, form: AgeForm
) -> HttpResponse:
    context = {"form": form, "invitation": invitation, "secret": secret}
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/join_age.html", context, status=status)
