"""Who asked for something."""

from django.db import models

#: The fields of ``Requested``, to be selected with what somebody asked for.
REQUESTER = ("user", "api_token", "device", "oauth_application")


class Requested(models.Model):
    """Something that somebody asked for: in the backend (a user) or through the API (also a token, app or device)."""

    user = models.ForeignKey("pretixbase.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    api_token = models.ForeignKey(
        "pretixbase.TeamAPIToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    device = models.ForeignKey("pretixbase.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    oauth_application = models.ForeignKey(
        "pretixapi.OAuthApplication", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True

    @property
    def requested_by(self) -> dict:
        """Who asked, as the values of these fields."""
        return {field.name: getattr(self, field.name) for field in Requested._meta.get_fields()}

    @property
    def requester(self) -> dict:
        """Who asked, as ``log_action`` takes it: ``{"user": …, "auth": …}``."""
        return {"user": self.user, "auth": self.api_token or self.device or self.oauth_application}

    @property
    def requester_name(self) -> str:
        """Who asked, for people: the user, or what acted by itself. Empty if it was deleted since."""
        if self.user:
            return self.user.get_full_name()
        auth = self.requester["auth"]
        return auth.name if auth else ""
