"""Quotas and their ledger: shown, never changed past the ledger."""

from django.contrib import admin

from scholarships.events.admin import ReadOnlyAdmin
from scholarships.quotas.models import Entry, Quota


@admin.register(Quota)
class QuotaAdmin(ReadOnlyAdmin):
    list_display = ["call", "purpose", "by", "cell", "places", "held", "used"]
    list_filter = ["purpose", "call"]
    list_select_related = ["call"]


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "quota", "move", "places", "subject", "by"]
    search_fields = ["=subject"]
    list_select_related = ["quota", "by"]
