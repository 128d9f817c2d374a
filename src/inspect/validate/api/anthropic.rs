//! `POST /v1/messages`, as Anthropic has it.

use super::{
    ARRAY, CONTENT, CONTENT_OR_PARTS, FROM_0, Field, Kinds, METADATA, MODEL, MODEL_NAME, Marks,
    Members, OBJECT, ROLE, Rule, SERVICE_TIER, STREAM, TEXT_OR_OBJECT, TEXTS, TOP_P, Word,
    first_missing, number, role, turns,
};

const TURNS: Marks = Marks::bit(4);
const MAX_TOKENS: Marks = Marks::bit(5);

const ROLES: &[Word] = &[
    ("user", Marks::NONE),
    ("assistant", Marks::NONE),
    ("system", Marks::NONE),
];

/// The body of a messages request.
pub(in super::super) static MESSAGES: Members = Members {
    fields: &[
        MODEL_NAME,
        turns(&MESSAGE, TURNS),
        // None fills the prompt cache and asks for no answer.
        Field::marked("max_tokens", FROM_0, MAX_TOKENS),
        Field::new("system", CONTENT_OR_PARTS.or_null()),
        STREAM,
        Field::new("temperature", number(0.0, 1.0, "a number from 0 to 1")),
        TOP_P,
        Field::new("top_k", FROM_0),
        Field::new("stop_sequences", TEXTS),
        Field::new(
            "tools",
            Rule::new(Kinds::ARRAY, "an array of tools")
                .items(&TOOL)
                .or_null(),
        ),
        Field::new("tool_choice", OBJECT),
        Field::new("thinking", OBJECT),
        METADATA,
        SERVICE_TIER,
        Field::new("container", TEXT_OR_OBJECT),
        Field::new("mcp_servers", ARRAY),
        Field::new("context_management", OBJECT),
        Field::new("output_config", OBJECT),
        Field::new("output_format", OBJECT),
        Field::new("cache_control", OBJECT),
    ],
    missing: |marks| {
        first_missing(
            marks,
            &[
                ("model", MODEL),
                ("max_tokens", MAX_TOKENS),
                ("messages", TURNS),
            ],
        )
    },
};

static TOOL: Rule = Rule::new(Kinds::OBJECT, "an object");

static MESSAGE: Rule = Rule::new(Kinds::OBJECT, "an object with a `role`").members(&Members {
    fields: &[
        Field::marked(
            "role",
            role(ROLES, "one of `user`, `assistant` and `system`"),
            ROLE,
        ),
        Field::marked("content", CONTENT_OR_PARTS, CONTENT),
    ],
    missing: |marks| first_missing(marks, &[("role", ROLE), ("content", CONTENT)]),
});
