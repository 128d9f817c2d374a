//! Is a value random, and is it a real one?
//!
//! Decides what entropy tests usually decide, with integers only: a value made by
//! a generator uses many different characters and mixes letters with digits;
//! identifiers, paths, words and versions don't. And whether a value is a
//! placeholder (`your_api_key`, `xxxx`, `<token>`, `${VAR}`, `changeme`).
//! Never knows a dictionary. May miss: passphrases of plain words; random values
//! shorter than 16; values made of letters alone.

/// What a value is made of.
#[derive(Debug, Default)]
pub(super) struct Mix {
    pub(super) length: usize,
    pub(super) digits: usize,
    pub(super) lower: usize,
    pub(super) upper: usize,
    hex: usize,
    /// Different bytes.
    pub(super) distinct: usize,
    /// Changes between letters and digits.
    changes: usize,
    /// Small letters that stand three or more together.
    wordy: usize,
}

impl Mix {
    pub(super) fn of(value: &[u8]) -> Self {
        let mut mix = Self {
            length: value.len(),
            ..Self::default()
        };
        let mut seen = [0_u64; 2];
        let mut last = Class::Other;
        let mut word: usize = 0;
        for byte in value {
            if let Some(seen) = seen.get_mut(usize::from(byte >> 6)) {
                *seen |= 1_u64.wrapping_shl(u32::from(byte & 63));
            }
            let class = Class::of(*byte);
            let (digit, lower) = (class == Class::Digit, class == Class::Lower);
            let upper = class == Class::Upper;
            mix.digits = mix.digits.saturating_add(usize::from(digit));
            mix.lower = mix.lower.saturating_add(usize::from(lower));
            mix.upper = mix.upper.saturating_add(usize::from(upper));
            let hex = digit || matches!(byte | 0x20, b'a'..=b'f');
            mix.hex = mix.hex.saturating_add(usize::from(hex));
            let (from_digit, from_letter) = (
                last == Class::Digit,
                matches!(last, Class::Lower | Class::Upper),
            );
            let turned = (from_digit && (lower || upper)) || (from_letter && digit);
            mix.changes = mix.changes.saturating_add(usize::from(turned));
            word = if lower { word.saturating_add(1) } else { 0 };
            mix.wordy = mix.wordy.saturating_add(match word {
                0..=2 => 0,
                3 => 3,
                _ => 1,
            });
            last = class;
        }
        let distinct = seen.iter().map(|seen| seen.count_ones()).sum::<u32>();
        mix.distinct = usize::try_from(distinct).unwrap_or(0);
        mix
    }

    /// Whether a generator may have made it: at least 16 long, letters and digits
    /// mixed about as often as chance would, many different characters, few words.
    pub(super) fn is_random(&self) -> bool {
        let letters = self.lower.saturating_add(self.upper);
        if self.length < 16 || letters == 0 || self.digits < 2 {
            return false;
        }
        // Of n hex digits about 13 (n = 24) to 15 (n = 40) differ, of n letters
        // and digits 14 (n = 16) to 21 (n = 24).
        let needed = if self.hex == self.length { 8 } else { 9 };
        // Chance changes between letters and digits at every fourth place (base
        // 62) or second (hex); a name with a number in it once or twice. Of
        // base 62 a sixth stands in threes of small letters, of names a half.
        let mixed = if self.lower > 0 && self.upper > 0 {
            let words = self.wordy.saturating_mul(10) <= self.length.saturating_mul(3);
            self.changes.saturating_mul(9) >= self.length
                && (words || self.digits.saturating_mul(6) >= self.length)
        } else {
            self.changes.saturating_mul(5) >= self.length
        };
        self.distinct >= needed && mixed
    }

    /// A looser test, for what a prefix or scheme already announces.
    pub(super) fn is_mixed(&self) -> bool {
        self.distinct > 5 && self.digits > 0 && self.lower.saturating_add(self.upper) > 0
    }
}

/// What an ASCII byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Digit,
    Lower,
    Upper,
    Other,
}

impl Class {
    const fn of(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digit,
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            _ => Self::Other,
        }
    }
}

/// Ids that model providers give out: they look random and open nothing, and a
/// client must get them back as they were.
pub(super) fn public_id(value: &[u8]) -> bool {
    const STARTS: [&[u8]; 22] = [
        b"chatcmpl-",
        b"cmpl-",
        b"resp_",
        b"msg_",
        b"call_",
        b"toolu_",
        b"run_",
        b"thread_",
        b"asst_",
        b"req_",
        b"file-",
        b"batch_",
        b"rs_",
        b"fc_",
        b"vs_",
        b"step_",
        b"ft:",
        b"gen-",
        b"modr-",
        b"srvtoolu_",
        b"org-",
        b"proj_",
    ];
    STARTS.iter().any(|start| value.starts_with(start))
}

/// Whether a person wrote this to be replaced, or a program to be filled in.
pub(super) fn placeholder(value: &[u8]) -> bool {
    let filled = matches!(value.first(), Some(b'<' | b'{' | b'$' | b'%' | b'[' | b'#'));
    let mix = Mix::of(value);
    let same = mix.distinct < 4 || (mix.length >= 16 && mix.distinct < 6);
    filled || same || (0..value.len()).any(|i| value.get(i..).is_some_and(marked))
}

/// Whether a placeholder's word starts here. By first letter, because this runs
/// at every place of every value.
fn marked(rest: &[u8]) -> bool {
    let words: &[&[u8]] = match rest.first().map(u8::to_ascii_lowercase) {
        Some(b'e') => &[b"example"],
        Some(b'y') => &[b"your"],
        Some(b'x') => &[b"xxxx"],
        Some(b'p') => &[b"placeholder"],
        Some(b'c') => &[b"changeme", b"change_me", b"change-me"],
        Some(b'd') => &[b"dummy"],
        Some(b'r') => &[b"redacted", b"replace"],
        Some(b'*') => &[b"****"],
        Some(b'.') => &[b"..."],
        Some(b'i') => &[b"insert"],
        Some(b's') => &[b"sample", b"secret_here"],
        Some(b't') => &[b"todo"],
        Some(b'u') => &[b"undefined"],
        Some(b'f') => &[b"foobar"],
        Some(b'm') => &[b"masked"],
        Some(b'h') => &[b"hidden"],
        Some(b'k') => &[b"key_here"],
        Some(b'$') => &[b"${"],
        Some(b'{') => &[b"{{"],
        _ => return false,
    };
    words.iter().any(|word| {
        rest.get(..word.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(word))
    })
}

fn holds(value: &[u8], word: &[u8]) -> bool {
    value
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether a prefixed key's body is filler.
pub(super) fn filler(body: &[u8]) -> bool {
    let mix = Mix::of(body);
    let xs = body
        .windows(6)
        .any(|part| part.eq_ignore_ascii_case(b"xxxxxx"));
    mix.distinct < 6.min(body.len() / 2)
        || xs
        || holds(body, b"your")
        || holds(body, b"redacted")
        || holds(body, b"placeholder")
}

/// Whether a value behind `password=` is one: not a name, call, type or variable.
pub(super) fn password(value: &[u8], quoted: bool) -> bool {
    let mix = Mix::of(value);
    let letters = mix.lower.saturating_add(mix.upper);
    let others = mix
        .length
        .saturating_sub(letters)
        .saturating_sub(mix.digits);
    let code = value.iter().any(|byte| {
        matches!(
            byte,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b'\\'
        )
    });
    let marks = value.iter().any(|byte| {
        matches!(
            byte,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'?' | b'~'
        )
    });
    let path = !quoted && value.iter().any(|byte| matches!(byte, b'.' | b'/' | b':'));
    let mixed = letters > 0 && (mix.digits > 0 || (marks && others > 0));
    (6..=256).contains(&mix.length)
        && mixed
        && mix.distinct >= 5
        && !path
        && (!code || (quoted && marks && mix.digits > 0))
}
