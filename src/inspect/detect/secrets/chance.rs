//! Is a value random, and is it a real one?
//!
//! Decides what entropy tests usually decide, with integers only: a value made by
//! a generator uses many different characters and mixes letters with digits;
//! identifiers, paths, words and versions don't. And whether a value is a
//! placeholder (`your_api_key`, `xxxx`, `<token>`, `${VAR}`, `changeme`).
//! Never knows a dictionary. May miss: passphrases of plain words; random values
//! shorter than 16; values made of letters alone.

use crate::each_byte::each_byte;

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
        let (mut seen, mut counts) = ([0_u64; 2], 0_u64);
        let (mut last, mut word) = (0_u8, 0_u8);
        // What is counted in 16 bits; no block has as many.
        for byte in value.iter().take(usize::from(u16::MAX)) {
            if let Some(seen) = seen.get_mut(usize::from(byte >> 6)) {
                *seen |= 1_u64.wrapping_shl(u32::from(byte & 63));
            }
            let class = CLASSES.get(usize::from(*byte)).copied().unwrap_or(0);
            let letter = |class: u8| u8::from(class & (LOWER | UPPER) != 0);
            let changed = (last & DIGIT & letter(class)) | (letter(last) & class & DIGIT);
            // Of three small letters in a row all count, of more each one more.
            word = u8::from(class & LOWER != 0).wrapping_mul(word.saturating_add(1));
            let words = u64::from(word >= 3).wrapping_add(u64::from(word == 3).wrapping_mul(2));
            mix.wordy = mix.wordy.wrapping_add(usize::try_from(words).unwrap_or(0));
            mix.changes = mix.changes.wrapping_add(usize::from(changed));
            counts = counts.wrapping_add(COUNTS.get(usize::from(class)).copied().unwrap_or(0));
            last = class;
        }
        let [digits, lower, upper, hex] =
            [0, 16, 32, 48].map(|place| usize::try_from((counts >> place) & 0xffff).unwrap_or(0));
        (mix.digits, mix.lower, mix.upper, mix.hex) = (digits, lower, upper, hex);
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

/// What an ASCII byte is: a digit or letter, and whether it is one of hex.
const DIGIT: u8 = 1;
const LOWER: u8 = 2;
const UPPER: u8 = 4;
const HEX: u8 = 8;

const CLASSES: [u8; 256] = each_byte!(byte => match byte {
    b'0'..=b'9' => DIGIT | HEX,
    b'a'..=b'f' => LOWER | HEX,
    b'g'..=b'z' => LOWER,
    b'A'..=b'F' => UPPER | HEX,
    b'G'..=b'Z' => UPPER,
    _ => 0,
});

/// What each class adds: to digits, small letters, capitals and digits of hex, 16 bits each.
const COUNTS: [u64; 16] = {
    let mut table = [0; 16];
    let mut class = 0_usize;
    while class < 16 {
        let mut bit = 0_u32;
        while bit < 4 {
            #[expect(
                clippy::indexing_slicing,
                clippy::as_conversions,
                reason = "a class below 16"
            )]
            {
                table[class] |= ((class >> bit) as u64 & 1) << bit.wrapping_mul(16);
            }
            bit = bit.wrapping_add(1);
        }
        class = class.wrapping_add(1);
    }
    table
};

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

/// 8-4-4-4-12 hex digits: names things, hardly ever opens them.
pub(super) fn uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
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
