//! An answer against itself at other cuts, and with every event read as JSON: what the fuzz target
//! and its seeds run. Not called by the gateway.

use std::sync::OnceLock;
use std::time::Duration;

use super::{Answer, AnswerPolicy, Broken, By, Shape};
use crate::inspect::engine::{Hold, Inspector};
use crate::inspect::finding::Finding;
use crate::inspect::json::Limits;
use crate::policy::inspection::InspectionSettings;

/// Sizes of pieces.
const SIZES: [usize; 4] = [1, 2, 7, 64];

/// Two readings of the same bytes that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Another cut ended otherwise or found something else.
    #[error("pieces of {size} bytes gave another outcome than the whole")]
    Cut {
        /// The size of the pieces.
        size: usize,
    },
    /// An event that was taken for the same as the one before reads otherwise.
    #[error("the events read one by one gave another answer")]
    Again,
    /// An answer that is refused left something of a plain answer.
    #[error("a refused plain answer left bytes")]
    Leak,
    /// The inspector can't be made.
    #[error("no inspector")]
    Setup,
}

/// Reads `data` as an answer of every shape, whole and in pieces.
pub fn cross_check(data: &[u8]) -> Result<(), Disagreement> {
    static INSPECTOR: OnceLock<Option<Inspector>> = OnceLock::new();
    let made = INSPECTOR.get_or_init(|| {
        let mut settings = InspectionSettings::response();
        settings.canaries = vec!["the-canary-string".to_owned()];
        Inspector::compile(&settings).ok()
    });
    let inspector = made.as_ref().ok_or(Disagreement::Setup)?;
    let answers: [fn() -> Answer; 5] = [
        || Answer::plain(Shape::Chat),
        Answer::fault,
        || Answer::stream(Shape::Chat),
        || Answer::stream(Shape::Responses),
        || Answer::stream(Shape::Messages),
    ];
    for make in answers {
        let (outcome, findings, out) = read(make(), inspector, data, data.len().max(1));
        if outcome.is_err() && !make().is_stream() && !out.is_empty() {
            return Err(Disagreement::Leak);
        }
        let each = read(make().reading_each(), inspector, data, data.len().max(1));
        if each != (outcome, findings.clone(), out) {
            return Err(Disagreement::Again);
        }
        for size in SIZES {
            let (cut_outcome, cut_findings, _) = read(make(), inspector, data, size);
            if cut_outcome != outcome || cut_findings != findings {
                return Err(Disagreement::Cut { size });
            }
        }
    }
    Ok(())
}

fn read(
    mut answer: Answer,
    inspector: &Inspector,
    data: &[u8],
    size: usize,
) -> (Result<(), Broken>, Vec<Finding>, Vec<u8>) {
    let policy = AnswerPolicy {
        strip: ["token", "password"].map(Box::from).into(),
        hold_calls: true,
        hold: Hold {
            time: Duration::from_secs(2),
            bytes: 512,
            chars: Some(50_000),
        },
        limits: Limits::default(),
    };
    let by = By {
        inspector,
        policy: &policy,
        now: Duration::ZERO,
    };
    let mut out = Vec::new();
    let mut outcome = Ok(());
    for piece in data.chunks(size) {
        outcome = outcome.and_then(|()| answer.push(by, piece, &mut out));
    }
    let outcome = outcome.and_then(|()| answer.finish(by, &mut out));
    (outcome, answer.report(inspector).findings, out)
}

#[cfg(test)]
mod tests {
    use super::cross_check;

    #[test]
    fn recorded_streams_and_fuzz_seeds_read_the_same_in_pieces() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for folder in ["tests/fixtures/answers", "fuzz/seeds/answer"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                assert_eq!(cross_check(&bytes), Ok(()), "{}", path.display());
                count += 1;
            }
        }
        assert!(count >= 10, "they were found");
    }
}
