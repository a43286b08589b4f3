import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_invoices'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='objected_to',
            field=models.JSONField(default=list),
        ),
        migrations.CreateModel(
            name='WorkSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('modality', models.CharField(blank=True, max_length=4)),
                ('per_page', models.PositiveSmallIntegerField(null=True)),
                ('colours', models.CharField(blank=True, choices=[('', 'As the computer is set'), ('light', 'Light'), ('dark', 'Dark')], max_length=5)),
                ('membership', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='work_settings', to='accounts.membership')),
            ],
        ),
        migrations.CreateModel(
            name='SupportWindow',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('ticket', models.SlugField(max_length=40)),
                ('reason', models.SlugField(max_length=40)),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('ends_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='support_windows', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='windows_opened', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['organisation', '-opened_at'], name='support_windows')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ticket', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='support_window_ticket'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('opened_at'))), name='support_window_ends')],
            },
        ),
        migrations.CreateModel(
            name='UsageEvent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('pseudonym', models.CharField(blank=True, max_length=32)),
                ('feature', models.CharField(max_length=40)),
                ('page', models.CharField(help_text='The name of an address, never the address.', max_length=60)),
                ('from_page', models.CharField(blank=True, max_length=60)),
                ('browser', models.CharField(blank=True, max_length=40)),
                ('outcome', models.SlugField(max_length=10)),
                ('took_ms', models.PositiveIntegerField(null=True)),
                ('forget_on', models.DateField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['organisation', 'day'], name='usage_by_day'), models.Index(fields=['pseudonym'], name='usage_of_pseudonym'), models.Index(fields=['forget_on'], name='usage_to_forget')],
            },
        ),
    ]
