"""The official OpenAI SDK through the gateway, before a provider that speaks Anthropic's API.

The mock provider answers a model called `status-NNN` with that status, and plays a recording for
one called `play-NAME`.
"""

import json

import openai
import pytest

TEXT = "Hello from the mock."
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Say hello."}]},
]


@pytest.fixture
def client(url, key):
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=30) as client:
        yield client


def ask(client, model="claude-sonnet", **more):
    return client.chat.completions.create(model=model, messages=MESSAGES, **more)


def test_plain(client):
    answer = ask(client, max_tokens=64)
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (9, 4)
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")


def test_streamed(client):
    chunks = list(ask(client, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_streamed_with_usage(client):
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 13
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_recorded_stream_with_a_tool_call(client):
    with client.chat.completions.stream(model="play-messages", messages=MESSAGES) as stream:
        answer = stream.get_final_completion().choices[0]
    assert answer.finish_reason == "tool_calls"
    call = answer.message.tool_calls[0]
    assert call.id.startswith("toolu_")
    assert isinstance(json.loads(call.function.arguments), dict)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_provider(client, status, kind, stream):
    with pytest.raises(kind) as caught:
        ask(client, model=f"status-{status}", stream=stream)
    assert caught.value.status_code == status
    assert caught.value.type


@pytest.mark.parametrize(
    ("field", "value"),
    [("n", 2), ("logprobs", True), ("temperature", 1.5), ("frequency_penalty", 0.5)],
)
def test_what_can_not_be_translated(client, field, value):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **{field: value})
    assert caught.value.code == "invalid_request"
    assert caught.value.param == field


def test_a_call_that_the_provider_has_not(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="text-embedding-3-small", input="hello")
    assert caught.value.code == "invalid_request"
