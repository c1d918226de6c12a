"""Offers are made and answered elsewhere: the technician looks."""

from django.contrib import admin

from scholarships.events.admin import ReadOnlyAdmin
from scholarships.offers.models import Offer


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    list_display = ["code", "application", "programme", "state", "made_at", "answer_by"]
    list_filter = ["state"]
    list_select_related = ["application", "programme"]
