from django.apps import AppConfig


class ReferencesConfig(AppConfig):
    name = "scholarships.references"
