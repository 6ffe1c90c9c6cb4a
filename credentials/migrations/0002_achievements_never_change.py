"""Let the database itself refuse to change an achievement that credentials quote."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION achievement_versions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an achievement version never changes: % refused', TG_OP;
END
$$;
CREATE TRIGGER achievement_versions_stay BEFORE UPDATE OR DELETE ON credentials_achievementversion
    FOR EACH ROW EXECUTE FUNCTION achievement_versions_stay();
"""

BACKWARD = """
DROP TRIGGER achievement_versions_stay ON credentials_achievementversion;
DROP FUNCTION achievement_versions_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("credentials", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
