"""Seal the personal values that events only commit to.

Nothing recorded any before this; a row that is there all the same was never sealed, and goes.
"""

import uuid
from typing import Any

from django.db import migrations, models


def forget_plain_values(apps: Any, schema_editor: Any) -> None:
    commitments = apps.get_model("audit", "EventCommitment")
    commitments.objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.RunPython(forget_plain_values, migrations.RunPython.noop),
        migrations.RemoveField("eventcommitment", "salt"),
        migrations.RemoveField("eventcommitment", "value"),
        migrations.AddField(
            "eventcommitment",
            "key_id",
            models.UUIDField(default=uuid.UUID(int=0)),
            preserve_default=False,
        ),
        migrations.AddField(
            "eventcommitment",
            "sealed",
            models.BinaryField(default=b""),
            preserve_default=False,
        ),
    ]
