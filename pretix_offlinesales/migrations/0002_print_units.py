# Written on pretix 2026.3, the oldest that the plugin supports

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery


def number_from_one(apps, schema_editor):
    """
    Until now, parts were ranges of ticket numbers. Now they are ranges of what is printed, counted from 1, which is the
    same but for batches that start elsewhere. Prints that are not finished are drawn anew.
    """
    parts = apps.get_model("pretix_offlinesales", "PrintPart").objects
    offset = Subquery(parts.filter(pk=OuterRef("pk")).values("job__batch__first_number")[:1]) - 1
    parts.filter(job__batch__first_number__isnull=False).update(first=F("first") - offset, last=F("last") - offset)


class Migration(migrations.Migration):

    dependencies = [
        ('pretix_offlinesales', '0001_initial'),
    ]

    operations = [
        migrations.RenameField(model_name='printpart', old_name='first_number', new_name='first'),
        migrations.RenameField(model_name='printpart', old_name='last_number', new_name='last'),
        migrations.AlterModelOptions(name='printpart', options={'ordering': ('first',)}),
        migrations.RemoveField(model_name='printpart', name='printed'),
        migrations.AddField(model_name='printpart', name='positions', field=models.JSONField(null=True)),
        migrations.RunPython(number_from_one, migrations.RunPython.noop),
    ]
