//! `POST /v1/chat/completions`.

use super::{
    ARRAY, CHOICES, CONTENT, CONTENT_OR_PARTS, FLAG, FROM_1, Field, Kinds, LOGIT_BIAS, METADATA,
    MODEL, MODEL_NAME, Marks, Members, OBJECT, OPTIONAL_TEXT, PENALTY, ROLE, Rule, SEED,
    SERVICE_TIER, STOP, STREAM, STREAM_OPTIONS, TEMPERATURE, TEXT, TEXT_OR_OBJECT, TEXTS,
    TOP_LOGPROBS, TOP_P, TYPED_TOOLS, USER, Word, first_missing, role, turns,
};

const MESSAGES: Marks = Marks::bit(4);
/// What an assistant may have said in place of a content.
const INSTEAD: Marks = Marks::bit(5);
const CALL_ID: Marks = Marks::bit(6);
const NAME: Marks = Marks::bit(7);
const ASSISTANT: Marks = Marks::bit(8);
const TOOL: Marks = Marks::bit(9);
const FUNCTION: Marks = Marks::bit(10);

const ROLES: &[Word] = &[
    ("user", Marks::NONE),
    ("assistant", ASSISTANT),
    ("system", Marks::NONE),
    ("tool", TOOL),
    ("developer", Marks::NONE),
    ("function", FUNCTION),
];

/// The body of a chat request.
pub(in super::super) static CHAT: Members = Members {
    fields: &[
        MODEL_NAME,
        turns(&MESSAGE, MESSAGES),
        STREAM,
        STREAM_OPTIONS,
        TEMPERATURE,
        Field::new("max_tokens", FROM_1),
        Field::new("max_completion_tokens", FROM_1),
        Field::new("tools", TYPED_TOOLS),
        Field::new("tool_choice", TEXT_OR_OBJECT),
        Field::new("parallel_tool_calls", FLAG),
        Field::new("response_format", OBJECT),
        TOP_P,
        CHOICES,
        Field::new("stop", STOP),
        Field::new("presence_penalty", PENALTY),
        Field::new("frequency_penalty", PENALTY),
        Field::new("seed", SEED),
        Field::new("logprobs", FLAG),
        TOP_LOGPROBS,
        LOGIT_BIAS,
        USER,
        METADATA,
        SERVICE_TIER,
        Field::new("store", FLAG),
        Field::new("reasoning_effort", OPTIONAL_TEXT),
        Field::new("verbosity", OPTIONAL_TEXT),
        Field::new("modalities", TEXTS),
        Field::new("audio", OBJECT),
        Field::new("prediction", OBJECT),
        Field::new("web_search_options", OBJECT),
        Field::new("prompt_cache_key", OPTIONAL_TEXT),
        Field::new("safety_identifier", OPTIONAL_TEXT),
        Field::new(
            "functions",
            Rule::new(Kinds::ARRAY, "an array of functions")
                .items(&FUNCTION_DEFINITION)
                .or_null(),
        ),
        Field::new("function_call", TEXT_OR_OBJECT),
    ],
    missing: |marks| first_missing(marks, &[("model", MODEL), ("messages", MESSAGES)]),
};

static FUNCTION_DEFINITION: Rule =
    Rule::new(Kinds::OBJECT, "an object with a `name`").members(&Members {
        fields: &[Field::marked("name", TEXT, NAME)],
        missing: |marks| first_missing(marks, &[("name", NAME)]),
    });

static MESSAGE: Rule =
    Rule::new(Kinds::OBJECT, "an object with a `role`").members(&MESSAGE_MEMBERS);

static MESSAGE_MEMBERS: Members = Members {
    fields: &[
        Field::marked(
            "role",
            role(
                ROLES,
                "one of `system`, `developer`, `user`, `assistant`, `tool` and `function`",
            ),
            ROLE,
        ),
        Field::marked("content", CONTENT_OR_PARTS.or_null(), CONTENT),
        Field::marked("name", OPTIONAL_TEXT, NAME),
        Field::marked("tool_call_id", OPTIONAL_TEXT, CALL_ID),
        Field::marked("tool_calls", ARRAY.items(&CALL), INSTEAD),
        Field::marked("function_call", OBJECT, INSTEAD),
        Field::marked("refusal", OPTIONAL_TEXT, INSTEAD),
        Field::marked("audio", OBJECT, INSTEAD),
        // Not in the reference, but sent back by clients of providers that answer with them.
        Field::marked("reasoning_content", ANYTHING, INSTEAD),
        Field::marked("reasoning", ANYTHING, INSTEAD),
        Field::marked("reasoning_details", ANYTHING, INSTEAD),
    ],
    missing: missing_of_message,
};

static CALL: Rule = Rule::new(Kinds::OBJECT, "an object");
const ANYTHING: Rule = Rule::new(Kinds::ANY, "anything");

fn missing_of_message(marks: Marks) -> Option<&'static str> {
    let content = if marks.any(ASSISTANT) {
        marks.any(CONTENT.with(INSTEAD))
    } else {
        marks.any(CONTENT.with(FUNCTION))
    };
    match () {
        () if !marks.any(ROLE) => Some("role"),
        () if !content => Some("content"),
        () if marks.any(TOOL) && !marks.any(CALL_ID) => Some("tool_call_id"),
        () if marks.any(FUNCTION) && !marks.any(NAME) => Some("name"),
        () => None,
    }
}
