//! What stands before, after and between the parts of a phrase.
//!
//! Decides word edges, and whether a sentence tells of others. Reads a few bytes around a place and
//! nothing else.

use super::super::rules::injection_words::REPORTED;
use super::super::set::is_word;
use super::{Family, Hit, REPORT_REACH, index};

/// Whether a word's character stands right before `offset`.
pub(super) fn joined_before(canon: &str, offset: u32) -> bool {
    let byte = index(offset)
        .checked_sub(1)
        .and_then(|at| canon.as_bytes().get(at));
    match byte {
        Some(byte) if byte.is_ascii() => is_word(char::from(*byte)),
        Some(_) => {
            let head = canon.get(..index(offset)).unwrap_or_default();
            head.chars().next_back().is_some_and(is_word)
        }
        None => false,
    }
}

/// Whether a word's character stands right after `offset`.
pub(super) fn joined_after(canon: &str, offset: u32) -> bool {
    match canon.as_bytes().get(index(offset)) {
        Some(byte) if byte.is_ascii() => is_word(char::from(*byte)),
        Some(_) => {
            let tail = canon.get(index(offset)..).unwrap_or_default();
            tail.chars().next().is_some_and(is_word)
        }
        None => false,
    }
}

/// At most `reach` bytes before `offset`.
pub(super) fn before(canon: &str, offset: u32, reach: usize) -> &str {
    let end = index(offset);
    let start = canon.floor_char_boundary(end.saturating_sub(reach));
    canon.get(start..end).unwrap_or_default()
}

/// Whether the sentence before a prompt injection hit tells of others or forbids it.
pub(super) fn reported(canon: &str, hit: &Hit) -> bool {
    let told = before(canon, hit.start, REPORT_REACH);
    let sentence = told
        .rsplit_once(". ")
        .map_or(told, |(_, sentence)| sentence);
    hit.family == Family::PromptInjection && REPORTED.iter().any(|word| sentence.contains(word))
}
