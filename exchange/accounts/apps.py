from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "exchange.accounts"

    def ready(self) -> None:
        """allauth loads the adapter when somebody signs in; the events that it declares are shown before that."""
        from exchange.accounts import adapter  # noqa: F401
