from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consent", "0006_objections_are_directives")]

    operations = [migrations.DeleteModel(name="PurposeObjection")]
