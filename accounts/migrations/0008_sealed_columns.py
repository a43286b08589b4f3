"""Columns for sealed names, addresses and seeds, beside those in the clear, which go in 0010."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.fields
import accounts.models.factors

PROFILE = {"specialty": 80, "licence_number": 40, "licence_place": 80, "npi": 10}
LABELS = {"licence_place": "licensed in", "npi": "NPI"}


def in_the_clear(model, name, field, new):
    """Keep a column under another name, and put a sealed one in its place."""
    return [
        migrations.RenameField(model, name, f"{name}_clear"),
        migrations.AlterField(model, f"{name}_clear", field),
        migrations.AddField(model, name, new),
    ]


def device_fields():
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
        ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
        ("throttling_failure_timestamp", models.DateTimeField(blank=True, default=None, help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.", null=True)),
        ("throttling_failure_count", models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts.")),
        ("created_at", models.DateTimeField(auto_now_add=True, help_text="The date and time when this device was initially created in the system.", null=True)),
        ("last_used_at", models.DateTimeField(blank=True, help_text="The most recent date and time this device was used.", null=True)),
        ("user", models.ForeignKey(help_text="The user that this device belongs to.", on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
    ]


class Migration(migrations.Migration):

    dependencies = [("accounts", "0007_records_of_use")]

    operations = [
        migrations.RemoveConstraint(model_name="user", name="user_email_once"),
        migrations.AddField("user", "seal_id", models.UUIDField(editable=False, null=True)),
        *in_the_clear(
            "user", "email", models.CharField(max_length=254, default=""),
            accounts.fields.SealedText(max_length=254, null=True, place="account.email", row="seal_id"),
        ),
        *in_the_clear(
            "user", "name", models.CharField(max_length=120, default=""),
            accounts.fields.SealedText(max_length=120, null=True, place="account.name", row="seal_id"),
        ),
        migrations.AddField("user", "email_token", accounts.fields.EmailHash(null=True, of="email", max_length=16)),
        migrations.AddField("user", "phone", accounts.fields.SealedText(blank=True, default="", max_length=40, place="account.phone", row="seal_id")),
        *in_the_clear(
            "invitation", "email", models.CharField(max_length=254, default=""),
            accounts.fields.SealedText(max_length=254, null=True, place="invitation.email", row="id"),
        ),
        migrations.AddField("invitation", "email_token", accounts.fields.EmailHash(null=True, of="email", max_length=16)),
        *[
            step
            for name, length in PROFILE.items()
            for step in in_the_clear(
                "profile", name, models.CharField(blank=True, max_length=length, default=""),
                accounts.fields.SealedText(
                    blank=True, default="", max_length=length, place=f"profile.{name}", row="user_id",
                    **({"verbose_name": LABELS[name]} if name in LABELS else {}),
                ),
            )
        ],
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                *device_fields(),
                ("seal_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("seed", accounts.fields.SealedText(default=accounts.models.factors.new_seed, place="authenticator.seed", row="seal_id")),
                ("drift", models.SmallIntegerField(default=0)),
                ("last_t", models.BigIntegerField(default=-1)),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="RecoveryCodes", fields=device_fields(), options={"abstract": False}
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(max_length=16)),
                ("codes", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="codes", to="accounts.recoverycodes")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("codes", "digest"), name="recovery_code_once")],
            },
        ),
    ]  # fmt: skip
