"""Every field that could hold words about a person says its purpose, its period and how it is emptied."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from scholarships.documents.actions import page_image
from scholarships.documents.models import Document, DocumentVersion
from scholarships.people.models import Profile, User
from scholarships.privacy.declarations import Period, Personal, Purpose, blank, erase, personal_fields, undeclared_fields
from tests.factories import make_document, make_draft, make_user

OURS = [model for model in apps.get_models() if model.__module__.startswith(("scholarships.", "exchange."))]


def test_no_field_that_could_hold_words_about_a_person_is_undeclared():
    assert undeclared_fields() == []


def test_what_is_declared_exists():
    missing = []
    for model in OURS:
        fields = {field.name for field in model._meta.concrete_fields}
        declared = [*getattr(model, "PERSONAL", {}), *getattr(model, "NOT_PERSONAL", ())]
        missing += [f"{model._meta.label}.{name}" for name in declared if name not in fields]

    assert missing == []


def test_nothing_is_declared_both_ways():
    both = [
        f"{model._meta.label}.{name}"
        for model in OURS
        for name in getattr(model, "PERSONAL", {})
        if name in getattr(model, "NOT_PERSONAL", ())
    ]

    assert both == []


def test_each_personal_field_says_purpose_period_and_eraser():
    wrong = [
        f"{model._meta.label}.{name}"
        for model, name, said in personal_fields()
        if not isinstance(said, Personal)
        or not isinstance(said.purpose, Purpose)
        or not isinstance(said.period, Period)
        or not callable(said.eraser)
    ]

    assert wrong == []


def test_the_list_covers_people_papers_and_answers():
    said = {f"{model._meta.label}.{name}" for model, name, _said in personal_fields()}

    assert said >= {
        "people.User.email",
        "people.User.name",
        "people.Profile.name_own_script",
        "documents.DocumentVersion.original",
        "documents.DocumentVersion.rebuilt",
        "applications.Answer.values",
        "applications.Answer.identity",
        "applications.Application.name",
    }


# -- A field that somebody forgot ------------------------------------------------

KINDS = {
    "words": models.CharField(max_length=10),
    "text": models.TextField(),
    "address": models.EmailField(),
    "link": models.URLField(),
    "code": models.SlugField(),
    "json": models.JSONField(),
    "day": models.DateField(),
    "file": models.FileField(),
    "image_path": models.FilePathField(),
    "bytes": models.BinaryField(),
    "ip": models.GenericIPAddressField(),
    "time": models.TimeField(),
}


@isolate_apps("scholarships.people")
def test_each_kind_of_field_that_speaks_is_found_where_it_is_not_declared():
    fields = {name: field.clone() for name, field in KINDS.items()}
    model = type("Forgotten", (models.Model,), {"__module__": "scholarships.people.models", **fields})

    assert undeclared_fields([model]) == [f"people.Forgotten.{name}" for name in KINDS]


@isolate_apps("scholarships.people")
def test_declared_fields_numbers_choices_times_and_keys_need_no_word():
    class Kept(models.Model):
        declared = models.CharField(max_length=10)
        plain = models.TextField()
        number = models.IntegerField()
        is_so = models.BooleanField()
        choice = models.CharField(max_length=1, choices=[("a", "A")])
        at = models.DateTimeField()
        other = models.ForeignKey("self", models.CASCADE)

        PERSONAL = {"declared": Personal(Purpose.SELECTION, Period.CALL)}
        NOT_PERSONAL = ("plain",)

        class Meta:
            app_label = "people"

    Kept.__module__ = "scholarships.people.models"

    assert undeclared_fields([Kept]) == []


@isolate_apps("scholarships.people")
def test_models_of_others_are_not_ours_to_declare():
    model = type("Theirs", (models.Model,), {"__module__": "scholarships.people.models", "words": models.TextField()})
    model.__module__ = "allauth.account.models"

    assert undeclared_fields([model]) == []


# -- Erasing ---------------------------------------------------------------------


@pytest.mark.django_db
def test_erasing_an_account_leaves_nothing_of_the_person():
    user = make_user("Nuray Asanova", email="nuray@sapar.example", password="a long enough sentence")

    erase(user)

    kept = User.objects.get(pk=user.pk)
    assert (kept.email, kept.name, kept.password) == (f"erased-{user.pk}@erased.invalid", "", "")


@pytest.mark.django_db
def test_two_erased_accounts_do_not_clash():
    erase(make_user())
    erase(make_user())

    assert User.objects.filter(email__endswith="@erased.invalid").count() == 2


@pytest.mark.django_db
def test_erasing_a_profile_empties_it():
    profile = make_user().profile
    Profile.objects.filter(pk=profile.pk).update(name_own_script="Нурай", fields=["0613"])

    erase(Profile.objects.get(pk=profile.pk))

    assert Profile.objects.values_list("name_own_script", "fields").get(pk=profile.pk) == ("", [])


@pytest.mark.django_db
def test_erasing_answers_empties_them_and_keeps_the_row():
    answer = make_draft().revisions.get().answers.get(section="person")

    erase(answer)

    answer.refresh_from_db()
    assert (answer.values, answer.identity, answer.section) == ({}, {}, "person")


@pytest.mark.django_db
def test_erasing_a_paper_deletes_its_files_and_the_pages_drawn_from_it():
    version = make_document(make_user())
    drawn = page_image(version, 1)
    files = [version.original.path, version.rebuilt.path, drawn]
    assert [open(path, "rb").read(2) for path in files] == [b"\xff\xd8"] * 3

    erase(version)

    kept = DocumentVersion.objects.get(pk=version.pk)
    assert (kept.name, kept.issued_on, bool(kept.original), bool(kept.rebuilt)) == ("", None, False, False)
    for path in files:
        with pytest.raises(FileNotFoundError):
            open(path, "rb")


@pytest.mark.django_db
def test_erasing_twice_is_erasing():
    version = make_document(make_user())

    erase(version)
    erase(DocumentVersion.objects.get(pk=version.pk))

    assert DocumentVersion.objects.get(pk=version.pk).name == ""


@pytest.mark.django_db
def test_a_row_without_personal_fields_stays_as_it_is():
    document = make_document(make_user()).document

    erase(document)

    assert Document.objects.get(pk=document.pk).code == document.code


def test_every_eraser_gives_what_its_column_takes():
    """Each personal field that is emptied by ``blank`` may be empty: no NOT NULL is broken when the day comes."""
    wrong = []
    for model, name, said in personal_fields():
        field = model._meta.get_field(name)
        if said.eraser is blank:
            value = blank(model(), name)
            if (value is None and not field.null) or (value == "" and isinstance(field, models.DateField | models.JSONField)):
                wrong.append(f"{model._meta.label}.{name}")

    assert wrong == []
