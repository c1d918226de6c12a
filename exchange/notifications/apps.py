from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "exchange.notifications"

    def ready(self) -> None:
        """Listen to what happens: the rows are written in the same transaction. And know the events of mailings."""
        from exchange.notifications import mailings  # noqa: F401
        from exchange.notifications.listening import write_rows
        from scholarships.events.actions import recorded

        recorded.connect(write_rows, dispatch_uid="outbox")
