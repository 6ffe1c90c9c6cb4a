"""Where a credential stands in the transparency log, and the nonce that links it to its entry."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credentials", "0002_achievements_never_change")]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="log_index",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="log_nonce",
            field=models.BinaryField(blank=True, default=b"", max_length=32),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True), ("log_nonce", b""), _connector="OR"
                ),
                name="an_erased_credential_has_no_nonce",
            ),
        ),
    ]
