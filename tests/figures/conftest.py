"""The cases that every figure must draw."""

import pytest
import result_cases


@pytest.fixture(scope="session", params=result_cases.CASES)
def any_result(request):
    """One of the small comparisons, ordinary or at a border."""
    return result_cases.case(request.param)


@pytest.fixture(scope="session")
def result():
    """Pairs judged with every method."""
    return result_cases.case("every")


@pytest.fixture(scope="session")
def diagnosis(result):
    """What `result` says of the gap."""
    return result.diagnosis
