"""The one schedule of the queue: our own dispatcher, once a minute."""

from django.db import migrations

DISPATCH = "syncs.tasks.dispatch"


def add(apps, schema_editor):
    schedule = apps.get_model("django_q", "Schedule")
    schedule.objects.get_or_create(name="dispatch", defaults={"func": DISPATCH, "schedule_type": "I", "minutes": 1, "repeats": -1})


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(func=DISPATCH).delete()


class Migration(migrations.Migration):
    dependencies = [("syncs", "0001_initial"), ("django_q", "0018_task_success_index")]
    operations = [migrations.RunPython(add, remove)]
