"""Write the tables anew: until then, a database file still holds what was dropped from them."""

from django.db import migrations

TABLES = ("accounts_user", "accounts_invitation", "accounts_profile", "axes_accessattempt")


def rewrite(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for table in TABLES:
                cursor.execute(f"VACUUM FULL {table}")


class Migration(migrations.Migration):

    # VACUUM runs outside of a transaction only.
    atomic = False

    dependencies = [("accounts", "0010_nothing_in_the_clear")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
