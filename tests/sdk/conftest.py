"""Where the gateway is and which keys it takes, as `tests/it/sdk.rs` says."""

import os

import pytest

# Larger than the limit that sdk.rs configures, smaller than any default.
OVERSIZED = "x" * 70_000

# A key that no gateway has.
WRONG_KEY = "sk-test-nobody-0123456789abcdef"


@pytest.fixture(scope="session")
def url():
    return os.environ["GATEWAY_URL"]


@pytest.fixture(scope="session")
def key():
    return os.environ["GATEWAY_KEY"]


@pytest.fixture(scope="session")
def read_only_key():
    return os.environ["GATEWAY_READ_ONLY_KEY"]
