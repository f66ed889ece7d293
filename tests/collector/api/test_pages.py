import base64

import pytest
from pivotscope.v1 import query_pb2
from pivotscope_collector.api.pages import LONGEST, Page, page_of
from pivotscope_collector.errors import UsageError
from pivotscope_collector.store.reader import Selection

HOUR = Selection(0, 3600 * 10**9, service="shop")


def request(**fields: object) -> query_pb2.ListHotspotsRequest:
    return query_pb2.ListHotspotsRequest(**fields)  # type: ignore[arg-type]


def test_pages_follow_each_other_over_the_range_of_the_first() -> None:
    first = page_of(request(limit=2), 2, 20, [HOUR])
    assert (list(first.cut("abcde")), first.held([HOUR])) == (["a", "b"], [HOUR])
    later = Selection(7, 9, service="shop")
    second = page_of(request(limit=2, page_token=first.following(5)), 2, 20, [later])
    assert (list(second.cut("abcde")), second.held([later])) == (["c", "d"], [HOUR])
    third = page_of(request(limit=2, page_token=second.following(5)), 2, 20, [later])
    assert (list(third.cut("abcde")), third.following(5)) == (["e"], "")


def test_a_token_is_good_for_its_own_question_only() -> None:
    token = page_of(request(limit=2), 2, 20, [HOUR]).following(5)
    with pytest.raises(UsageError, match="another question"):
        page_of(request(limit=3, page_token=token), 3, 20, [HOUR])


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "null",
        "{}",
        "[]",
        '"abc"',
        "[1, 2]",
        '["a"]',
        '["a", -1]',
        '["a", true]',
        '["a", 1e400]',
        '["a", 1, 2]',
        '["a", 1, 3, 2]',
        f'["a", {10**40}]',
        f'["a", 0, 0, {10**40}]',
        "1" * 5000,
        "[" * 100_000,
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    token = base64.urlsafe_b64encode(text.encode()).decode()
    for bad in (text, token):
        with pytest.raises(UsageError, match="page_token is none"):
            page_of(request(page_token=bad), 0, 20, [HOUR])


def test_a_token_holds_times_that_the_store_has() -> None:
    question = page_of(request(), 0, 20, [HOUR]).question
    text = f'["{question}", 20, 0, {10**40}]'
    with pytest.raises(UsageError, match="page_token is none"):
        page_of(request(page_token=base64.urlsafe_b64encode(text.encode()).decode()), 0, 20, [HOUR])


def test_sizes_have_a_default_and_a_limit() -> None:
    assert page_of(request(), 0, 20, [HOUR]) == Page(
        page_of(request(), 0, 20, [HOUR]).question, 0, 20, ((0, HOUR.until_ns),)
    )
    with pytest.raises(UsageError, match="at most 1000"):
        page_of(request(), LONGEST + 1, 20, [HOUR])
