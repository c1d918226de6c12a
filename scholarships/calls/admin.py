"""Calls are set up by officers and by files; the technician looks."""

from django.contrib import admin

from scholarships.calls.models import Call, CallVersion
from scholarships.events.admin import ReadOnlyAdmin


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "opens_at", "closes_at", "results_at", "version"]
    list_select_related = ["version"]


@admin.register(CallVersion)
class CallVersionAdmin(ReadOnlyAdmin):
    list_display = ["call", "number", "published_at"]
    list_select_related = ["call"]
