//! E-mail addresses.
//!
//! Decides whether an `@` stands in an address: up to 64 bytes of name before it,
//! a dotted domain after it whose last label is letters (or `xn--`), international
//! names and domains included. A host without a dot (`root@localhost`, `@app.get`)
//! is none, nor is `git@host:` (a repository), nor a file name (`icon@2x.png`).
//! Never asks whether the domain exists. May miss: quoted names, address literals.

use crate::inspect::detect::index::{Index, Row};
use crate::inspect::detect::rules::personal as row;
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::sixtyfour::{WIDE, zeros};

/// Longest name, and longest domain.
const NAME: usize = 64;
const DOMAIN: usize = 253;

/// Whether no domain with a dot begins behind the `@`, as far as that is seen at once.
#[inline]
pub(super) fn unlike(window: &Window<'_>, index: &Index, at: usize) -> bool {
    let start = at.wrapping_add(1);
    let label = zeros(!index.bits(Row::names, start));
    let behind = window.bytes.get(start.wrapping_add(label));
    label < WIDE && behind.is_some_and(|byte| label == 0 || *byte != b'.')
}

/// The address around the `@` at `at`, and where it would start.
pub(super) fn check(window: &Window<'_>, at: usize) -> (Option<Found>, usize) {
    let mut start = window.run_back(at, NAME, in_name);
    while start < at && matches!(window.at(start), b'.' | b'\'' | b'-' | b'%' | 0x80..0xc0) {
        start = start.saturating_add(1);
    }
    if start == at || start < window.from || window.behind(at) == b'.' {
        return (None, start);
    }
    let Some(end) = domain(window, at.saturating_add(1)) else {
        return (None, start);
    };
    let repository = window.slice(start, at) == b"git" && matches!(window.at(end), b':' | b'/');
    let found = Found::new(row::EMAIL, start, end);
    ((!repository).then_some(found), start)
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
        || matches!(byte, 0x80..=0xdf)
}

/// One past the longest domain at `start` that ends in a top-level label.
fn domain(window: &Window<'_>, start: usize) -> Option<usize> {
    let mut good = None;
    let mut i = start;
    let mut labels = 0_u8;
    while i.saturating_sub(start) < DOMAIN && labels < 32 {
        let end = window.run(i, 64, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte >= 0x80
        });
        let label = window.slice(i, end);
        if label.is_empty() || label.len() > 63 || label.first() == Some(&b'-') {
            break;
        }
        if labels > 0 && is_top(label) {
            // A dash after the last label belongs to the sentence.
            let dashes = label.iter().rev().take_while(|byte| **byte == b'-').count();
            good = Some(end.saturating_sub(dashes));
        }
        labels = labels.saturating_add(1);
        if window.at(end) != b'.' {
            break;
        }
        i = end.saturating_add(1);
    }
    good.filter(|end| window.text.is_char_boundary(*end))
}

/// Whether a label can be the last: letters, an international one, no file type.
fn is_top(label: &[u8]) -> bool {
    if label.starts_with(b"xn--") || label.iter().any(|byte| *byte >= 0x80) {
        return label.len() > 2;
    }
    let letters = label.strip_suffix(b"-").unwrap_or(label);
    let file = matches!(
        letters,
        b"png"
            | b"jpg"
            | b"jpeg"
            | b"gif"
            | b"svg"
            | b"webp"
            | b"js"
            | b"mjs"
            | b"css"
            | b"ts"
            | b"tsx"
            | b"jsx"
            | b"json"
            | b"html"
            | b"php"
            | b"xml"
            | b"yaml"
            | b"yml"
            | b"txt"
            | b"whl"
            | b"tgz"
            | b"so"
            | b"dll"
            | b"class"
            | b"java"
            | b"h"
            | b"service"
    );
    (2..=24).contains(&letters.len()) && letters.iter().all(u8::is_ascii_alphabetic) && !file
}
