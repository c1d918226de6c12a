"""Schemes with what they pay, for the technician."""

from django.contrib import admin

from scholarships.schemes.models import Coverage, Scheme, StipendRate


class CoverageInline(admin.TabularInline):
    model = Coverage
    extra = 0


class StipendInline(admin.TabularInline):
    model = StipendRate
    extra = 0


@admin.register(Scheme)
class SchemeAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "kind", "funder"]
    list_select_related = ["funder"]
    inlines = [CoverageInline, StipendInline]
