"""Static and uploaded files without a web server in front, and without building pretix's assets again."""

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.views import static


class Storage(ManifestStaticFilesStorage):
    """pretix's assets as they are compiled in its wheel, the plugin's as they lie in its folder."""

    def stored_name(self, name):
        try:
            return super().stored_name(name)
        except ValueError:
            return name


class MediaFilesHandler(StaticFilesHandler):
    """What organizers upload."""

    def get_base_url(self):
        return settings.MEDIA_URL

    def serve(self, request):
        return static.serve(request, self.file_path(request.path), document_root=settings.MEDIA_ROOT)
