# Written on pretix 2026.3, the oldest that the plugin supports

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pretixbase', '0298_pluggable_permissions'),
        ('pretix_offlinesales', '0002_print_units'),
    ]

    operations = [
        migrations.CreateModel(
            name='SheetPreset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=190)),
                ('sheet', models.JSONField(default=dict)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offline_sales_presets', to='pretixbase.event')),
            ],
            options={
                'ordering': ('name', 'pk'),
                'constraints': [
                    models.UniqueConstraint(fields=('event', 'name'), name='offlinesales_preset_name_uniq'),
                ],
            },
        ),
    ]
