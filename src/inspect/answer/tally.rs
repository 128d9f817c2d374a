//! A plain answer that nothing is looked for in: that it is JSON, and what it says was used.
//!
//! Decides whether an answer says that it is an error. The same as `walk` does of them, and no
//! more: no text is kept.

use std::ops::Range;

use super::words::Word;
use super::{Broken, By, Used};
use crate::inspect::json::{Decoded, Limits, Literal, Reader, Sink};

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
struct Level {
    usage: bool,
    /// The key whose value comes; that of an array, for all that is in it.
    key: Word,
    array: bool,
}

/// What is heard of an answer.
#[derive(Debug, Default)]
struct Tally {
    levels: Vec<Level>,
    /// Under this depth nothing counts: probabilities of words.
    muted: Option<usize>,
    used: Used,
    error: bool,
}

/// Whether it hears this answer: one that passes as it is, whatever it says.
pub(super) fn hears(by: By<'_>, data: &[u8]) -> bool {
    let longest = by.policy.hold.chars;
    let fits = |most| u64::try_from(data.len()).is_ok_and(|bytes| bytes <= most);
    by.inspector.is_idle() && by.policy.strip.is_empty() && longest.is_none_or(fits)
}

/// Reads an answer to its end, and passes it on.
///
/// # Errors
/// It is not JSON, or says that it is an error.
pub(super) fn read(
    data: Vec<u8>,
    by: By<'_>,
    used: &mut Used,
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    let mut tally = Tally::default();
    // What is not looked at can't be read in two ways.
    let mut reader = Reader::new(Limits {
        repeats: true,
        ..by.policy.limits
    });
    reader.push(&data, &mut tally)?;
    reader.finish(&mut tally)?;
    if tally.error {
        return Err(Broken::Failed);
    }
    used.prompt = tally.used.prompt.or(used.prompt);
    used.completion = tally.used.completion.or(used.completion);
    // Most often nothing has left before it.
    if out.is_empty() {
        *out = data;
    } else {
        out.extend_from_slice(&data);
    }
    Ok(())
}

impl Tally {
    fn current(&self) -> Word {
        self.levels.last().map_or(Word::Other, |level| level.key)
    }

    /// A value under `error` at the top; `null` is none.
    fn value_begins(&mut self) {
        self.error |=
            self.muted.is_none() && self.levels.len() == 1 && self.current() == Word::Error;
    }

    fn open(&mut self, array: bool) {
        let key = self.current();
        if self.muted.is_none() && key == Word::Logprobs {
            self.muted = Some(self.levels.len());
        }
        self.value_begins();
        self.levels.push(Level {
            usage: key == Word::Usage,
            key: if array { key } else { Word::Other },
            array,
        });
    }

    fn close(&mut self) {
        self.levels.pop();
        self.value_ends();
    }

    fn value_ends(&mut self) {
        if self.muted == Some(self.levels.len()) {
            self.muted = None;
        }
        if let Some(level) = self.levels.last_mut().filter(|level| !level.array) {
            level.key = Word::Other;
        }
    }
}

impl Sink for Tally {
    fn begin_object(&mut self, _at: u64) {
        self.open(false);
    }

    fn end_object(&mut self, _at: u64) {
        self.close();
    }

    fn begin_array(&mut self, _at: u64) {
        self.open(true);
    }

    fn end_array(&mut self, _at: u64) {
        self.close();
    }

    fn key(&mut self, _raw: Range<u64>, key: &str) {
        if let Some(level) = self.levels.last_mut() {
            level.key = Word::named(key);
        }
    }

    fn string_decoded(&mut self, _decoded: Decoded<'_>) {}

    fn string_end(&mut self, _end: u64) {
        self.value_begins();
        self.value_ends();
    }

    fn number(&mut self, _at: u64, number: &str) {
        let usage = self.levels.last().is_some_and(|level| level.usage);
        match (usage && self.muted.is_none(), self.current()) {
            (true, Word::Prompted) => self.used.prompt = number.parse().ok(),
            (true, Word::Completed) => self.used.completion = number.parse().ok(),
            _ => {}
        }
        self.value_ends();
    }

    fn literal(&mut self, _at: u64, literal: Literal) {
        if literal != Literal::Null {
            self.value_begins();
        }
        self.value_ends();
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk::{Walk, Walker};
    use super::*;
    use crate::inspect::json::Limits;

    /// What the walk hears of an answer.
    fn walked(data: &[u8]) -> (Used, bool) {
        let mut walk = Walk::default();
        let mut walker = Walker {
            walk: &mut walk,
            strip: &[],
        };
        let mut reader = Reader::new(Limits::default());
        reader.push(data, &mut walker).expect("JSON");
        reader.finish(&mut walker).expect("whole");
        let (prompt, completion) = (walk.prompted, walk.completed);
        (Used { prompt, completion }, walk.error)
    }

    #[test]
    fn it_hears_what_the_walk_hears() {
        for data in [
            r#"{"usage":{"prompt_tokens":3,"completion_tokens":5}}"#,
            r#"{"usage":{"input_tokens":3,"output_tokens":5}}"#,
            r#"{"usage":{"prompt_tokens":3,"prompt_tokens_details":{"prompt_tokens":9}}}"#,
            r#"{"usage":[{"prompt_tokens":3}],"prompt_tokens":4}"#,
            r#"{"usage":{"prompt_tokens":"3","completion_tokens":1e2}}"#,
            r#"{"response":{"usage":{"input_tokens":1}},"usage":null}"#,
            r#"{"choices":[{"logprobs":{"usage":{"prompt_tokens":7},"error":1}}],"error":null}"#,
            r#"{"logprobs":{"error":{}},"usage":{"completion_tokens":2}}"#,
            r#"{"logprobs":[[{"usage":{"prompt_tokens":7}}]],"usage":{"prompt_tokens":8}}"#,
            r#"{"logprobs":null,"error":{"message":"x"}}"#,
            r#"{"error":""}"#,
            r#"{"error":[]}"#,
            r#"{"error":true}"#,
            r#"{"error":7}"#,
            r#"{"a":{"error":{}}}"#,
            r#"[{"error":{}},{"usage":{"prompt_tokens":1}}]"#,
            r#""error""#,
            "7",
        ] {
            let mut tally = Tally::default();
            let mut reader = Reader::new(Limits::default());
            reader.push(data.as_bytes(), &mut tally).expect("JSON");
            reader.finish(&mut tally).expect("whole");
            let told = (tally.used, tally.error);
            assert_eq!(told, walked(data.as_bytes()), "{data}");
        }
    }
}
