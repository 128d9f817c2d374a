//! `POST /v1/completions`.

use super::{
    CHOICES, FLAG, FROM_0, Field, LOGIT_BIAS, MODEL, MODEL_NAME, Members, OPTIONAL_TEXT, PENALTY,
    SEED, STOP, STREAM, STREAM_OPTIONS, TEMPERATURE, TEXTS_OR_TOKENS, TOP_P, USER, first_missing,
    whole,
};

/// The body of a completion request. Without a `prompt` the model begins a new document.
pub(in super::super) static COMPLETIONS: Members = Members {
    fields: &[
        MODEL_NAME,
        Field::new("prompt", TEXTS_OR_TOKENS.or_null()),
        STREAM,
        STREAM_OPTIONS,
        TEMPERATURE,
        // None asks for the probabilities of the prompt alone.
        Field::new("max_tokens", FROM_0),
        TOP_P,
        CHOICES,
        Field::new("best_of", whole(0, 20, "a whole number from 0 to 20")),
        Field::new("logprobs", whole(0, 5, "a whole number from 0 to 5")),
        Field::new("stop", STOP),
        Field::new("presence_penalty", PENALTY),
        Field::new("frequency_penalty", PENALTY),
        Field::new("seed", SEED),
        LOGIT_BIAS,
        USER,
        Field::new("suffix", OPTIONAL_TEXT),
        Field::new("echo", FLAG),
    ],
    missing: |marks| first_missing(marks, &[("model", MODEL)]),
};
