//! Events that are the same but for their gaps, against the same events read one by one.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Answer, Body, By, Shape};
use super::{inspector, policy, usual};

/// An event with this piece, number and name, as the API that is asked for has it.
fn event(shape: usize, piece: &str, number: u64, name: &str) -> (Option<&'static str>, Value) {
    let nothing = Value::Null;
    match shape {
        0 => (
            None,
            json!({"id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m",
                "system_fingerprint": name, "choices": [{"index": 0, "delta": {"content": piece},
                "logprobs": nothing, "finish_reason": nothing}]}),
        ),
        1 => (
            Some("response.output_text.delta"),
            json!({"type": "response.output_text.delta", "sequence_number": number,
                "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": piece,
                "logprobs": [], "obfuscation": name}),
        ),
        _ => (
            Some("content_block_delta"),
            json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": piece}, "signature": name}),
        ),
    }
}

fn written((kind, event): &(Option<&str>, Value)) -> String {
    let kind = kind.map_or(String::new(), |kind| format!("event: {kind}\n"));
    format!("{kind}data: {event}\n\n")
}

/// Pieces, plain and not.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "( [a-z]{1,6}|[a-z]{0,3}[.,!] )",
        2 => prop::sample::select(vec![
            " alice@ex", "ample.com", "\n\n", " \"so\"", "\t\\", "/", " caf\u{e9}", "\u{1f600}", "",
            "\u{1}", " 4111 1111 ", "1111 1111", "\u{7f}", "\u{0}",
        ]).prop_map(str::to_owned),
    ]
}

/// Names, and what is none.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z0-9_-]{1,12}",
        1 => prop::sample::select(vec!["", "a b", "bob@example.com", "x\"y", "\n"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn events_that_repeat_read_as_if_each_were_read(
        which in 0..3_usize,
        pieces in prop::collection::vec((piece(), 0..9_u64, name(), any::<bool>()), 1..20),
        breaks in prop::collection::vec((any::<prop::sample::Index>(), 0..128_u8), 0..2),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        whole in any::<bool>(),
    ) {
        let shape = [Shape::Chat, Shape::Responses, Shape::Messages][which];
        let mut number = 0_u64;
        let (mut stream, mut ends) = (Vec::new(), Vec::new());
        for (piece, step, name, alone) in &pieces {
            number = number.saturating_add(*step).saturating_mul(if *alone { 1 } else { 3 });
            stream.extend_from_slice(written(&event(which, piece, number, name)).as_bytes());
            if whole {
                ends.push(stream.len());
            }
        }
        for (at, byte) in &breaks {
            let at = at.index(stream.len());
            stream[at] = *byte;
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len().saturating_add(1))).collect();
        if whole {
            // Nearly all events come alone, and whole.
            places.truncate(2);
        }
        places.extend(ends.into_iter().chain([0, stream.len()]));
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|w| &stream[w[0]..w[1]]).collect();
        let quick = usual(Answer::stream(shape), &pieces);
        let each = usual(Answer::stream(shape).reading_each(), &pieces);
        prop_assert_eq!(&quick.out, &each.out);
        prop_assert_eq!(quick.outcome, each.outcome);
        prop_assert_eq!(&quick.findings, &each.findings);
        prop_assert_eq!(quick.answer.next_number(), each.answer.next_number());
    }
}

#[test]
fn a_stream_takes_little_however_long_it_is() {
    let (mut answer, policy) = (Answer::stream(Shape::Responses), policy());
    let inspector = inspector(|_| {});
    let by = By {
        inspector: &inspector,
        policy: &policy,
        now: Duration::ZERO,
    };
    let (mut out, mut most) = (Vec::new(), 0);
    for number in 0..3_000 {
        let event = written(&event(1, " token", number, "k3"));
        answer.push(by, event.as_bytes(), &mut out).unwrap();
        out.clear();
        most = most.max(answer.state_bytes());
    }
    assert!(most <= 8 * 1024, "{most} bytes");
}

#[test]
fn events_that_repeat_are_taken_for_the_same() {
    let words = [
        "Hello",
        " there,",
        " \\",
        "\n",
        " you",
        " \"are\"",
        "",
        " caf\u{e9}.",
    ];
    for (which, shape) in [Shape::Chat, Shape::Responses, Shape::Messages]
        .into_iter()
        .enumerate()
    {
        let mut events = words.iter().zip(1..).map(|(word, number)| {
            let name = format!("fp_{number}");
            written(&event(which, word, number, &name))
        });
        let first = events.next().unwrap();
        let heard = usual(Answer::stream(shape), &[first.as_bytes()]);
        let Body::Stream(stream) = &heard.answer.body else {
            panic!("a stream");
        };
        let again = stream.talk.again.as_ref().unwrap();
        for event in events {
            assert!(again.same(event.as_bytes()).is_some(), "{event}");
        }
    }
}
