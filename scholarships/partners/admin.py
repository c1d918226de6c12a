"""Countries and institutions, for the technician."""

from django.contrib import admin

from scholarships.partners.models import Country, Institution


@admin.register(Country)
class CountryAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "zone", "is_sco_member"]
    list_filter = ["is_sco_member"]
    search_fields = ["code"]


@admin.register(Institution)
class InstitutionAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "kind", "country", "number"]
    list_filter = ["kind", "country"]
    search_fields = ["code", "number"]
    list_select_related = ["country"]
