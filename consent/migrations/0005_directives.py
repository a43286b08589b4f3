import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_release_projects'),
        ('consent', '0004_both_factors'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Directive',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject_id', models.UUIDField(null=True)),
                ('kind', models.CharField(choices=[('restriction', 'Locked'), ('disclosure', 'Not given to somebody'), ('health-plan', 'Kept from a health plan'), ('objection', 'Objected to'), ('limit-sensitive', 'Sensitive data limited'), ('opt-out', 'Opted out of sale and sharing'), ('withdrawal', 'Consent taken back')], max_length=20)),
                ('purposes', models.TextField()),
                ('studies', models.TextField(blank=True, default='')),
                ('recipients', models.TextField(blank=True, default='')),
                ('source', models.SlugField()),
                ('case_number', models.CharField(blank=True, default='', max_length=9)),
                ('version_id', models.UUIDField(null=True)),
                ('set_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('key_id', models.UUIDField(null=True)),
                ('sealed_reason', models.BinaryField(null=True)),
                ('announced_at', models.DateTimeField(null=True)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_case', models.CharField(blank=True, default='', max_length=9)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='directives', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddIndex(
            model_name='directive',
            index=models.Index(condition=models.Q(('lifted_at', None)), fields=['subject_id', 'organisation'], name='directive_in_force'),
        ),
        migrations.AddIndex(
            model_name='directive',
            index=models.Index(fields=['subject_id', '-set_at'], name='directive_of_subject'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('subject_id', None), ('user__isnull', False)), models.Q(('subject_id__isnull', False), ('user', None)), _connector='OR'), name='directive_of_one_person'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(('purposes', ''), _negated=True), name='directive_bars_something'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at', None), ('user__isnull', False)), fields=('organisation', 'user', 'kind', 'purposes'), name='directive_of_user_once'),
        ),
    ]
