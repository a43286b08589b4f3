"""When accounts were closed and memberships ended: from it their time runs.

Of those that ended before, the day is in the trail alone; their time begins with this migration.
"""

from django.db import migrations, models
from django.utils import timezone


def begin_now(apps, _schema_editor):
    now = timezone.now()
    apps.get_model("accounts", "User").objects.filter(is_active=False).update(closed_at=now)
    memberships = apps.get_model("accounts", "Membership").objects
    memberships.filter(is_active=False).update(ended_at=now)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0015_closed_organisations'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='ended_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='closed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(begin_now, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at', None), models.Q(('closed_at__isnull', False), ('is_active', False)), _connector='OR'), name='account_erased_when_closed'),
        ),
    ]
