from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ApplicationsConfig(AppConfig):
    name = "scholarships.applications"

    def ready(self) -> None:
        """The index of words is made, and made good, after each migration."""
        from scholarships.applications.words import keep_index

        post_migrate.connect(keep_index, sender=self)
