//! Requests.
#![expect(clippy::too_many_lines, reason = "tables, and bodies as they are sent")]

use super::*;

#[test]
fn a_chat_request_is_said_whole() {
    let chat = json!({
        "model": "gpt-4o", "stream": true, "stream_options": {"include_usage": true},
        "max_completion_tokens": 50, "temperature": 0.5, "top_p": 0.9, "stop": "END",
        "user": "u-1", "n": 1, "seed": 7, "frequency_penalty": 0, "logprobs": false,
        "parallel_tool_calls": false, "tool_choice": "required",
        "response_format": {"type": "text"},
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "Tells it.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        }}, {"type": "function", "function": {"name": "now"}}],
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,BBBB"}},
            ]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "weather", "arguments": "{\"city\": \"Bonn\"}"}},
                {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "noon"}]},
            {"role": "user", "content": "And?"},
        ],
    });
    let messages = json!({
        "model": "their-model", "stream": true, "max_tokens": 50, "temperature": 0.5,
        "top_p": 0.9, "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "tools": [
            {"name": "weather", "description": "Tells it.",
             "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}},
            {"name": "now", "input_schema": {"type": "object", "properties": {}}},
        ],
        "system": [{"type": "text", "text": "Be short."}, {"type": "text", "text": "Be kind."}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image",
                 "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "document",
                 "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bonn"}},
                {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1",
                 "content": [{"type": "text", "text": "rain"}]},
                {"type": "tool_result", "tool_use_id": "c2",
                 "content": [{"type": "text", "text": "noon"}]},
                {"type": "text", "text": "And?"},
            ]},
        ],
    });
    assert_eq!(said(ChatToMessages, &chat).unwrap(), messages);
    let (_, wanted) = request(ChatToMessages, chat.to_string().as_bytes(), "m").unwrap();
    assert!(wanted.usage, "the client asked for usage");
}

#[test]
fn a_messages_request_is_said_whole() {
    let messages = json!({
        "model": "claude-x", "max_tokens": 50, "stream": true, "temperature": 0.5,
        "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
        "thinking": {"type": "disabled"},
        "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": true},
        "tools": [{"name": "weather", "description": "Tells it.", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bonn"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1",
                 "content": [{"type": "text", "text": "rain"}]},
                {"type": "image",
                 "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain",
                 "data": "notes"}},
                {"type": "text", "text": "And?"},
            ]},
        ],
    });
    let chat = json!({
        "model": "their-model", "max_completion_tokens": 50, "stream": true,
        "stream_options": {"include_usage": true}, "temperature": 0.5, "stop": ["END"],
        "user": "u-1", "parallel_tool_calls": false,
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "Tells it.", "parameters": {"type": "object"}}}],
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Be short."}]},
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "I look.", "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "weather", "arguments": "{\"city\":\"Bonn\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "rain"}]},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "text", "text": "notes"},
                {"type": "text", "text": "And?"},
            ]},
        ],
    });
    assert_eq!(said(MessagesToChat, &messages).unwrap(), chat);
}

#[test]
fn what_has_no_counterpart_is_a_fault_that_names_it() {
    let turn = |content: Value| json!([{"role": "user", "content": content}]);
    let audio = json!([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]);
    let call = json!([{"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "[1"}}]}]);
    let shown = json!([{"type": "tool_result", "tool_use_id": "c", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}]}]);
    for (direction, name, value, param) in [
        (ChatToMessages, "n", json!(2), "n"),
        (ChatToMessages, "temperature", json!(1.5), "temperature"),
        (ChatToMessages, "logprobs", json!(true), "logprobs"),
        (ChatToMessages, "logit_bias", json!({"1": 5}), "logit_bias"),
        (
            ChatToMessages,
            "presence_penalty",
            json!(0.1),
            "presence_penalty",
        ),
        (
            ChatToMessages,
            "response_format",
            json!({"type": "json_object"}),
            "response_format",
        ),
        (
            ChatToMessages,
            "reasoning_effort",
            json!("high"),
            "reasoning_effort",
        ),
        (
            ChatToMessages,
            "modalities",
            json!(["text", "audio"]),
            "modalities",
        ),
        (
            ChatToMessages,
            "tool_choice",
            json!("sometimes"),
            "tool_choice",
        ),
        (
            ChatToMessages,
            "tools",
            json!([{"type": "custom"}]),
            "tools[0].type",
        ),
        (ChatToMessages, "something_new", json!(1), "something_new"),
        (
            ChatToMessages,
            "messages",
            turn(audio),
            "messages[0].content[0].type",
        ),
        (
            ChatToMessages,
            "messages",
            json!([{"role": "function"}]),
            "messages[0].role",
        ),
        (
            ChatToMessages,
            "messages",
            call,
            "messages[0].tool_calls[0].function.arguments",
        ),
        (MessagesToChat, "top_k", json!(5), "top_k"),
        (
            MessagesToChat,
            "thinking",
            json!({"type": "enabled"}),
            "thinking",
        ),
        (MessagesToChat, "mcp_servers", json!([{}]), "mcp_servers"),
        (
            MessagesToChat,
            "stop_sequences",
            json!(["a", "b", "c", "d", "e"]),
            "stop_sequences",
        ),
        (
            MessagesToChat,
            "tools",
            json!([{"type": "bash_20250124"}]),
            "tools[0].type",
        ),
        (
            MessagesToChat,
            "tool_choice",
            json!({"type": "odd"}),
            "tool_choice.type",
        ),
        (
            MessagesToChat,
            "messages",
            turn(shown),
            "messages[0].content[0].content[0].type",
        ),
        (
            MessagesToChat,
            "messages",
            turn(json!([{"type": "image", "source": {"type": "file", "file_id": "f"}}])),
            "messages[0].content[0].source.type",
        ),
    ] {
        let mut body = json!({"model": "m", "max_tokens": 5, "messages": turn(json!("x"))});
        body[name] = value;
        let fault = said(direction, &body).unwrap_err();
        assert_eq!(fault.param, param, "{body}");
        assert!(matches!(fault.problem, Problem::MustBe(_)), "{fault}");
    }
}

#[test]
fn what_says_nothing_goes() {
    let idle = json!({
        "model": "m", "messages": [{"role": "user", "content": "x"}], "logit_bias": {}, "stop": null,
        "functions": [], "audio": null, "top_logprobs": 0, "tools": [], "temperature": null,
    });
    let said = said(ChatToMessages, &idle).unwrap();
    let names: Vec<_> = said.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["max_tokens", "messages", "model"]);
    assert_eq!(said["max_tokens"], 4096, "Anthropic asks for a bound");
}
