"""Runs never change: the technician looks."""

from django.contrib import admin

from scholarships.allocations.models import Run
from scholarships.events.admin import ReadOnlyAdmin


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["code", "call", "at", "awarded", "confirmed_at", "published_at", "output_digest"]
    list_select_related = ["call"]
