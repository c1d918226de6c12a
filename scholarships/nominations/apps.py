from django.apps import AppConfig


class NominationsConfig(AppConfig):
    name = "scholarships.nominations"

    def ready(self) -> None:
        """Every process knows the events of this room, whichever of its pages it serves."""
        from scholarships.nominations import actions, overview, taking_back  # noqa: F401
