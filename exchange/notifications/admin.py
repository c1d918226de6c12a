"""Messages as rows: the technician looks; officers have their own page."""

from django.contrib import admin

from exchange.notifications.models import Message, Relay
from scholarships.events.admin import ReadOnlyAdmin


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["code", "kind", "delivery", "created_at", "due_at", "tries", "sent_at"]
    list_filter = ["delivery"]
    search_fields = ["=code"]
    fields = ["code", "event", "kind", "delivery", "created_at", "due_at", "tries", "sent_at", "error", "message_id"]
    show_full_result_count = False


@admin.register(Relay)
class RelayAdmin(admin.ModelAdmin):
    """The pause of the way out may be ended by hand."""

    list_display = ["pk", "paused_until"]
