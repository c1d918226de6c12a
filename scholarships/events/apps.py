from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    name = "scholarships.events"

    def ready(self) -> None:
        """Rooms declare what can happen beside the actions that record it: with those, every process can say each event."""
        autodiscover_modules("actions")
