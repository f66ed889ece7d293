import re

from pivotscope_collector.security import token


def test_a_token_holds_its_id_and_256_random_bits() -> None:
    token_id, text = token.new()
    assert token.id_of(text) == token_id
    assert re.fullmatch(r"pvs_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", text)
    assert token.new() != (token_id, text)


def test_other_texts_have_no_id() -> None:
    for text in ("", "secret", "pvs", "abc_0123_x"):
        assert token.id_of(text) == ""


def test_the_digest_is_sha_256() -> None:
    assert token.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
