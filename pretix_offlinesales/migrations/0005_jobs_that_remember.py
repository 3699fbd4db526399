# Written on pretix 2026.3, the oldest that the plugin supports

from django.db import migrations, models


def move_selections(apps, schema_editor):
    """Jobs that were interrupted by the upgrade go on with what they are about, and nobody looks for it in the old place."""
    Job = apps.get_model("pretix_offlinesales", "Job")
    for job in Job.objects.filter(data__has_key="selection").iterator(chunk_size=20):
        selection = job.data.pop("selection")
        job.selection = None if job.finished else selection
        job.save(update_fields=["data", "selection"])


class Migration(migrations.Migration):

    dependencies = [
        ('pretix_offlinesales', '0004_replaced_tickets'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='printpart',
            name='positions',
        ),
        migrations.AddField(
            model_name='job',
            name='interruptions',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='job',
            name='look',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='job',
            name='selection',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='offlinesalesbatch',
            name='valid_from',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='printpart',
            name='drawn',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='printpart',
            name='facts',
            field=models.CharField(default='', max_length=64),
        ),
        migrations.AlterField(
            model_name='job',
            name='attempts',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(move_selections, migrations.RunPython.noop),
    ]
