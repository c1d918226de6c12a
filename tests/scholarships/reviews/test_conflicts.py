import pytest

from scholarships.applications.models import Application
from scholarships.people.models import Profile, User
from scholarships.reviews.conflicts import HOME, HOST, NATIONALITY, OWN, conflict_between, sides_of
from tests.factories import make_application, make_call, make_call_with_letters, make_institution, make_reference, make_reviewer, make_user

pytestmark = pytest.mark.django_db


def side_of(application: Application):
    return sides_of([application])[application.pk]


def test_a_reviewer_from_elsewhere_has_no_conflict():
    application = make_application()

    assert conflict_between(make_reviewer(application.call, country="DE"), side_of(application)) is None


def test_the_own_application_is_a_conflict():
    application = make_application()
    applicant = User.objects.select_related("profile").get(pk=application.applicant_id)

    assert conflict_between(applicant, side_of(application)) == OWN


def test_the_same_nationality_is_a_conflict():
    application = make_application()

    assert conflict_between(make_reviewer(application.call, country="KG"), side_of(application)) == NATIONALITY


def test_the_home_institution_of_the_applicant_is_a_conflict():
    application = make_application()
    home = make_institution(country="KG")
    application.home = home
    application.save(update_fields=["home"])

    assert conflict_between(make_reviewer(application.call, institution=home), side_of(application)) == HOME


def test_a_chosen_host_is_a_conflict_also_as_second_choice():
    call = make_call()
    first, second = call.programmes.all()
    other_host = make_institution(name="Second Host")
    second.host = other_host
    second.save()
    application = make_application(call, choices=[first, second])

    assert conflict_between(make_reviewer(call, institution=other_host), side_of(application)) == HOST


def test_a_host_that_is_not_chosen_is_no_conflict():
    application = make_application()

    assert conflict_between(make_reviewer(application.call, institution=make_institution()), side_of(application)) is None


def test_a_reviewer_who_was_asked_for_a_letter_about_the_applicant_has_a_conflict():
    application = make_application(make_call_with_letters())
    reviewer = make_reviewer(application.call)
    assert conflict_between(reviewer, side_of(application)) is None

    make_reference(application, address=reviewer.email.upper())

    assert conflict_between(reviewer, side_of(application)) == "referee"


def test_a_reviewer_without_a_profile_has_only_the_conflict_of_the_own_application():
    application = make_application()
    stranger = make_user(country="KG")
    Profile.objects.filter(user=stranger).delete()

    assert conflict_between(User.objects.get(pk=stranger.pk), side_of(application)) is None


def test_sides_of_many_applications_are_read_in_two_queries(django_assert_num_queries):
    call = make_call()
    applications = [make_application(call) for _number in range(3)]

    with django_assert_num_queries(2):
        sides = sides_of(applications)

    assert [side.hosts for side in sides.values()] == [frozenset({call.programmes.first().host_id})] * 3
