# Generated on pretix 2026.3, the oldest that the plugin supports

import django.db.models.deletion
import django.utils.timezone
import pretix.base.models.base
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('pretixbase', '0298_pluggable_permissions'),
        ('ticketoutputpdf', '0012_alter_ticketlayout_layout'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=32)),
                ('state', models.CharField(default='waiting', max_length=16)),
                ('request', models.JSONField(default=dict)),
                ('selection', models.JSONField(null=True)),
                ('checkpoint', models.JSONField(default=dict)),
                ('result', models.JSONField(default=dict)),
                ('pending_webhooks', models.JSONField(default=list)),
                ('look', models.JSONField(default=dict)),
                ('locale', models.CharField(max_length=32)),
                ('progress', models.PositiveSmallIntegerField(default=0)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('interruptions', models.PositiveIntegerField(default=0)),
                ('message', models.TextField(default='')),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('queued', models.DateTimeField(default=django.utils.timezone.now)),
                ('started', models.DateTimeField(blank=True, null=True)),
                ('heartbeat', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished', models.DateTimeField(blank=True, null=True)),
                ('dismissed', models.BooleanField(default=False)),
                ('api_token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.teamapitoken')),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.device')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offline_sales_jobs', to='pretixbase.event')),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.cachedfile')),
                ('oauth_application', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('created',),
            },
        ),
        migrations.CreateModel(
            name='JobStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('done', models.JSONField(default=list)),
                ('skipped', models.JSONField(default=list)),
                ('log_entries', models.JSONField(default=list)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='pretix_offlinesales.job')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='OfflineSalesBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('creation', models.DateTimeField(default=django.utils.timezone.now)),
                ('completed', models.DateTimeField(blank=True, null=True)),
                ('testmode', models.BooleanField(default=False)),
                ('amount', models.PositiveIntegerField()),
                ('first_number', models.PositiveIntegerField(null=True)),
                ('valid_from', models.DateTimeField(blank=True, null=True)),
                ('comment', models.TextField(default='')),
                ('api_token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.teamapitoken')),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.device')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offline_sales_batches', to='pretixbase.event')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pretixbase.item')),
                ('layout', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='ticketoutputpdf.ticketlayout')),
                ('oauth_application', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('sales_channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pretixbase.saleschannel')),
                ('subevent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pretixbase.subevent')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('variation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pretixbase.itemvariation')),
            ],
            options={
                'ordering': ('pk',),
            },
            bases=(models.Model, pretix.base.models.base.LoggingMixin),
        ),
        migrations.AddField(
            model_name='job',
            name='batch',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='pretix_offlinesales.offlinesalesbatch'),
        ),
        migrations.CreateModel(
            name='PrintPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('first', models.PositiveIntegerField()),
                ('last', models.PositiveIntegerField()),
                ('printed', models.JSONField(null=True)),
                ('facts', models.CharField(default='', max_length=64)),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.cachedfile')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='pretix_offlinesales.job')),
            ],
            options={
                'ordering': ('first',),
            },
        ),
        migrations.CreateModel(
            name='OfflineSalesTicket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('returned', models.DateTimeField(blank=True, null=True)),
                ('return_kind', models.CharField(default='', max_length=16)),
                ('lost', models.DateTimeField(blank=True, null=True)),
                ('replaced', models.DateTimeField(blank=True, null=True)),
                ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='pretix_offlinesales.offlinesalesbatch')),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='offline_sales_ticket', to='pretixbase.order')),
            ],
            options={
                'ordering': ('number',),
                'constraints': [models.UniqueConstraint(fields=('batch', 'number'), name='offlinesales_ticket_number_uniq')],
            },
        ),
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
                'constraints': [models.UniqueConstraint(fields=('event', 'name'), name='offlinesales_preset_name_uniq')],
            },
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('state__in', ('waiting', 'running'))), fields=['event'], name='offlinesales_job_unfinished'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('pending_webhooks', []), _negated=True), fields=['finished'], name='offlinesales_job_untold'),
        ),
    ]
