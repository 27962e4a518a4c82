"""bubblewrap without root: the same suite, run by the user `nobody`, where root can arrange that."""

import nobody
import pytest


def test_the_contract_holds_for_a_user_without_root():
    if reason := nobody.missing():
        pytest.skip(reason)
    code, said = nobody.pytest_as_nobody(
        "tests/contract", "-k", "not torch",  # warm and slow, and no different without root
        seconds=240, AUTOGRADER_CONTRACT="bwrap",
    )  # fmt: skip
    print(said)
    assert code == 0, said
    assert " passed" in said
