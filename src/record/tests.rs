use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Kept {
    open: AtomicI64,
    facts: Mutex<Vec<Facts>>,
}

impl Recorder for Kept {
    fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self, facts: &Facts) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.facts.lock().unwrap().push(facts.clone());
    }
}

fn facts() -> Facts {
    Facts::new("req-1", Method::POST, b"/v1/chat/completions?x=1", "0011")
}

fn outcomes(use_it: impl FnOnce(Record)) -> Vec<Outcome> {
    let kept = Arc::new(Kept::default());
    let recorder: Arc<dyn Recorder> = Arc::<Kept>::clone(&kept);
    let record = Record::open(recorder, facts());
    let _ = catch_unwind(AssertUnwindSafe(|| use_it(record)));
    assert_eq!(
        kept.open.load(Ordering::Relaxed),
        0,
        "what was opened must be closed"
    );
    kept.facts
        .lock()
        .unwrap()
        .iter()
        .map(|f| f.outcome)
        .collect()
}

#[test]
fn a_record_is_delivered_once_whatever_becomes_of_the_request() {
    let times = Times::default();
    assert_eq!(
        outcomes(|record| record.finish(Outcome::Completed, times)),
        [Outcome::Completed],
        "a finished record"
    );
    assert_eq!(outcomes(drop), [Outcome::Abandoned], "a dropped record");
    assert_eq!(
        outcomes(|_record| panic!("a bug in some hook")),
        [Outcome::Abandoned],
        "a panic half-way"
    );
    assert_eq!(
        outcomes(|mut record| {
            record.settle(Outcome::Completed, times);
            record.settle(Outcome::ClientGone, times);
        }),
        [Outcome::ClientGone],
        "what is said last counts, and is said once"
    );
}

#[test]
fn a_refusal_is_the_outcome_of_an_answer_sent_in_full() {
    let refused = |denial: Denial, outcome| {
        outcomes(|mut record| {
            record.refused(&denial);
            record.finish(outcome, Times::default());
        })
    };
    assert_eq!(
        refused(Denial::MissingApiKey, Outcome::Completed),
        [Outcome::Denied],
        "the refusal was delivered"
    );
    assert_eq!(
        refused(Denial::UpstreamTimeout, Outcome::Completed),
        [Outcome::UpstreamFailed],
        "the provider's fault, not a verdict on the request"
    );
    assert_eq!(
        refused(Denial::MissingApiKey, Outcome::ClientGone),
        [Outcome::ClientGone],
        "the client did not wait for the refusal"
    );
}

#[test]
fn the_query_is_not_kept_and_the_path_is_cut() {
    assert_eq!(
        LoggedPath::new(b"/v1/models?api_key=sk-secret").as_bytes(),
        b"/v1/models",
        "a query may hold secrets"
    );
    for (length, kept) in [(256, 256), (257, 256)] {
        assert_eq!(
            LoggedPath::new(&vec![b'a'; length]).as_bytes().len(),
            kept,
            "a path of {length} bytes"
        );
    }
}

#[test]
fn the_endpoint_is_that_of_the_whole_path() {
    assert_eq!(facts().endpoint, Endpoint::ChatCompletions, "no query");
    let long = format!("/v1/files/{}/../x", "a".repeat(300));
    assert_eq!(
        Facts::new("r", Method::GET, long.as_bytes(), "").endpoint,
        Endpoint::Other,
        "what is cut off for the log counts for the endpoint"
    );
}

proptest! {
    #[test]
    fn any_order_of_events_leaves_one_record(steps in proptest::collection::vec(0_u8..4, 0..8)) {
        let seen = outcomes(|mut record| {
            for step in steps {
                match step {
                    0 => record.refused(&Denial::NotFound),
                    1 => record.settle(Outcome::Cut, Times::default()),
                    2 => record.attempts = 1,
                    _ => return record.finish(Outcome::Completed, Times::default()),
                }
            }
        });
        prop_assert_eq!(seen.len(), 1);
    }
}
