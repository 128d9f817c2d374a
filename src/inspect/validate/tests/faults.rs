//! Each field, and the words in which it is blamed.

use super::super::Shape;
use super::verdict;

/// A shape, the smallest body that it takes, and faults: what is put in place of the last brace,
/// and the message.
type Table = (Shape, &'static str, &'static [(&'static str, &'static str)]);

const CHAT: Table = (
    Shape::Chat,
    r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#,
    &[
        (
            r#""temperature":2.01"#,
            "`temperature` must be a number from 0 to 2",
        ),
        (
            r#""temperature":-1e-9"#,
            "`temperature` must be a number from 0 to 2",
        ),
        (
            r#""temperature":1e400"#,
            "`temperature` must be a number from 0 to 2",
        ),
        (
            r#""temperature":"1""#,
            "`temperature` must be a number from 0 to 2",
        ),
        (
            r#""temperature":[1]"#,
            "`temperature` must be a number from 0 to 2",
        ),
        (
            r#""temperature":true"#,
            "`temperature` must be a number from 0 to 2",
        ),
        (r#""top_p":1.5"#, "`top_p` must be a number from 0 to 1"),
        (
            r#""presence_penalty":-2.5"#,
            "`presence_penalty` must be a number from -2 to 2",
        ),
        (
            r#""frequency_penalty":3"#,
            "`frequency_penalty` must be a number from -2 to 2",
        ),
        (r#""n":0"#, "`n` must be a whole number from 1 to 128"),
        (r#""n":129"#, "`n` must be a whole number from 1 to 128"),
        (r#""n":1.0"#, "`n` must be a whole number from 1 to 128"),
        (r#""n":1e1"#, "`n` must be a whole number from 1 to 128"),
        (
            r#""max_tokens":0"#,
            "`max_tokens` must be a whole number from 1",
        ),
        (
            r#""max_tokens":-5"#,
            "`max_tokens` must be a whole number from 1",
        ),
        (
            r#""max_tokens":18446744073709551616"#,
            "`max_tokens` must be a whole number from 1",
        ),
        (
            r#""max_completion_tokens":"9""#,
            "`max_completion_tokens` must be a whole number from 1",
        ),
        (
            r#""seed":0.5"#,
            "`seed` must be a whole number that fits in 64 bits",
        ),
        (
            r#""top_logprobs":21"#,
            "`top_logprobs` must be a whole number from 0 to 20",
        ),
        (r#""logprobs":1"#, "`logprobs` must be true or false"),
        (r#""stream":"true""#, "`stream` must be true or false"),
        (
            r#""stream_options":true"#,
            "`stream_options` must be an object",
        ),
        (
            r#""stop":5"#,
            "`stop` must be a string or an array of strings",
        ),
        (r#""stop":["a",5]"#, "`stop[1]` must be a string"),
        (r#""stop":[["a"]]"#, "`stop[0]` must be a string"),
        (r#""user":7"#, "`user` must be a string"),
        (r#""metadata":[]"#, "`metadata` must be an object"),
        (r#""logit_bias":"x""#, "`logit_bias` must be an object"),
        (
            r#""response_format":"json""#,
            "`response_format` must be an object",
        ),
        (r#""tools":{}"#, "`tools` must be an array of tools"),
        (
            r#""tools":["x"]"#,
            "`tools[0]` must be an object with a `type`",
        ),
        (
            r#""tools":[{"type":"function"},{"function":{"type":"x"}}]"#,
            "`tools[1].type` is required",
        ),
        (
            r#""tools":[{"type":5}]"#,
            "`tools[0].type` must be a string",
        ),
        (
            r#""tool_choice":1"#,
            "`tool_choice` must be a string or an object",
        ),
        (
            r#""modalities":"text""#,
            "`modalities` must be an array of strings",
        ),
        (r#""functions":[{}]"#, "`functions[0].name` is required"),
    ],
);

const COMPLETIONS: Table = (
    Shape::Completions,
    r#"{"model":"m"}"#,
    &[
        (
            r#""prompt":{}"#,
            "`prompt` must be a string, an array of strings or an array of tokens",
        ),
        (
            r#""prompt":["a",true]"#,
            "`prompt[1]` must be a string, a token or an array of tokens",
        ),
        (
            r#""prompt":[1,-2]"#,
            "`prompt[1]` must be a string, a token or an array of tokens",
        ),
        (
            r#""prompt":[[1],[2,0.5]]"#,
            "`prompt[1][1]` must be a token, which is a whole number from 0",
        ),
        (
            r#""prompt":[[1],["a"]]"#,
            "`prompt[1][0]` must be a token, which is a whole number from 0",
        ),
        (
            r#""logprobs":true"#,
            "`logprobs` must be a whole number from 0 to 5",
        ),
        (
            r#""logprobs":6"#,
            "`logprobs` must be a whole number from 0 to 5",
        ),
        (
            r#""best_of":21"#,
            "`best_of` must be a whole number from 0 to 20",
        ),
        (
            r#""max_tokens":-1"#,
            "`max_tokens` must be a whole number from 0",
        ),
        (r#""echo":"no""#, "`echo` must be true or false"),
        (r#""suffix":1"#, "`suffix` must be a string"),
    ],
);

const RESPONSES: Table = (
    Shape::Responses,
    r#"{"model":"m","prompt":{"id":"p"}}"#,
    &[
        (
            r#""input":5"#,
            "`input` must be a string or an array of input items",
        ),
        (
            r#""input":["x"]"#,
            "`input[0]` must be an object with a `role` or a `type`",
        ),
        (r#""input":[{}]"#, "`input[0].type` is required"),
        (r#""input":[{"type":null}]"#, "`input[0].type` is required"),
        (
            r#""input":[{"role":"tool","content":"x"}]"#,
            "`input[0].role` must be one of `user`, `assistant`, `system` and `developer`",
        ),
        (
            r#""input":[{"role":"user"}]"#,
            "`input[0].content` is required",
        ),
        (
            r#""input":[{"content":"x","type":"message"}]"#,
            "`input[0].role` is required",
        ),
        (
            r#""input":[{"role":"user","content":["x"]}]"#,
            "`input[0].content[0]` must be an object with a `type`",
        ),
        (
            r#""input":[{"role":"user","content":[{"text":"x"}]}]"#,
            "`input[0].content[0].type` is required",
        ),
        (r#""instructions":["x"]"#, "`instructions` must be a string"),
        (
            r#""max_output_tokens":0"#,
            "`max_output_tokens` must be a whole number from 1",
        ),
        (
            r#""temperature":3"#,
            "`temperature` must be a number from 0 to 2",
        ),
        (
            r#""previous_response_id":5"#,
            "`previous_response_id` must be a string",
        ),
        (
            r#""conversation":5"#,
            "`conversation` must be a string or an object",
        ),
        (r#""reasoning":"high""#, "`reasoning` must be an object"),
        (r#""include":[5]"#, "`include[0]` must be a string"),
        (r#""background":1"#, "`background` must be true or false"),
    ],
);

const EMBEDDINGS: Table = (
    Shape::Embeddings,
    r#"{"model":"m","input":"x"}"#,
    &[
        (
            r#""encoding_format":"hex""#,
            "`encoding_format` must be `float` or `base64`",
        ),
        (
            r#""encoding_format":"floats""#,
            "`encoding_format` must be `float` or `base64`",
        ),
        (
            r#""encoding_format":"a very long word indeed""#,
            "`encoding_format` must be `float` or `base64`",
        ),
        (
            r#""encoding_format":"""#,
            "`encoding_format` must be `float` or `base64`",
        ),
        (
            r#""encoding_format":5"#,
            "`encoding_format` must be `float` or `base64`",
        ),
        (
            r#""dimensions":0"#,
            "`dimensions` must be a whole number from 1",
        ),
        (r#""user":{}"#, "`user` must be a string"),
    ],
);

const MESSAGES: Table = (
    Shape::Messages,
    r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]}"#,
    &[
        (
            r#""temperature":1.1"#,
            "`temperature` must be a number from 0 to 1",
        ),
        (r#""top_p":-0.1"#, "`top_p` must be a number from 0 to 1"),
        (r#""top_k":-1"#, "`top_k` must be a whole number from 0"),
        (
            r#""system":{}"#,
            "`system` must be a string or an array of content parts",
        ),
        (r#""system":[{"text":"x"}]"#, "`system[0].type` is required"),
        (
            r#""stop_sequences":"END""#,
            "`stop_sequences` must be an array of strings",
        ),
        (
            r#""stop_sequences":[1]"#,
            "`stop_sequences[0]` must be a string",
        ),
        (r#""tools":[5]"#, "`tools[0]` must be an object"),
        (r#""tool_choice":"auto""#, "`tool_choice` must be an object"),
        (r#""thinking":true"#, "`thinking` must be an object"),
        (r#""stream":1"#, "`stream` must be true or false"),
    ],
);

#[test]
fn each_field_is_blamed_in_plain_words() {
    for (shape, least, faults) in [CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS, MESSAGES] {
        assert_eq!(verdict(shape, least), Ok(()), "{least}");
        let open = least.strip_suffix('}').expect("an object");
        for (more, message) in faults {
            let body = format!("{open},{more}}}");
            let told = verdict(shape, &body).map_err(|fault| fault.to_string());
            assert_eq!(told, Err((*message).to_owned()), "{body}");
        }
    }
}
