"""The official OpenAI SDK through the gateway: answers, streams, and typed exceptions.

The mock provider answers a model called `status-NNN` with that status.
"""

import asyncio

import openai
import pytest
from conftest import OVERSIZED, WRONG_KEY

TEXT = "Hello from the mock."
MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def client(url, key):
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=30) as client:
        yield client


def ask(client, model="gpt-4o", **more):
    return client.chat.completions.create(model=model, messages=MESSAGES, **more)


def test_plain(client):
    answer = ask(client)
    assert answer.choices[0].message.content == TEXT
    assert answer.usage.total_tokens == 13


def test_raw_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    assert raw.headers["x-request-id"]
    assert raw.headers["x-portcullis-provider"] == "mock"
    assert raw.parse().choices[0].message.content == TEXT


def test_streamed(client):
    parts = [part for part in ask(client, stream=True) if part.choices]
    assert "".join(part.choices[0].delta.content or "" for part in parts) == TEXT
    assert parts[-1].choices[0].finish_reason == "stop"


def test_a_stream_left_early(client):
    with ask(client, stream=True) as stream:
        next(iter(stream))
    assert ask(client).choices[0].message.content == TEXT


def test_async(url, key):
    async def both():
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
            plain = await ask(client)
            parts = [part async for part in await ask(client, stream=True)]
        return plain.choices[0].message.content, len(parts)

    text, parts = asyncio.run(both())
    assert text == TEXT
    assert parts > 3


def test_completions(client):
    answer = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hello.")
    assert answer.choices[0].text == TEXT


def test_completions_streamed(client):
    stream = client.completions.create(model="gpt-4o", prompt="Say hello.", stream=True)
    assert "".join(part.choices[0].text for part in stream) == TEXT


def test_responses(client):
    answer = client.responses.create(model="gpt-4o", input="Say hello.")
    assert answer.output_text == TEXT
    assert answer.usage.total_tokens == 13


def test_responses_streamed(client):
    events = list(client.responses.create(model="gpt-4o", input="Say hello.", stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == TEXT
    assert events[-1].type == "response.completed"


def test_embeddings(client):
    answer = client.embeddings.create(
        model="text-embedding-3-small", input="hello", encoding_format="float"
    )
    assert answer.data[0].embedding == [0.5, -0.25, 0.125]


def test_models(client):
    listed = client.models.list()
    assert listed.object == "list"
    assert all(model.id for model in listed)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (502, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_provider(client, status, kind, stream):
    with pytest.raises(kind) as caught:
        ask(client, model=f"status-{status}", stream=stream)
    assert caught.value.status_code == status
    assert caught.value.request_id
    if status == 429:
        assert caught.value.response.headers["retry-after"] == "7"


def test_400_broken_request(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body=["no", "object"], cast_to=object)
    assert caught.value.code == "invalid_request"


def test_400_no_model(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"messages": MESSAGES}, cast_to=object)
    assert caught.value.code == "invalid_request"
    assert caught.value.param == "model"


def test_401(client):
    with pytest.raises(openai.AuthenticationError) as caught:
        ask(client.with_options(api_key=WRONG_KEY))
    assert caught.value.code == "invalid_api_key"
    assert WRONG_KEY not in str(caught.value)


def test_403(client, read_only_key):
    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(client.with_options(api_key=read_only_key))
    assert caught.value.code == "permission_denied"


def test_404_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="no-such-model")
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


def test_404_unknown_path(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.get("/no/such/path", cast_to=object)
    assert caught.value.code == "not_found"


def test_413(client):
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, user=OVERSIZED)
    assert caught.value.status_code == 413
    assert caught.value.code == "request_too_large"

