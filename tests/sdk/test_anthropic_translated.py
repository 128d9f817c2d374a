"""The official Anthropic SDK through the gateway, before a provider that speaks OpenAI's API."""

import anthropic
import pytest

TEXT = "Hello from the mock."
MESSAGES = [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}]


@pytest.fixture
def client(url, key):
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=30) as client:
        yield client


def ask(client, model="gpt-4o", **more):
    return client.messages.create(model=model, max_tokens=64, messages=MESSAGES, **more)


def test_plain(client):
    answer = ask(client, system="Be brief.")
    assert answer.content[0].text == TEXT
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (9, 4)
    assert answer.id.startswith("msg_")


def test_streamed(client):
    with client.messages.stream(model="gpt-4o", max_tokens=64, messages=MESSAGES) as stream:
        assert "".join(stream.text_stream) == TEXT
        final = stream.get_final_message()
    assert final.stop_reason == "end_turn"


def test_a_recorded_stream_of_text(client):
    with client.messages.stream(
        model="play-chat_text", max_tokens=64, messages=MESSAGES
    ) as stream:
        said = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert said
    assert final.content[0].text == said


@pytest.mark.parametrize(
    ("status", "kind", "wire"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_provider(client, status, kind, wire, stream):
    with pytest.raises(kind) as caught:
        ask(client, model=f"status-{status}", stream=stream)
    assert caught.value.status_code == status
    assert caught.value.type == wire


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("top_k", 5),
        ("thinking", {"type": "enabled", "budget_tokens": 1024}),
        ("stop_sequences", ["a", "b", "c", "d", "e"]),
    ],
)
def test_what_can_not_be_translated(client, field, value):
    with pytest.raises(anthropic.BadRequestError) as caught:
        ask(client, extra_body={field: value})
    assert caught.value.type == "invalid_request_error"
    assert field in str(caught.value)
