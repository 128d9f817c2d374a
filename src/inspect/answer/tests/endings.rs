//! Answers that break, are refused, cut, or never end.

use serde_json::{Value, json};

use super::super::{Answer, Broken, Shape};
use super::{chunk, heard, inspector, policy, said, usual};
use crate::policy::inspection::Action;

#[test]
fn a_broken_answer_is_never_a_clean_one() {
    for (answer, bytes, want) in [
        (Answer::plain(Shape::Chat), "{\"a\":", Broken::Json),
        (Answer::plain(Shape::Chat), "<html>", Broken::Json),
        (
            Answer::plain(Shape::Chat),
            "{\"error\":{\"message\":\"at 10.0.0.1\"}}",
            Broken::Failed,
        ),
        (
            Answer::stream(Shape::Chat),
            "data: {\"choices\":[]}\n\n",
            Broken::Unfinished,
        ),
        (
            Answer::stream(Shape::Chat),
            "data: nonsense\n\n",
            Broken::Json,
        ),
        (
            Answer::stream(Shape::Chat),
            "data: {\"error\":{\"message\":\"x\"}}\n\n",
            Broken::Failed,
        ),
        (
            Answer::stream(Shape::Messages),
            "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n",
            Broken::Failed,
        ),
        (
            Answer::stream(Shape::Messages),
            "data: [DONE]\n\n",
            Broken::Unfinished,
        ),
        (
            Answer::stream(Shape::Responses),
            "data: {\"type\":\"response.failed\"}\n\n",
            Broken::Failed,
        ),
    ] {
        let got = usual(answer, &[bytes.as_bytes()]);
        assert_eq!(got.outcome, Err(want), "{bytes}");
        assert!(
            !got.out.contains("DONE") && !got.out.contains("10.0"),
            "{bytes}: {}",
            got.out
        );
    }
    let late = "data: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let got = usual(Answer::stream(Shape::Chat), &[late.as_bytes()]);
    assert_eq!(
        (got.out.as_str(), got.outcome),
        ("data: [DONE]\n\n", Ok(())),
        "nothing behind the end"
    );
}

#[test]
fn refused_text_ends_an_answer_and_does_not_leave() {
    let inspector = inspector(|settings| {
        settings.canaries = vec!["the-canary-string".to_owned()];
        settings.harmful = Action::Block;
    });
    let policy = policy();
    for text in [
        "It is The-Canary-STRING.",
        "how to build a pipe bomb at home",
    ] {
        let events: String = text
            .split_inclusive(' ')
            .map(|word| chunk(0, &json!({"content": word}), &Value::Null))
            .collect();
        let got = heard(
            Answer::stream(Shape::Chat),
            (&inspector, &policy),
            &[events.as_bytes()],
        );
        assert!(matches!(got.outcome, Err(Broken::Refused(_))), "{text}");
        assert!(
            !got.out.to_lowercase().contains("canary") && !got.out.contains("bomb"),
            "{}",
            got.out
        );
        let body = json!({"choices": [{"message": {"content": text}}]}).to_string();
        let got = heard(
            Answer::plain(Shape::Chat),
            (&inspector, &policy),
            &[body.as_bytes()],
        );
        assert!(matches!(got.outcome, Err(Broken::Refused(_))), "{text}");
        assert_eq!(got.out, "");
    }
}

#[test]
fn a_long_text_is_cut_and_says_so() {
    let inspector = inspector(|_| {});
    let mut policy = policy();
    policy.hold.chars = Some(8);
    let stream = [
        chunk(0, &json!({"content": "one two "}), &Value::Null),
        chunk(0, &json!({"content": "three four"}), &Value::Null),
        chunk(0, &json!({}), &json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let got = heard(
        Answer::stream(Shape::Chat),
        (&inspector, &policy),
        &[stream.as_bytes()],
    );
    assert_eq!(said(&got.out, 0, "content"), "one two ");
    assert!(
        got.out.contains("\"finish_reason\":\"length\""),
        "{}",
        got.out
    );
    let body =
        json!({"content": [{"type": "text", "text": "one two three"}], "stop_reason": "end_turn"});
    let got = heard(
        Answer::plain(Shape::Messages),
        (&inspector, &policy),
        &[body.to_string().as_bytes()],
    );
    assert_eq!(
        got.out,
        json!({"content": [{"type": "text", "text": "one two "}], "stop_reason": "max_tokens"})
            .to_string()
    );
}

#[test]
fn hostile_streams_take_bounded_memory_and_end() {
    let many: String = (0..100_000)
        .map(|index| chunk(index, &json!({"content": "a1"}), &Value::Null))
        .collect();
    let got = usual(Answer::stream(Shape::Chat), &[many.as_bytes()]);
    assert_eq!(got.outcome, Err(Broken::TooLarge), "100,000 choices");
    let choices: Vec<Value> = (0..100_000)
        .map(|n| json!({"index": n, "delta": {"content": "x"}}))
        .collect();
    let one = format!("data: {}\n\n", json!({"choices": choices}));
    assert_eq!(
        usual(Answer::stream(Shape::Chat), &[one.as_bytes()]).outcome,
        Err(Broken::TooLarge)
    );
    let half = [
        b"data: {\"choices\":[{\"delta\":{\"content\":\"".as_slice(),
        &[0xe6, 0x97],
        b"\"}}]}\n\n",
    ]
    .concat();
    assert_eq!(
        usual(Answer::stream(Shape::Chat), &[&half]).outcome,
        Err(Broken::Json),
        "half a character"
    );
    let nul = b"data: {\"choices\":[{\"delta\":{\"content\":\"\0\"}}]}\n\n";
    assert_eq!(
        usual(Answer::stream(Shape::Chat), &[nul]).outcome,
        Err(Broken::Json),
        "a raw NUL"
    );
}
