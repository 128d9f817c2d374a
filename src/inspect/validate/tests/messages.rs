//! Messages, what is missing, what comes first, and what is never told.

use super::super::Shape;
use super::verdict;

const CONTENT: &str = "must be a string or an array of content parts";
const ROLES: &str =
    "must be one of `system`, `developer`, `user`, `assistant`, `tool` and `function`";

/// The messages of a chat, and what is blamed.
const CHATS: &[(&str, &str, &str)] = &[
    ("null", "messages", "must be an array of messages"),
    (r#""x""#, "messages", "must be an array of messages"),
    ("{}", "messages", "must be an array of messages"),
    ("[]", "messages", "must not be empty"),
    ("[null]", "messages[0]", "must be an object with a `role`"),
    (r#"["x"]"#, "messages[0]", "must be an object with a `role`"),
    ("[{}]", "messages[0].role", "is required"),
    (r#"[{"content":"x"}]"#, "messages[0].role", "is required"),
    (r#"[{"role":null}]"#, "messages[0].role", ROLES),
    (
        r#"[{"role":"User","content":"x"}]"#,
        "messages[0].role",
        ROLES,
    ),
    (
        r#"[{"role":"user ","content":"x"}]"#,
        "messages[0].role",
        ROLES,
    ),
    (r#"[{"role":"","content":"x"}]"#, "messages[0].role", ROLES),
    (
        r#"[{"role":"\u0075ser2","content":"x"}]"#,
        "messages[0].role",
        ROLES,
    ),
    (r#"[{"role":"user"}]"#, "messages[0].content", "is required"),
    (
        r#"[{"role":"user","content":null}]"#,
        "messages[0].content",
        "is required",
    ),
    (
        r#"[{"content":null,"role":"system"}]"#,
        "messages[0].content",
        "is required",
    ),
    (
        r#"[{"role":"user","content":5}]"#,
        "messages[0].content",
        CONTENT,
    ),
    (
        r#"[{"role":"user","content":{}}]"#,
        "messages[0].content",
        CONTENT,
    ),
    (
        r#"[{"role":"assistant"}]"#,
        "messages[0].content",
        "is required",
    ),
    (
        r#"[{"role":"assistant","content":null,"tool_calls":null,"refusal":null}]"#,
        "messages[0].content",
        "is required",
    ),
    (
        r#"[{"role":"assistant","tool_calls":{}}]"#,
        "messages[0].tool_calls",
        "must be an array",
    ),
    (
        r#"[{"role":"assistant","tool_calls":[{},"x"]}]"#,
        "messages[0].tool_calls[1]",
        "must be an object",
    ),
    (
        r#"[{"role":"tool","content":"x"}]"#,
        "messages[0].tool_call_id",
        "is required",
    ),
    (
        r#"[{"role":"tool","content":"x","tool_call_id":5}]"#,
        "messages[0].tool_call_id",
        "must be a string",
    ),
    (
        r#"[{"role":"tool","tool_call_id":"c"}]"#,
        "messages[0].content",
        "is required",
    ),
    (
        r#"[{"role":"function","content":"x"}]"#,
        "messages[0].name",
        "is required",
    ),
    (
        r#"[{"role":"user","content":"x"},{"role":"robot","content":"x"}]"#,
        "messages[1].role",
        ROLES,
    ),
    (
        r#"[{"role":"user","content":[{"type":"text"},{"text":"x"}]}]"#,
        "messages[0].content[1].type",
        "is required",
    ),
    (
        r#"[{"role":"user","content":[{"type":["text"]}]}]"#,
        "messages[0].content[0].type",
        "must be a string",
    ),
    (
        r#"[{"role":"user","content":["x"]}]"#,
        "messages[0].content[0]",
        "must be an object with a `type`",
    ),
];

#[test]
fn messages_are_blamed_by_number_and_field() {
    for (messages, param, words) in CHATS {
        let body = format!(r#"{{"messages":{messages},"model":"m"}}"#);
        let fault = verdict(Shape::Chat, &body).expect_err(&body);
        assert_eq!(fault.param, *param, "{body}");
        assert_eq!(fault.to_string(), format!("`{param}` {words}"), "{body}");
    }
}

#[test]
fn messages_of_anthropic_have_roles_and_contents_of_their_own() {
    let cases = [
        (r#"{"role":"tool","content":"x"}"#, "messages[0].role"),
        (r#"{"role":"developer","content":"x"}"#, "messages[0].role"),
        (r#"{"content":"x"}"#, "messages[0].role"),
        (r#"{"role":"assistant"}"#, "messages[0].content"),
        (
            r#"{"role":"assistant","content":null}"#,
            "messages[0].content",
        ),
        (
            r#"{"role":"user","content":[{}]}"#,
            "messages[0].content[0].type",
        ),
    ];
    for (message, param) in cases {
        let body = format!(r#"{{"model":"m","max_tokens":1,"messages":[{message}]}}"#);
        let fault = verdict(Shape::Messages, &body).expect_err(&body);
        assert_eq!(fault.param, param, "{body}");
    }
}

#[test]
fn what_is_missing_is_blamed_in_the_order_of_the_reference() {
    let cases = [
        (Shape::Chat, "{}", "`model` is required"),
        (Shape::Chat, r#"{"model":"m"}"#, "`messages` is required"),
        (Shape::Chat, r#"{"model":null}"#, "`model` must be a string"),
        (Shape::Chat, r#"{"model":""}"#, "`model` must not be empty"),
        (
            Shape::Chat,
            r#"{"model":["m"]}"#,
            "`model` must be a string",
        ),
        (Shape::Completions, "{}", "`model` is required"),
        (Shape::Responses, r#"{"model":"m"}"#, "`input` is required"),
        (
            Shape::Responses,
            r#"{"model":"m","input":null,"previous_response_id":null}"#,
            "`input` is required",
        ),
        (Shape::Responses, r#"{"input":"x"}"#, "`model` is required"),
        (Shape::Embeddings, r#"{"model":"m"}"#, "`input` is required"),
        (
            Shape::Embeddings,
            r#"{"model":"m","input":[]}"#,
            "`input` must not be empty",
        ),
        (
            Shape::Embeddings,
            r#"{"model":"m","input":""}"#,
            "`input` must not be empty",
        ),
        (Shape::Messages, "{}", "`model` is required"),
        (
            Shape::Messages,
            r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#,
            "`max_tokens` is required",
        ),
        (
            Shape::Messages,
            r#"{"model":"m","max_tokens":null}"#,
            "`max_tokens` is required",
        ),
        (
            Shape::Messages,
            r#"{"model":"m","max_tokens":1}"#,
            "`messages` is required",
        ),
    ];
    for (shape, body, message) in cases {
        let told = verdict(shape, body).map_err(|fault| fault.to_string());
        assert_eq!(told, Err(message.to_owned()), "{body}");
    }
}

#[test]
fn a_body_that_is_no_object_is_blamed_as_a_whole() {
    for shape in Shape::ALL {
        for body in [
            "[]",
            "[{\"model\":\"m\"}]",
            "\"model\"",
            "1",
            "null",
            "true",
        ] {
            let fault = verdict(shape, body).expect_err("no object");
            assert_eq!(fault.param, "", "{body} has no field to blame");
            assert_eq!(
                fault.to_string(),
                "the body must be a JSON object",
                "{body}"
            );
        }
    }
}

#[test]
fn the_first_fault_in_the_text_is_told_and_missing_fields_last() {
    let cases = [
        (r#"{"n":0,"temperature":9,"model":5}"#, "n"),
        (r#"{"temperature":9,"n":0}"#, "temperature"),
        (r#"{"messages":[{"role":"x"}],"n":0}"#, "messages[0].role"),
        (
            r#"{"messages":[{"content":"x"}],"n":0}"#,
            "messages[0].role",
        ),
        (r#"{"n":0,"messages":[]}"#, "n"),
        (
            r#"{"messages":[{"content":5,"role":"x"}]}"#,
            "messages[0].content",
        ),
        (r#"{"tools":[{}]}"#, "tools[0].type"),
    ];
    for (body, param) in cases {
        let fault = verdict(Shape::Chat, body).expect_err("two faults");
        assert_eq!(fault.param, param, "{body}");
    }
}

#[test]
fn the_value_at_fault_is_never_repeated() {
    let secret = "hunter2";
    let bodies = [
        format!(r#"{{"model":"m","messages":[{{"role":"{secret}","content":"x"}}]}}"#),
        format!(r#"{{"{secret}":1,"temperature":"{secret}"}}"#),
        format!(r#"{{"stop":[{{"{secret}":1}}]}}"#),
        format!(r#"{{"model":"m","messages":[{{"{secret}":5}}]}}"#),
    ];
    for body in bodies {
        let fault = verdict(Shape::Chat, &body).expect_err("a fault");
        let told = format!("{fault} {fault:?}");
        assert!(!told.contains(secret), "{told}");
    }
}
