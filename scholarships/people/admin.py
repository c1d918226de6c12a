"""Accounts and roles, for the technician. A role is given with an event, as everywhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from scholarships.people.actions import give_role, take_role
from scholarships.people.models import Membership, Profile, User


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    list_display = ["email", "name", "is_active", "is_staff", "joined_at"]
    search_fields = ["email", "name", "=code"]
    fields = ["email", "name", "language", "zone", "is_active", "is_staff", "is_superuser"]


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):
    list_display = ["user", "citizenship", "institution"]
    list_select_related = ["user", "citizenship", "institution"]
    autocomplete_fields = ["user", "institution"]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["user", "role", "scope_kind", "scope_key", "ends_on"]
    list_filter = ["role", "scope_kind"]
    autocomplete_fields = ["user"]
    list_select_related = ["user"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        membership = give_role(obj.user, obj.role, scope=obj.scope_kind, key=obj.scope_key, by=request.user)
        obj.pk = membership.pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        take_role(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for membership in queryset:
            take_role(membership, by=request.user)
