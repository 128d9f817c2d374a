//! `POST /v1/responses`.

use super::{
    CONTENT, CONTENT_OR_PARTS, Check, FLAG, FROM_0, FROM_1, Field, Kinds, METADATA, MODEL,
    MODEL_NAME, Marks, Members, OBJECT, OPTIONAL_TEXT, ROLE, Rule, SERVICE_TIER, STREAM,
    STREAM_OPTIONS, TEMPERATURE, TEXT_OR_OBJECT, TEXTS, TOP_LOGPROBS, TOP_P, TYPE, TYPED_TOOLS,
    USER, Word, first_missing, role,
};

const INPUT: Marks = Marks::bit(4);
/// A stored prompt, response or conversation that brings the input.
const STORED: Marks = Marks::bit(5);
const ID: Marks = Marks::bit(6);
const MESSAGE: Marks = Marks::bit(7);

const ROLES: &[Word] = &[
    ("user", Marks::NONE),
    ("assistant", Marks::NONE),
    ("system", Marks::NONE),
    ("developer", Marks::NONE),
];

/// The body of a responses request.
pub(in super::super) static RESPONSES: Members = Members {
    fields: &[
        MODEL_NAME,
        Field::marked(
            "input",
            Rule::new(
                Kinds::TEXT.or(Kinds::ARRAY),
                "a string or an array of input items",
            )
            .items(&ITEM)
            .or_null(),
            INPUT,
        ),
        Field::new("instructions", OPTIONAL_TEXT),
        STREAM,
        STREAM_OPTIONS,
        Field::marked("previous_response_id", OPTIONAL_TEXT, STORED),
        Field::marked("conversation", TEXT_OR_OBJECT, STORED),
        Field::marked("prompt", OBJECT, STORED),
        Field::new("max_output_tokens", FROM_1),
        Field::new("max_tool_calls", FROM_0),
        TEMPERATURE,
        TOP_P,
        TOP_LOGPROBS,
        Field::new("tools", TYPED_TOOLS),
        Field::new("tool_choice", TEXT_OR_OBJECT),
        Field::new("parallel_tool_calls", FLAG),
        Field::new("reasoning", OBJECT),
        Field::new("text", OBJECT),
        Field::new("include", TEXTS),
        Field::new("store", FLAG),
        Field::new("background", FLAG),
        Field::new("truncation", OPTIONAL_TEXT),
        SERVICE_TIER,
        USER,
        METADATA,
        Field::new("prompt_cache_key", OPTIONAL_TEXT),
        Field::new("safety_identifier", OPTIONAL_TEXT),
    ],
    missing: |marks| first_missing(marks, &[("model", MODEL), ("input", INPUT.with(STORED))]),
};

static ITEM: Rule =
    Rule::new(Kinds::OBJECT, "an object with a `role` or a `type`").members(&Members {
        fields: &[
            Field::marked(
                "role",
                role(
                    ROLES,
                    "one of `user`, `assistant`, `system` and `developer`",
                )
                .or_null(),
                ROLE,
            ),
            Field::marked("content", CONTENT_OR_PARTS.or_null(), CONTENT),
            Field::marked(
                "type",
                OPTIONAL_TEXT.check(Check::Noted(&[("message", MESSAGE)])),
                TYPE,
            ),
            Field::marked("id", OPTIONAL_TEXT, ID),
        ],
        missing: missing_of_item,
    });

/// An item is a message, which has a role and a content, or says its type, or is a reference by
/// `id` alone.
fn missing_of_item(marks: Marks) -> Option<&'static str> {
    let message = marks.any(ROLE.with(MESSAGE));
    match () {
        () if message && !marks.any(ROLE) => Some("role"),
        () if message && !marks.any(CONTENT) => Some("content"),
        () if !message && !marks.any(TYPE.with(ID)) => Some("type"),
        () => None,
    }
}
