import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_records_of_use'),
        ('consent', '0002_purpose_consent'),
    ]

    operations = [
        migrations.CreateModel(
            name='PurposeObjection',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.SlugField()),
                ('version_id', models.UUIDField()),
                ('objected_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purpose_objections', to='accounts.membership')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('membership', 'purpose'), name='purpose_objection_once')],
            },
        ),
    ]
