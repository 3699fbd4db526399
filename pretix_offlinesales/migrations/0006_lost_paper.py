# Written on pretix 2026.3, the oldest that the plugin supports

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pretix_offlinesales', '0005_jobs_that_remember'),
    ]

    operations = [
        migrations.AddField(
            model_name='offlinesalesticket',
            name='lost',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
