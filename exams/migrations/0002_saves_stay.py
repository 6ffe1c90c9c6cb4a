"""Let the database itself refuse to change the log of saves, or to delete from it.

An erasure of a person sets `checkride.erasing` for the length of its transaction.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION exams_saves_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('checkride.erasing', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the log of saves is append-only: % refused', TG_OP;
END
$$;
CREATE TRIGGER exams_saves_stay BEFORE UPDATE OR DELETE ON exams_responseevent
    FOR EACH ROW EXECUTE FUNCTION exams_saves_stay();
"""

BACKWARD = """
DROP TRIGGER exams_saves_stay ON exams_responseevent;
DROP FUNCTION exams_saves_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("exams", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
