from io import StringIO

from django.core.management import call_command
from django.db import migrations


def index_names(apps, schema_editor):
    """Hashes are made with keys, which the service has; a new installation has no studies yet."""
    if apps.get_model("studies", "Study").objects.exists():
        call_command("index_names", stdout=StringIO())


class Migration(migrations.Migration):
    dependencies = [("studies", "0001_initial")]

    operations = [migrations.RunPython(index_names, migrations.RunPython.noop)]
