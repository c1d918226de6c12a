from django.apps import AppConfig


class CorrespondenceConfig(AppConfig):
    name = "scholarships.correspondence"
