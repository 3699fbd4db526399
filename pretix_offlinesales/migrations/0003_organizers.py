from django.db import migrations

PLUGIN = "pretix_offlinesales"


def switch_on(apps, schema_editor):
    """The plugin is the organizer's, too: whose events use it has it on."""
    Event, Organizer = (apps.get_model("pretixbase", name) for name in ("Event", "Organizer"))
    # A name may be a part of another one, so what the database finds is looked at again.
    using = {
        organizer
        for organizer, plugins in Event.objects.filter(plugins__contains=PLUGIN).values_list("organizer", "plugins")
        if PLUGIN in plugins.split(",")
    }
    for organizer in Organizer.objects.filter(pk__in=using):
        plugins = [name for name in (organizer.plugins or "").split(",") if name]
        if PLUGIN not in plugins:
            organizer.plugins = ",".join([*plugins, PLUGIN])
            organizer.save(update_fields=["plugins"])


class Migration(migrations.Migration):

    dependencies = [
        ("pretix_offlinesales", "0002_sellers"),
    ]

    operations = [
        migrations.RunPython(switch_on, migrations.RunPython.noop),
    ]
