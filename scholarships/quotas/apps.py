from django.apps import AppConfig


class QuotasConfig(AppConfig):
    name = "scholarships.quotas"

    def ready(self) -> None:
        """Quotas are a part of the call file."""
        from scholarships.calls import file, loading
        from scholarships.quotas import callfile

        file.register_check(callfile.check)
        loading.register_part("quotas", callfile.load)
