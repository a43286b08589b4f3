"""Members' objections, and the opt-outs that browsers signalled, become directives."""

from django.db import migrations

# What an opt-out reached when this was written (consent.rules.directives).
OPT_OUT = "|advertising|ai-training|development|marketing|research|statistics|"


def keep(apps, schema_editor):
    Directive = apps.get_model("consent", "Directive")
    rows = []
    for old in apps.get_model("consent", "PurposeObjection").objects.select_related("membership"):
        user_id = old.membership.user_id
        rows.append(Directive(
            id=old.pk, organisation_id=old.membership.organisation_id, user_id=user_id,
            kind="objection", purposes=f"|{old.purpose}|", source="portal", set_by_id=user_id,
            set_at=old.objected_at, version_id=old.version_id, lifted_at=old.withdrawn_at,
            lifted_by_id=user_id if old.withdrawn_at else None,
        ))
    memberships = apps.get_model("accounts", "Membership").objects.filter(is_active=True)
    accounts = apps.get_model("consent", "SubjectAccount").objects.select_related("subject")
    for signal in apps.get_model("accounts", "SaleOptOut").objects.all():
        said = {"kind": "opt-out", "purposes": OPT_OUT, "source": signal.source,
                "set_by_id": signal.user_id, "set_at": signal.recorded_at}
        for one in memberships.filter(user_id=signal.user_id):
            rows.append(Directive(
                organisation_id=one.organisation_id, user_id=signal.user_id, **said
            ))
        for one in accounts.filter(user_id=signal.user_id):
            rows.append(Directive(
                organisation_id=one.subject.organisation_id, subject_id=one.subject_id, **said
            ))
    Directive.objects.bulk_create(rows)


def give_back(apps, schema_editor):
    """The objections; opt-outs are still with the accounts."""
    Directive = apps.get_model("consent", "Directive")
    Membership = apps.get_model("accounts", "Membership")
    PurposeObjection = apps.get_model("consent", "PurposeObjection")
    for row in Directive.objects.filter(kind="objection", user__isnull=False):
        membership = Membership.objects.filter(
            user_id=row.user_id, organisation_id=row.organisation_id
        ).first()
        if membership is not None:
            PurposeObjection.objects.create(
                id=row.pk, membership_id=membership.pk, purpose=row.purposes.strip("|"),
                version_id=row.version_id or row.pk, objected_at=row.set_at,
                withdrawn_at=row.lifted_at,
            )


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_directives"),
        ("accounts", "0014_release_projects"),
    ]

    operations = [migrations.RunPython(keep, give_back)]
