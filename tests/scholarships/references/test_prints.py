"""The same text in two letters is found, however it is dressed; what is only alike in tone is not."""

from __future__ import annotations

import pytest

from scholarships.references.models import Letter
from scholarships.references.prints import alike, common_passage, prints_of
from tests.factories import make_application, make_call_with_letters, make_reference, make_user, send_letter

pytestmark = pytest.mark.django_db

TEXT = """I have taught her for three years. In the field course the measurements were done twice, without being asked. The thesis
found an error in the table that all of us had used for years, and she had the patience to convince us of it with her own data."""
OTHER = """He was my student in two courses on soil mechanics, where his laboratory work stood out for its order; he asked questions that
led to a change of the exercise itself, and he helped those who were behind, which I have seldom seen in so young a person."""
CHINESE = "该同学在校期间学习刻苦，成绩优异，曾两次获得校级奖学金，并参与了灌溉渠流量测量课题，独立完成全部野外观测工作。"


def twins(first: str, second: str, *, same_applicant: bool = False) -> list[int]:
    call, student = make_call_with_letters(), make_user()
    one = send_letter(make_reference(make_application(call, student)), first)
    other = (
        make_reference(one.reference.application) if same_applicant else make_reference(make_application(call, make_user()))
    )  # fmt: skip
    return [twin.share for twin in alike([send_letter(other, second)]).get(other.letters.get().pk, [])]


@pytest.mark.parametrize("copy", [TEXT, TEXT.upper().replace(",", " –"), TEXT.replace("I have taught her", "I taught him")])
def test_the_same_text_about_another_applicant_is_found(copy):
    assert [share >= 50 for share in twins(TEXT, copy)] == [True]


def test_chinese_has_no_spaces_and_is_found_too():
    assert twins(CHINESE, CHINESE.replace("该同学", "这位学生")) != []


@pytest.mark.parametrize(("first", "second"), [(TEXT, OTHER), ("Good.", "Good."), (TEXT, "")])
def test_another_text_is_not(first, second):
    assert twins(first, second or "She is good.") == []


def test_two_letters_about_the_same_applicant_may_be_alike():
    assert twins(TEXT, TEXT, same_applicant=True) == []


def test_many_letters_are_compared_in_as_many_queries_as_one(django_assert_num_queries):
    call = make_call_with_letters()
    for _number in range(3):
        send_letter(make_reference(make_application(call, make_user())), TEXT)
    letters = list(Letter.objects.select_related("reference__application"))

    for some in (letters[:1], letters):
        with django_assert_num_queries(3):
            alike(some)


def test_the_place_is_the_longest_passage():
    assert common_passage(f"Dear all. {TEXT}", f"To whom it may concern: {TEXT}")[:20] == "i have taught her fo"
    assert common_passage(CHINESE, CHINESE)[:4] == "该同学在"


def test_short_words_of_courtesy_have_no_prints():
    assert prints_of("I recommend her without reserve.") == set()
