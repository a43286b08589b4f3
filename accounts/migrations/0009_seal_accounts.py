"""Seal what stands in the clear: names, addresses, licences, seeds; hash recovery codes.

The keys come from the key database. Rows are saved one by one, so that each is bound to itself.
"""

import uuid

from django.db import migrations

from accounts.fields import keyed_hash

PROFILE = ("specialty", "licence_number", "licence_place", "npi")
DEVICE = (
    "user_id", "name", "confirmed", "throttling_failure_timestamp", "throttling_failure_count",
    "created_at", "last_used_at",
)  # fmt: skip


def seal(apps, schema_editor):
    for user in apps.get_model("accounts", "User").objects.order_by("pk").iterator():
        user.seal_id = uuid.uuid4()
        user.email, user.name = user.email_clear.strip().lower(), user.name_clear
        user.save()
    for invitation in apps.get_model("accounts", "Invitation").objects.order_by("pk").iterator():
        invitation.email = invitation.email_clear.strip().lower()
        invitation.save()
    for profile in apps.get_model("accounts", "Profile").objects.order_by("pk").iterator():
        for name in PROFILE:
            setattr(profile, name, getattr(profile, f"{name}_clear"))
        profile.save()
    # Addresses of failed sign-ins; they would be deleted within two days.
    apps.get_model("axes", "AccessAttempt").objects.all().delete()
    apps.get_model("axes", "AccessFailureLog").objects.all().delete()
    apps.get_model("axes", "AccessLog").objects.all().delete()


def take_over_devices(apps, schema_editor):
    """Take seeds and codes out of django-otp's own tables, if this installation has them."""
    connection = schema_editor.connection
    tables = set(connection.introspection.table_names())
    if "otp_totp_totpdevice" in tables:
        for row in _rows(connection, "otp_totp_totpdevice", (*DEVICE, "key", "drift", "last_t")):
            made = row.pop("created_at")
            device = apps.get_model("accounts", "Authenticator").objects.create(
                seed=row.pop("key"), **row
            )
            type(device).objects.filter(pk=device.pk).update(created_at=made)
    if "otp_static_staticdevice" in tables:
        sets = {}
        for row in _rows(connection, "otp_static_staticdevice", ("id", *DEVICE)):
            number, made = row.pop("id"), row.pop("created_at")
            held = apps.get_model("accounts", "RecoveryCodes").objects.create(**row)
            type(held).objects.filter(pk=held.pk).update(created_at=made)
            sets[number] = held
        for row in _rows(connection, "otp_static_statictoken", ("device_id", "token")):
            held = sets[row["device_id"]]
            digest = keyed_hash("recovery.code", f"{held.user_id}/{row['token']}")
            apps.get_model("accounts", "RecoveryCode").objects.get_or_create(
                codes=held, digest=digest
            )


def _rows(connection, table, columns):
    """Read rows of a table that no installed app has any more; no time zone is lost by it."""
    from django.utils.dateparse import parse_datetime
    from django.utils.timezone import is_naive, make_aware

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")  # noqa: S608
        found = [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
    for row in found:
        row["confirmed"] = bool(row.get("confirmed"))
        for name in ("throttling_failure_timestamp", "created_at", "last_used_at"):
            value = row.get(name)
            if isinstance(value, str):
                value = parse_datetime(value)
            if value is not None and is_naive(value):
                value = make_aware(value, timezone=_utc())
            if name in row:
                row[name] = value
        if "confirmed" not in columns:
            del row["confirmed"]
    return found


def _utc():
    from datetime import UTC

    return UTC


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0008_sealed_columns"),
        ("axes", "0010_accessattemptexpiration"),
    ]

    operations = [migrations.RunPython(seal), migrations.RunPython(take_over_devices)]
