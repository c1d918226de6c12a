"""Who was asked and when; what was written is for the officers of the call, on a page that logs the reading."""

from django.contrib import admin

from scholarships.events.admin import ReadOnlyAdmin
from scholarships.references.models import Reference


@admin.register(Reference)
class ReferenceAdmin(ReadOnlyAdmin):
    list_display = ["code", "application", "way", "state", "asked_at", "answered_at"]
    list_filter = ["state", "way"]
    list_select_related = ["application"]
    search_fields = ["=code", "=application__code"]
    fields = ["code", "application", "way", "state", "reason", "is_confidential", "asked_at", "opened_at", "answered_at", "reminders"]
