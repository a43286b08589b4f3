from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('dsar', '0003_erasure'),
    ]

    operations = [
        migrations.AlterField(
            model_name='case',
            name='door',
            field=models.CharField(choices=[('form', 'the public form'), ('signed-in', 'the portal, signed in'), ('email', 'e-mail'), ('post', 'post'), ('telephone', 'telephone'), ('signal', 'a signal of the browser')], max_length=10),
        ),
    ]
