"""Cleaned, refused and broken streams, read by the official SDKs.

The mock plays the recordings of tests/fixtures/answers by the model's name.
"""

import json

import anthropic
import openai
import pytest

MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def client(url, key):
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def claude(url, key):
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=30) as client:
        yield client


def test_chat_text(client):
    stream = client.chat.completions.create(model="play-chat_text", messages=MESSAGES, stream=True)
    parts = [part for part in stream if part.choices]
    text = "".join(part.choices[0].delta.content or "" for part in parts)
    assert text == 'The address is [EMAIL_1], her number [PHONE_1].\n Café "ok"!'
    assert parts[-1].choices[0].finish_reason == "stop"


def test_chat_with_the_accumulating_helper(client):
    with client.chat.completions.stream(
        model="play-chat_tools_two_choices", messages=MESSAGES, n=2
    ) as stream:
        for _ in stream:
            pass
        first, second = stream.get_final_completion().choices
    assert first.message.content == "Write to [EMAIL_1] now"
    calls = [json.loads(call.function.arguments) for call in second.message.tool_calls]
    assert calls == [{"to": "[EMAIL_1]"}, {"text": "plain words"}]
    assert second.finish_reason == "tool_calls"


def test_responses(client):
    with client.responses.stream(model="play-responses", input="hi") as stream:
        numbers = [event.sequence_number for event in stream]
        final = stream.get_final_response()
    assert final.output_text == "Her mail is [EMAIL_1]."
    assert numbers == list(range(len(numbers)))


def test_messages(claude):
    with claude.messages.stream(
        model="play-messages", max_tokens=64, messages=MESSAGES
    ) as stream:
        final = stream.get_final_message()
    thinking, text, tool = final.content
    assert thinking.thinking == "She is [EMAIL_1]"
    assert text.text == "Mail [EMAIL_1], please."
    assert tool.input == {"to": "[EMAIL_1]"}
    assert final.stop_reason == "tool_use"


def test_a_refused_stream_raises(client, claude):
    stream = client.chat.completions.create(model="play-canary", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError) as raised:
        for part in stream:
            assert "canary" not in part.choices[0].delta.content
    assert raised.value.code == "canary_detected"
    with pytest.raises(openai.APIError):
        for _ in client.responses.create(model="play-canary", input="hi", stream=True):
            pass
    with pytest.raises(anthropic.APIStatusError) as raised:
        for _ in claude.messages.create(
            model="play-canary", max_tokens=9, messages=MESSAGES, stream=True
        ):
            pass
    assert "withheld" in str(raised.value)


def test_a_broken_stream_raises(client):
    stream = client.chat.completions.create(model="play-broken", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError) as raised:
        list(stream)
    assert raised.value.code == "upstream_error"
