"""Messages as rows: the technician looks; officers have their own page."""

from django.contrib import admin

from exchange.notifications.models import Address, Heartbeat, Message, Preference, Relay, Reminder, Wording
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


@admin.register(Address)
class AddressAdmin(admin.ModelAdmin):
    """A stop is taken away by emptying its date."""

    list_display = ["address", "hard_bounces", "bounced_at", "stopped_at"]
    readonly_fields = ["address", "hard_bounces", "bounced_at", "said"]


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ["kind", "subject_key", "occasion", "due_at", "done_at"]


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    list_display = ["user", "kind", "way"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "at"]


@admin.register(Wording)
class WordingAdmin(ReadOnlyAdmin):
    list_display = ["call", "letter", "language", "number", "is_standard", "saved_at"]
