//! What the public API references say, in the language of [`super::rules`]. Where a reference and
//! the SDKs disagree, the more generous reading stands here: the provider judges too.

use super::rules::{Check, Field, Kinds, Marks, Members, Rule, Word};

mod anthropic;
mod chat;
mod completions;
mod embeddings;
mod responses;

pub(super) use anthropic::MESSAGES;
pub(super) use chat::CHAT;
pub(super) use completions::COMPLETIONS;
pub(super) use embeddings::EMBEDDINGS;
pub(super) use responses::RESPONSES;

/// An object of which nothing is asked.
pub(super) static OTHER: Members = Members {
    fields: &[],
    missing: |_marks| None,
};

const MODEL: Marks = Marks::bit(0);
const ROLE: Marks = Marks::bit(1);
const CONTENT: Marks = Marks::bit(2);
const TYPE: Marks = Marks::bit(3);

const TEXT: Rule = Rule::new(Kinds::TEXT, "a string");
const FLAG: Rule = Rule::new(Kinds::FLAG, "true or false").or_null();
const OBJECT: Rule = Rule::new(Kinds::OBJECT, "an object").or_null();
const ARRAY: Rule = Rule::new(Kinds::ARRAY, "an array").or_null();
const TEXT_OR_OBJECT: Rule =
    Rule::new(Kinds::TEXT.or(Kinds::OBJECT), "a string or an object").or_null();
const OPTIONAL_TEXT: Rule = TEXT.or_null();
const TEXTS: Rule = Rule::new(Kinds::ARRAY, "an array of strings")
    .items(&TEXT)
    .or_null();
const STOP: Rule = Rule::new(
    Kinds::TEXT.or(Kinds::ARRAY),
    "a string or an array of strings",
)
.items(&TEXT)
.or_null();

const fn number(least: f64, most: f64, must: &'static str) -> Rule {
    Rule::new(Kinds::NUMBER, must)
        .check(Check::Between { least, most })
        .or_null()
}

const fn whole(least: i128, most: i128, must: &'static str) -> Rule {
    Rule::new(Kinds::NUMBER, must)
        .check(Check::Whole { least, most })
        .or_null()
}

/// The widest whole number that a budget can count with.
const COUNT: i128 = 18_446_744_073_709_551_615;
const FROM_0: Rule = whole(0, COUNT, "a whole number from 0");
const FROM_1: Rule = whole(1, COUNT, "a whole number from 1");
const SEED: Rule = whole(
    -9_223_372_036_854_775_808,
    COUNT,
    "a whole number that fits in 64 bits",
);

const MODEL_NAME: Field = Field::marked("model", TEXT.check(Check::Filled), MODEL);
const STREAM: Field = Field::new("stream", FLAG);
const STREAM_OPTIONS: Field = Field::new("stream_options", OBJECT);
const TEMPERATURE: Field = Field::new("temperature", number(0.0, 2.0, "a number from 0 to 2"));
const TOP_P: Field = Field::new("top_p", number(0.0, 1.0, "a number from 0 to 1"));
const PENALTY: Rule = number(-2.0, 2.0, "a number from -2 to 2");
const CHOICES: Field = Field::new("n", whole(1, 128, "a whole number from 1 to 128"));
const TOP_LOGPROBS: Field = Field::new("top_logprobs", whole(0, 20, "a whole number from 0 to 20"));
const USER: Field = Field::new("user", OPTIONAL_TEXT);
const METADATA: Field = Field::new("metadata", OBJECT);
const LOGIT_BIAS: Field = Field::new("logit_bias", OBJECT);
const SERVICE_TIER: Field = Field::new("service_tier", OPTIONAL_TEXT);

/// The turns of a conversation, of which there is at least one.
const fn turns(message: &'static Rule, mark: Marks) -> Field {
    let rule = Rule::new(Kinds::ARRAY, "an array of messages");
    Field::marked("messages", rule.check(Check::Filled).items(message), mark)
}

/// Who speaks in a message: one of these.
const fn role(roles: &'static [Word], must: &'static str) -> Rule {
    Rule::new(Kinds::TEXT, must).check(Check::OneOf(roles))
}

/// Content as a string or as parts, each an object that says its `type`.
const CONTENT_OR_PARTS: Rule = Rule::new(
    Kinds::TEXT.or(Kinds::ARRAY),
    "a string or an array of content parts",
)
.items(&PART);
static PART: Rule = Rule::new(Kinds::OBJECT, "an object with a `type`").members(&TYPED);

static TYPED: Members = Members {
    fields: &[Field::marked("type", TEXT, TYPE)],
    missing: |marks| (!marks.any(TYPE)).then_some("type"),
};

/// Tools as OpenAI has them: objects that say their `type`.
const TYPED_TOOLS: Rule = Rule::new(Kinds::ARRAY, "an array of tools")
    .items(&PART)
    .or_null();

/// A string, strings, tokens, or several lists of tokens.
const TEXTS_OR_TOKENS: Rule = Rule::new(
    Kinds::TEXT.or(Kinds::ARRAY),
    "a string, an array of strings or an array of tokens",
)
.items(&TEXT_OR_TOKENS);
static TEXT_OR_TOKENS: Rule = Rule::new(
    Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::ARRAY),
    "a string, a token or an array of tokens",
)
.check(Check::Token)
.items(&TOKEN);
static TOKEN: Rule =
    Rule::new(Kinds::NUMBER, "a token, which is a whole number from 0").check(Check::Token);

/// The first of `required` that is not there.
fn first_missing(marks: Marks, required: &[(&'static str, Marks)]) -> Option<&'static str> {
    required
        .iter()
        .find(|(_, mark)| !marks.any(*mark))
        .map(|(name, _)| *name)
}
