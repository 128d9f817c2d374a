//! `POST /v1/embeddings`.

use super::{
    Check, FROM_1, Field, Kinds, MODEL, MODEL_NAME, Marks, Members, Rule, TEXTS_OR_TOKENS, USER,
    first_missing,
};

const INPUT: Marks = Marks::bit(4);

/// The body of an embedding request.
pub(in super::super) static EMBEDDINGS: Members = Members {
    fields: &[
        MODEL_NAME,
        Field::marked("input", TEXTS_OR_TOKENS.check(Check::Filled), INPUT),
        Field::new(
            "encoding_format",
            Rule::new(Kinds::TEXT, "`float` or `base64`")
                .check(Check::OneOf(&[
                    ("float", Marks::NONE),
                    ("base64", Marks::NONE),
                ]))
                .or_null(),
        ),
        Field::new("dimensions", FROM_1),
        USER,
    ],
    missing: |marks| first_missing(marks, &[("model", MODEL), ("input", INPUT)]),
};
