//! Is a value a real one?
//!
//! Decides whether it is a placeholder (`your_api_key`, `xxxx`, `<token>`, `${VAR}`, `changeme`), an
//! id that opens nothing, or what may be a password. Whether chance made it is `mix`.
//! Never knows a dictionary. May miss: passphrases of plain words.

use std::sync::LazyLock;

use super::mix::Mix;

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

/// Words that stand in a value's place until somebody writes it, and marks of what a program fills
/// in.
const WORDS: [&[u8]; 23] = [
    b"example",
    b"your",
    b"xxxx",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"dummy",
    b"redacted",
    b"replace",
    b"****",
    b"...",
    b"insert",
    b"sample",
    b"secret_here",
    b"todo",
    b"undefined",
    b"foobar",
    b"masked",
    b"hidden",
    b"key_here",
    b"${",
    b"{{",
];

/// What the first four letters of these words are, in 4,096 bits. What is shorter has a mark.
static BEGINS: LazyLock<[u64; 64]> = LazyLock::new(|| {
    let mut begins = [0; 64];
    for word in WORDS {
        if let Some(four) = word.first_chunk() {
            let (place, bit) = place(*four);
            if let Some(bits) = begins.get_mut(place) {
                *bits |= bit;
            }
        }
    }
    begins
});

/// Where the bit of four letters in any case stands.
#[inline]
fn place(four: [u8; 4]) -> (usize, u64) {
    let small = u32::from_le_bytes(four) | 0x2020_2020;
    // Spread by the golden ratio, of which the highest bits are the best.
    let spread = small.wrapping_mul(0x9e37_79b1) >> 20_u32;
    let row = usize::try_from(spread >> 6_u32).unwrap_or(0);
    (row & 63, 1_u64.wrapping_shl(spread & 63))
}

/// Whether a person wrote this to be replaced, or a program to be filled in; `mix` is its own.
pub(super) fn placeholder(value: &[u8], mix: &Mix) -> bool {
    let filled = matches!(value.first(), Some(b'<' | b'{' | b'$' | b'%' | b'[' | b'#'));
    let same = mix.distinct < 4 || (mix.length >= 16 && mix.distinct < 6);
    filled || same || has_word(value, mix)
}

/// Whether a placeholder's word stands anywhere.
fn has_word(value: &[u8], mix: &Mix) -> bool {
    let begins = &*BEGINS;
    let may_begin = |four: &[u8; 4]| {
        let (place, bit) = place(*four);
        begins.get(place).copied().unwrap_or(0) & bit != 0
    };
    let is_word = |at: usize| value.get(at..).is_some_and(is_word);
    let mut fours = value.array_windows().enumerate();
    let marked = || value.iter().any(|byte| matches!(byte, b'.' | b'$' | b'{'));
    fours.any(|(at, four)| may_begin(four) && is_word(at))
        || (mix.others() > 0 && marked() && (0..value.len()).any(is_word))
}

/// Whether a placeholder's word starts here.
fn is_word(rest: &[u8]) -> bool {
    WORDS.iter().any(|word| {
        rest.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

fn holds(value: &[u8], word: &[u8]) -> bool {
    value
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether a prefixed key's body is filler; `mix` is its own.
pub(super) fn filler(body: &[u8], mix: &Mix) -> bool {
    let xs = body
        .windows(6)
        .any(|part| part.eq_ignore_ascii_case(b"xxxxxx"));
    mix.distinct < 6.min(body.len() / 2)
        || xs
        || holds(body, b"your")
        || holds(body, b"redacted")
        || holds(body, b"placeholder")
}

/// Whether a value behind `password=` is one: not a name, call, type or variable; `mix` is its own.
pub(super) fn password(value: &[u8], mix: &Mix, quoted: bool) -> bool {
    let letters = mix.lower.saturating_add(mix.upper);
    let others = mix.others();
    let any = |of: fn(&u8) -> bool| others > 0 && value.iter().any(of);
    let code = any(|byte| {
        matches!(
            byte,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b'\\'
        )
    });
    let marks = any(|byte| {
        matches!(
            byte,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'?' | b'~'
        )
    });
    let path = !quoted && any(|byte| matches!(byte, b'.' | b'/' | b':'));
    let mixed = letters > 0 && (mix.digits > 0 || (marks && others > 0));
    (6..=256).contains(&mix.length)
        && mixed
        && mix.distinct >= 5
        && !path
        && (!code || (quoted && marks && mix.digits > 0))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "a wrong place must fail the test"
    )]

    use proptest::prelude::*;

    use super::{Mix, WORDS, has_word, is_word};

    proptest! {
        #[test]
        fn a_word_is_found_wherever_it_stands(
            (before, n, behind) in ("[ -~]{0,20}", 0..WORDS.len(), "[ -~]{0,20}"),
            capitals in any::<u32>(),
            whole in any::<bool>(),
        ) {
            let mut value = before.into_bytes();
            let letters = WORDS[n].iter().enumerate().map(|(at, letter)| {
                let capital = capitals >> (at % 32) & 1 == 1;
                if capital { letter.to_ascii_uppercase() } else { *letter }
            });
            value.extend(letters);
            // What is cut by its last letter is none by that.
            value.truncate(value.len() - usize::from(!whole));
            value.extend(behind.as_bytes());
            let any = (0..value.len()).any(|at| is_word(&value[at..]));
            prop_assert_eq!(has_word(&value, &Mix::of(&value)), any, "{:?}", value);
            prop_assert!(any || !whole);
        }
    }
}
