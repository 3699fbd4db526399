# Generated on pretix 2026.3, the oldest that the plugin supports

import django.db.models.deletion
import django.utils.timezone
import pretix.base.models.base
import pretix_offlinesales.models.document
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pretix_offlinesales', '0001_initial'),
        ('pretixbase', '0298_pluggable_permissions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='offlinesalesbatch',
            name='book_size',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='offlinesalesticket',
            name='sold',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='Document',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('number', models.PositiveIntegerField()),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('count', models.PositiveIntegerField()),
                ('value', models.DecimalField(decimal_places=2, max_digits=18)),
                ('currency', models.CharField(max_length=10)),
                ('comment', models.TextField(default='')),
                ('terms', models.JSONField(default=dict)),
                ('snapshot', models.JSONField(default=dict)),
                ('file', models.FileField(max_length=255, null=True, upload_to=pretix_offlinesales.models.document.private_path)),
                ('api_token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.teamapitoken')),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pretixbase.device')),
                ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='offline_sales_documents', to='pretixbase.event')),
                ('oauth_application', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('organizer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offline_sales_documents', to='pretixbase.organizer')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.AddField(
            model_name='offlinesalesticket',
            name='document',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='tickets', to='pretix_offlinesales.document'),
        ),
        migrations.CreateModel(
            name='DocumentCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('last', models.PositiveIntegerField(default=0)),
                ('organizer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pretixbase.organizer')),
            ],
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('numbers', models.JSONField()),
                ('count', models.PositiveIntegerField()),
                ('value', models.DecimalField(decimal_places=2, max_digits=18)),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='movements', to='pretix_offlinesales.offlinesalesbatch')),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='movements', to='pretix_offlinesales.document')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='Seller',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('commission_percent', models.DecimalField(decimal_places=2, default=0, max_digits=5)),
                ('commission_fixed', models.DecimalField(decimal_places=2, default=0, max_digits=13)),
                ('name', models.CharField(max_length=190)),
                ('identifier', models.CharField(default='', max_length=190)),
                ('contact', models.CharField(default='', max_length=190)),
                ('email', models.EmailField(default='', max_length=254)),
                ('phone', models.CharField(default='', max_length=64)),
                ('address', models.TextField(default='')),
                ('vat_id', models.CharField(default='', max_length=64)),
                ('locale', models.CharField(default='', max_length=32)),
                ('currency', models.CharField(default='', max_length=10)),
                ('active', models.BooleanField(default=True)),
                ('comment', models.TextField(default='')),
                ('commission_tax_rate', models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                ('commission_tax_text', models.CharField(default='', max_length=190)),
                ('commission_invoiced_by', models.CharField(default='organizer', max_length=16)),
                ('credit_limit', models.DecimalField(decimal_places=2, max_digits=13, null=True)),
                ('firm', models.BooleanField(default=False)),
                ('deadline_days', models.PositiveIntegerField(null=True)),
                ('deadline_action', models.CharField(default='keep', max_length=16)),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_movement', models.DateTimeField(blank=True, null=True)),
                ('erased', models.DateTimeField(blank=True, null=True)),
                ('organizer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offline_sales_sellers', to='pretixbase.organizer')),
            ],
            options={
                'ordering': ('name', 'pk'),
            },
            bases=(models.Model, pretix.base.models.base.LoggingMixin),
        ),
        migrations.CreateModel(
            name='ProductCommission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('commission_percent', models.DecimalField(decimal_places=2, default=0, max_digits=5)),
                ('commission_fixed', models.DecimalField(decimal_places=2, default=0, max_digits=13)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pretixbase.item')),
                ('seller', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='product_commissions', to='pretix_offlinesales.seller')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.AddField(
            model_name='document',
            name='source',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='documents_from', to='pretix_offlinesales.seller'),
        ),
        migrations.AddField(
            model_name='document',
            name='target',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='documents_to', to='pretix_offlinesales.seller'),
        ),
        migrations.AddField(
            model_name='offlinesalesticket',
            name='seller',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='tickets', to='pretix_offlinesales.seller'),
        ),
        migrations.AddIndex(
            model_name='offlinesalesticket',
            index=models.Index(condition=models.Q(('seller__isnull', False)), fields=['seller', 'batch'], name='offlinesales_ticket_held'),
        ),
        migrations.AddConstraint(
            model_name='documentcounter',
            constraint=models.UniqueConstraint(fields=('organizer', 'kind'), name='offlinesales_counter_uniq'),
        ),
        migrations.AddConstraint(
            model_name='seller',
            constraint=models.UniqueConstraint(condition=models.Q(('identifier', ''), _negated=True), fields=('organizer', 'identifier'), name='offlinesales_seller_identifier_uniq'),
        ),
        migrations.AddConstraint(
            model_name='productcommission',
            constraint=models.UniqueConstraint(fields=('seller', 'item'), name='offlinesales_commission_uniq'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.UniqueConstraint(fields=('organizer', 'kind', 'number'), name='offlinesales_document_number_uniq'),
        ),
    ]
