//! The labels of masked values: `[EMAIL_1]`, one for each value, in order of appearance.
//!
//! Decides which number a value has within a message. Never keeps a value, only 32 bits of a
//! keyed hash. May miss: values after the first [`MOST`] have a label without a number; of a
//! thousand values two share one once in ten thousand messages.

use std::hash::{BuildHasher, RandomState};

/// Values that are told apart.
const MOST: usize = 1024;
/// The longest label that is known again.
const LONGEST: usize = 40;

/// The values of one message.
#[derive(Debug, Default)]
pub(super) struct Labels {
    hasher: RandomState,
    /// Hashes in order, with their numbers: half the memory of a hash table.
    known: Vec<(u32, u16)>,
    /// For each kind that appeared, how many values it has.
    counts: Vec<(u16, u16)>,
}

impl Labels {
    /// The label of a value of a kind, by its number and name.
    pub(super) fn label(&mut self, (kind, name): (u16, &str), value: &str) -> Box<str> {
        let hash = self.hasher.hash_one((kind, value));
        let hash = u32::try_from(hash >> 32).unwrap_or(0);
        let place = self.known.binary_search_by_key(&hash, |(known, _)| *known);
        let number = match place {
            Ok(place) => self.known.get(place).map_or(0, |(_, number)| *number),
            Err(_) if self.known.len() >= MOST => return format!("[{name}]").into(),
            Err(place) => {
                let number = self.next(kind);
                self.known.insert(place, (hash, number));
                number
            }
        };
        written(name, number)
    }

    fn next(&mut self, kind: u16) -> u16 {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == kind) {
            *count = count.saturating_add(1);
            return *count;
        }
        self.counts.push((kind, 1));
        1
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        let known = self
            .known
            .capacity()
            .saturating_mul(size_of::<(u32, u16)>());
        known.saturating_add(
            self.counts
                .capacity()
                .saturating_mul(size_of::<(u16, u16)>()),
        )
    }
}

/// The label of a kind's value by its number, in one piece of memory of just its length.
fn written(name: &str, number: u16) -> Box<str> {
    let mut digits = [b'0'; 5];
    let mut rest = number;
    let mut first = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or(0));
        first = place;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let digits = digits.get(first..).unwrap_or_default();
    let digits = str::from_utf8(digits).unwrap_or_default();
    ["[", name, "_", digits, "]"].concat().into()
}

/// Writes `text` to `into` with the words in labels made unreadable, every byte in its place; not
/// if there is no label. `[PHONE_1]` must not make the number beside it a telephone number.
pub(super) fn blank(text: &str, into: &mut String) -> bool {
    into.clear();
    let mut done = 0;
    for open in memchr::memchr_iter(b'[', text.as_bytes()) {
        let Some(name) = text.get(open.saturating_add(1)..) else {
            continue;
        };
        let kind = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let len = name
            .bytes()
            .take(LONGEST)
            .take_while(|byte| kind(*byte))
            .count();
        if len < 2 || name.as_bytes().get(len) != Some(&b']') {
            continue;
        }
        let start = open.saturating_add(1);
        into.push_str(text.get(done..start).unwrap_or_default());
        into.extend(std::iter::repeat_n('x', len));
        done = start.saturating_add(len);
    }
    if done > 0 {
        into.push_str(text.get(done..).unwrap_or_default());
    }
    done > 0
}

#[cfg(test)]
mod tests {
    use super::{Labels, MOST, blank};

    #[test]
    fn the_words_of_labels_say_nothing() {
        for (text, want) in [
            (
                "call [PHONE_1] or [US_SSN_12]!",
                Some("call [xxxxxxx] or [xxxxxxxxx]!"),
            ),
            ("no [label] here, [A], [OPEN", None),
            ("", None),
            ("[[EMAIL]]", Some("[[xxxxx]]")),
        ] {
            let mut out = String::new();
            let blanked = blank(text, &mut out).then_some(out.as_str());
            assert_eq!(blanked, want, "{text}");
        }
    }

    #[test]
    fn the_same_value_has_the_same_label_and_kinds_count_apart() {
        let mut labels = Labels::default();
        for (kind, value, want) in [
            ((3, "EMAIL"), "a@b.cd", "[EMAIL_1]"),
            ((3, "EMAIL"), "c@d.ef", "[EMAIL_2]"),
            ((5, "PHONE"), "a@b.cd", "[PHONE_1]"),
            ((3, "EMAIL"), "a@b.cd", "[EMAIL_1]"),
        ] {
            assert_eq!(&*labels.label(kind, value), want, "{value}");
        }
    }

    #[test]
    fn values_past_the_cap_have_no_number() {
        let mut labels = Labels::default();
        for value in 0..MOST {
            let label = labels.label((0, "IP"), &value.to_string());
            assert_eq!(*label, *format!("[IP_{}]", value + 1), "up to the cap");
        }
        assert_eq!(&*labels.label((0, "IP"), "one more"), "[IP]");
        assert_eq!(
            &*labels.label((0, "IP"), "7"),
            "[IP_8]",
            "those known stay known"
        );
    }
}
