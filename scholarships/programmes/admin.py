"""Programmes with partners and phases, for the technician."""

from django.contrib import admin

from scholarships.programmes.models import Partner, Phase, Programme


class PartnerInline(admin.TabularInline):
    model = Partner
    extra = 0


class PhaseInline(admin.TabularInline):
    model = Phase
    extra = 0


@admin.register(Programme)
class ProgrammeAdmin(admin.ModelAdmin):
    list_display = ["code", "title", "host", "level", "taught_in", "field", "months"]
    list_filter = ["kind", "level", "taught_in"]
    search_fields = ["code", "search"]
    list_select_related = ["host"]
    inlines = [PartnerInline, PhaseInline]
