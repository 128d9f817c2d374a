"""The official Anthropic SDK through the gateway: answers, streams, and typed exceptions.

The mock provider answers a model called `status-NNN` with that status.
"""

import asyncio

import anthropic
import pytest
from conftest import OVERSIZED, WRONG_KEY

TEXT = "Hello from the mock."
MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def client(url, key):
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=30) as client:
        yield client


def ask(client, model="claude-sonnet", **more):
    return client.messages.create(model=model, max_tokens=64, messages=MESSAGES, **more)


def test_plain(client):
    answer = ask(client)
    assert answer.content[0].text == TEXT
    assert answer.usage.output_tokens == 4


def test_bearer_token(url, key):
    with anthropic.Anthropic(base_url=url, auth_token=key, max_retries=0) as client:
        assert ask(client).content[0].text == TEXT


def test_streamed_events(client):
    kinds = [event.type for event in ask(client, stream=True)]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    # One for each of the provider's, and one for what an earlier one could not yet say.
    assert kinds.count("content_block_delta") in (4, 5)


def test_streamed_text(client):
    with client.messages.stream(
        model="claude-sonnet", max_tokens=64, messages=MESSAGES
    ) as stream:
        assert "".join(stream.text_stream) == TEXT
        assert stream.get_final_message().stop_reason == "end_turn"


def test_a_stream_left_early(client):
    with ask(client, stream=True) as stream:
        next(iter(stream))
    assert ask(client).content[0].text == TEXT


def test_async(url, key):
    async def both():
        async with anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0) as client:
            plain = await ask(client)
            events = [event async for event in await ask(client, stream=True)]
        return plain.content[0].text, len(events)

    text, events = asyncio.run(both())
    assert text == TEXT
    assert events > 5


@pytest.mark.parametrize(
    ("status", "kind", "wire"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (502, anthropic.InternalServerError, "api_error"),
        (503, anthropic.InternalServerError, None),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_provider(client, status, kind, wire, stream):
    with pytest.raises(kind) as caught:
        ask(client, model=f"status-{status}", stream=stream)
    assert caught.value.status_code == status
    if wire is not None:
        assert caught.value.type == wire
    assert caught.value.response.headers["x-request-id"]


def test_400_broken_request(client):
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.post("/v1/messages", body=["no", "object"], cast_to=object)
    assert caught.value.type == "invalid_request_error"


def test_401(client):
    with pytest.raises(anthropic.AuthenticationError) as caught:
        ask(client.with_options(api_key=WRONG_KEY))
    assert caught.value.type == "authentication_error"
    assert WRONG_KEY not in str(caught.value)


def test_403(client, read_only_key):
    with pytest.raises(anthropic.PermissionDeniedError) as caught:
        ask(client.with_options(api_key=read_only_key))
    assert caught.value.type == "permission_error"


def test_404_unknown_model(client):
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(client, model="no-such-model")
    assert caught.value.type == "not_found_error"


def test_413(client):
    with pytest.raises(anthropic.RequestTooLargeError) as caught:
        ask(client, system=OVERSIZED)
    assert caught.value.type == "request_too_large"
