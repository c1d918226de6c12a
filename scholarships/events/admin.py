"""The technician looks, and changes nothing: what has happened stays as it was written."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from scholarships.events.models import Event, Seal


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows whose changes must pass a door of the house are only shown here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "name", "subject_kind", "subject_key", "by", "actor"]
    list_filter = ["name"]
    search_fields = ["=subject_key", "=key"]
    list_select_related = ["by"]


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    list_display = ["seq", "event", "hash"]
    list_select_related = ["event"]
