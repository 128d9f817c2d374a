//! The few pieces of JSON that log lines are made of, written straight into a buffer.
//!
//! Decides how text, numbers and times look in a line. It never fails and never allocates beyond
//! the buffer. Bytes that are not UTF-8 become U+FFFD; control characters (C1 too) and the marks
//! that reorder text are escaped, so that a line can't drive a terminal or forge a second line.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::each_byte::each_byte;

/// Appends the text as a JSON string, quotes included.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Appends bytes of unknown origin as a JSON string, quotes included.
pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        push_escaped(out, chunk.valid());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

/// Appends an address as RFC 5952 has it.
pub(crate) fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (place, part) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                push_number(out, u64::from(part));
            }
        }
        // Writing into a buffer can't fail.
        IpAddr::V6(address) => drop(std::io::Write::write_fmt(out, format_args!("{address}"))),
    }
}

/// Appends the text as the inside of a JSON string.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(needs_a_look) {
        let Some((plain, odd)) = rest.split_at_checked(at) else {
            break;
        };
        out.extend_from_slice(plain.as_bytes());
        let mut chars = odd.chars();
        if let Some(c) = chars.next() {
            push_char(out, c);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

/// Whether a byte must be escaped, or begins a character that may have to be: C1 controls begin
/// with C2, the reordering marks and line separators with E2, the byte order mark with EF.
fn needs_a_look(byte: u8) -> bool {
    const LOOK: [bool; 256] = each_byte!(
        byte => matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f | 0xc2 | 0xe2 | 0xef)
    );
    LOOK.get(usize::from(byte)).is_none_or(|look| *look)
}

fn push_char(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => {
            out.extend_from_slice(b"\\u");
            for shift in [12, 8, 4, 0] {
                let digit = char::from_digit((u32::from(c) >> shift) & 0xf, 16).unwrap_or('0');
                push_plain(out, digit);
            }
        }
        other => push_plain(out, other),
    }
}

fn push_plain(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends a number.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut used = 0_usize;
    for place in digits.iter_mut().rev() {
        *place = digit(rest % 10);
        rest /= 10;
        used = used.saturating_add(1);
        if rest == 0 {
            break;
        }
    }
    let start = digits.len().saturating_sub(used);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// The ASCII digit of a number below ten.
fn digit(number: u64) -> u8 {
    b'0'.saturating_add(u8::try_from(number).unwrap_or(0))
}

/// Appends a length of time in milliseconds, with microseconds as its three decimals.
pub(crate) fn push_millis(out: &mut Vec<u8>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    push_number(out, micros / 1_000);
    let part = micros % 1_000;
    out.extend_from_slice(&[
        b'.',
        digit(part / 100),
        digit(part / 10 % 10),
        digit(part % 10),
    ]);
}

/// Appends a moment as RFC 3339 has it, in UTC, to the millisecond.
pub(crate) fn push_moment(out: &mut Vec<u8>, at: SystemTime) {
    thread_local! {
        /// The second that was printed last: lines come thousands a second.
        static LAST: Cell<(u64, [u8; 20])> = const { Cell::new((u64::MAX, [0; 20])) };
    }
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (second, printed) = LAST.get();
    let printed = if second == since.as_secs() {
        printed
    } else {
        let printed = second_printed(since.as_secs());
        LAST.set((since.as_secs(), printed));
        printed
    };
    let millis = u64::from(since.subsec_millis());
    out.extend_from_slice(&printed);
    out.extend_from_slice(&[
        digit(millis / 100),
        digit(millis / 10 % 10),
        digit(millis % 10),
        b'Z',
    ]);
}

/// `2025-11-21T22:07:01.`; a clock set to a year past 9999 has no such form, and shows 1970.
fn second_printed(second: u64) -> [u8; 20] {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    let moment = i64::try_from(second)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok());
    let mut text = PRINTER.timestamp_to_string(&moment.unwrap_or(Timestamp::UNIX_EPOCH));
    text.truncate(19);
    text.push('.');
    text.as_bytes()
        .try_into()
        .unwrap_or(*b"1970-01-01T00:00:00.")
}

/// A [`fmt::Write`] that escapes what is written as the inside of a JSON string.
pub(crate) struct Escaping<'a>(pub(crate) &'a mut Vec<u8>);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        push_escaped(self.0, text);
        Ok(())
    }
}

/// The text up to so many bytes, cut where a character ends.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_could_forge_a_line_or_drive_a_terminal_is_escaped() {
        for (text, expected) in [
            ("plain é 漢", "\"plain é 漢\""),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\r\n\tb", r#""a\r\n\tb""#),
            ("\u{1b}[0m\0", r#""\u001b[0m\u0000""#),
            ("\u{7f}\u{9b}31m", r#""\u007f\u009b31m""#),
            ("\u{202e}x\u{2066}", r#""\u202ex\u2066""#),
            ("\u{a9}\u{20ac}\u{ff21}", "\"\u{a9}\u{20ac}\u{ff21}\""),
        ] {
            assert_eq!(
                written(|out| push_string(out, text)),
                expected,
                "{text:?} in a line"
            );
        }
    }

    #[test]
    fn bytes_that_are_not_text_become_replacement_characters() {
        assert_eq!(
            written(|out| push_bytes(out, b"a\xff\xc3b\xc3\xa9")),
            "\"a\u{fffd}\u{fffd}bé\"",
            "each broken sequence is replaced, the rest kept"
        );
    }

    #[test]
    fn times_are_written_as_dashboards_read_them() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_763_762_821_007);
        assert_eq!(
            written(|out| push_moment(out, at)),
            "2025-11-21T22:07:01.007Z",
            "RFC 3339"
        );
        for (micros, expected) in [(0, "0.000"), (7, "0.007"), (12_345, "12.345")] {
            let time = Duration::from_micros(micros);
            assert_eq!(written(|out| push_millis(out, time)), expected, "{micros}");
        }
    }

    proptest! {
        #[test]
        fn strings_survive_a_round_trip(text in any::<String>()) {
            let line = written(|out| push_string(out, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }

        #[test]
        fn bytes_read_back_as_their_lossy_text(bytes in any::<Vec<u8>>()) {
            let line = written(|out| push_bytes(out, &bytes));
            let lossy = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), lossy);
        }

        #[test]
        fn numbers_are_decimal(number in any::<u64>()) {
            prop_assert_eq!(written(|out| push_number(out, number)), number.to_string());
        }
    }
}
