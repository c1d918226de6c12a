from django.apps import AppConfig


class SchemesConfig(AppConfig):
    name = "scholarships.schemes"
