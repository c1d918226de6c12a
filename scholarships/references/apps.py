from django.apps import AppConfig


class ReferencesConfig(AppConfig):
    name = "scholarships.references"

    def ready(self) -> None:
        """Every process knows the events of this room, whichever of its pages it serves."""
        from scholarships.references import actions, answering  # noqa: F401
