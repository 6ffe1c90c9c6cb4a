"""Keep content as text: jsonb sorts keys, and the order of a world's faults decides its draws."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_initial")]

    operations = [
        migrations.RenameField("contentversion", "document", "text"),
        migrations.AlterField("contentversion", "text", models.TextField()),
    ]
