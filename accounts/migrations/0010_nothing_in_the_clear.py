"""Drop the columns and tables that held names, addresses, seeds and codes in the clear."""

import uuid

from django.db import migrations, models

import accounts.fields

TABLES = ("otp_static_statictoken", "otp_static_staticdevice", "otp_totp_totpdevice")


def drop_tables(apps, schema_editor):
    there = set(schema_editor.connection.introspection.table_names())
    for table in TABLES:
        if table in there:
            schema_editor.execute(f"DROP TABLE {table}")


class Migration(migrations.Migration):

    dependencies = [("accounts", "0009_seal_accounts")]

    operations = [
        migrations.RemoveField("user", "email_clear"),
        migrations.RemoveField("user", "name_clear"),
        migrations.RemoveField("invitation", "email_clear"),
        *[
            migrations.RemoveField("profile", f"{name}_clear")
            for name in ("specialty", "licence_number", "licence_place", "npi")
        ],
        migrations.AlterField("user", "seal_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
        migrations.AlterField("user", "email", accounts.fields.SealedText(max_length=254, place="account.email", row="seal_id")),
        migrations.AlterField("user", "name", accounts.fields.SealedText(max_length=120, place="account.name", row="seal_id")),
        migrations.AlterField("user", "email_token", accounts.fields.EmailHash(max_length=16, of="email", unique=True)),
        migrations.AlterField("invitation", "email", accounts.fields.SealedText(max_length=254, place="invitation.email", row="id")),
        migrations.AlterField("invitation", "email_token", accounts.fields.EmailHash(db_index=True, max_length=16, of="email")),
        migrations.RunPython(drop_tables),
    ]  # fmt: skip
