"""A secret that can be guessed is refused, wherever it comes from."""

import secrets

import pytest

from autograder.course_secret import bits, secret_of
from autograder.errors import UsageError

WEAK = [
    "secret", "12345678901234567890", "0" * 64, "a" * 200, "abc" * 40, secrets.token_hex(15), "x", "correct horse",
    "0123456789abcdef0123456789abcde", "A9" * 30, secrets.token_urlsafe(15), " " * 40 + "word",
]  # fmt: skip
STRONG = [
    secrets.token_hex(16), secrets.token_hex(16).upper(), secrets.token_urlsafe(16), secrets.token_hex(32),
    "31415926535897932384626433832795028841971", "a secret of the tests, long enough to be one",
]  # fmt: skip


@pytest.mark.parametrize("value", WEAK, ids=[f"weak-{number}" for number in range(len(WEAK))])
@pytest.mark.parametrize("where", ["environment", "file"])
def test_less_than_128_bits_are_refused_with_advice(tmp_path, monkeypatch, value, where):
    monkeypatch.delenv("AUTOGRADER_SECRET", raising=False)
    if where == "environment":
        monkeypatch.setenv("AUTOGRADER_SECRET", value)
    else:
        (tmp_path / ".secret").write_text(value)
    with pytest.raises(UsageError, match="expected 128 bits") as caught:
        secret_of(tmp_path)
    assert value.strip() not in str(caught.value).replace("secret", "") or len(value) < 7
    assert ("token_hex(16)" if where == "environment" else "remove it") in str(caught.value)


@pytest.mark.parametrize("value", STRONG, ids=[f"strong-{number}" for number in range(len(STRONG))])
def test_128_bits_are_taken_as_they_are(tmp_path, monkeypatch, value):
    monkeypatch.setenv("AUTOGRADER_SECRET", value)
    assert secret_of(tmp_path) == value


def test_random_secrets_are_never_refused():
    for _ in range(300):
        assert bits(secrets.token_hex(16)) >= 128
        assert bits(secrets.token_urlsafe(16)) >= 128
