//! Telephone numbers.
//!
//! Decides whether digit groups are a telephone number: international with `+` or
//! `00` and a length that the country code has; North American 3-3-4; national
//! with a leading zero in two groups or more; anything of 7 to 15 digits after a
//! word such as "phone", in groups after "call".
//! Never takes a bare digit run without one of these, so that order numbers,
//! timestamps, versions, dates and book numbers pass.
//! May miss: national numbers without zero, word or American shape; letters for digits.

use super::checks;
use super::groups::Groups;
use super::number::{free_after, free_before};
use crate::inspect::detect::rules::{dial, personal as row};
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::detect::words::{Heard, Topic};

/// Bytes between the word "phone" and the number.
const REACH: usize = 36;

/// Whether something beside the digits may make these groups a telephone number, or a zero before
/// all others: without a word near by, only what is grouped in the American way is one else.
#[inline]
pub(super) fn may_be(window: &Window<'_>, groups: &Groups<'_>) -> bool {
    matches!(window.behind(groups.start), b'+' | b'(')
        || groups.digits(1).first() == Some(&0)
        || labelled(window, groups.end(groups.count()))
}

/// The telephone number that starts with these groups; `free` if no longer number ends there.
pub(super) fn check(
    window: &Window<'_>,
    (groups, free): (&Groups<'_>, bool),
    heard: &mut Heard<'_>,
) -> Option<Found> {
    // A first group of one digit without `+` starts a number only as "1-800-…".
    let lead = Lead::read(window, groups.start);
    if !lead.plus && (groups.count() < 2 && groups.length(0) < 7) {
        return None;
    }
    let alone = lead.start == groups.start;
    if !(if alone {
        free
    } else {
        free_before(window, lead.start)
    }) {
        return None;
    }
    let count = if lead.plus {
        international(window, groups, 0)?
    } else if !address(groups) {
        zeros(window, groups)
            .or_else(|| american(window, groups, &lead))
            .or_else(|| national(window, groups, &lead))
            .or_else(|| told(window, groups, heard))?
    } else {
        return None;
    };
    let end = extension(window, groups.end(count));
    Some(Found::new(row::PHONE, lead.start, end))
}

/// What stands right before the first digit.
struct Lead {
    start: usize,
    plus: bool,
    bracket: bool,
}

impl Lead {
    fn read(window: &Window<'_>, digits: usize) -> Self {
        let mut lead = Self {
            start: digits,
            plus: false,
            bracket: false,
        };
        if window.behind(lead.start) == b'+' {
            lead.plus = true;
            lead.start = lead.start.saturating_sub(1);
        }
        if window.behind(lead.start) == b'(' {
            lead.bracket = true;
            lead.start = lead.start.saturating_sub(1);
            if !lead.plus && window.behind(lead.start) == b'+' {
                lead.plus = true;
                lead.start = lead.start.saturating_sub(1);
            }
        }
        lead
    }
}

/// Four groups with dots and at most three digits each: an IP address or version.
fn address(groups: &Groups<'_>) -> bool {
    groups.count() >= 4
        && groups.sep(1) == b'.'
        && groups.even(1, 4)
        && (0..4).all(|n| groups.length(n) <= 3)
        && (groups.count() == 4 || !(0..5).all(|n| groups.length(n) == 2))
}

/// After `skip` digits of prefix: a country code and as many digits as it takes.
fn international(window: &Window<'_>, groups: &Groups<'_>, skip: usize) -> Option<usize> {
    let all = groups.digits(groups.count());
    // "+44 (0)20 …": the zero is said only at home.
    let is_trunk = |n: &usize| {
        groups.length(*n) == 1
            && groups.sep(*n) == b'('
            && groups.total(*n) <= 5
            && all.get(groups.total(*n)) == Some(&0)
    };
    let trunk = groups
        .may_have_trunk()
        .then(|| (1..groups.count()).find(is_trunk));
    // As bits, how many digits the whole number may have: without that zero and with it.
    let mut lengths = [0_u32; 2];
    for code in [1, 2, 3] {
        let Some(country) = country(all.get(skip..).unwrap_or_default(), code) else {
            continue;
        };
        for (zero, lengths) in lengths.iter_mut().enumerate() {
            let before = skip.wrapping_add(code).wrapping_add(zero);
            let first = all
                .get(before)
                .and_then(|first| country.get(usize::from(*first)));
            // Before the number stand at most six, and it has at most 15.
            let shift = u32::try_from(before).unwrap_or(0);
            *lengths |= u32::from(first.copied().unwrap_or(0)).wrapping_shl(shift);
        }
    }
    let [plain, with_zero] = lengths;
    let lengths = match trunk.flatten() {
        None => plain,
        Some(n) => {
            let upto = u32::try_from(groups.total(n)).unwrap_or(0);
            let before = u32::MAX.wrapping_shr(31_u32.wrapping_sub(upto));
            (plain & before) | (with_zero & !before)
        }
    };
    groups
        .counts(lengths)
        .find(|count| closed(window, groups.end(*count)))
}

/// Whether a number ends here, or only its extension follows.
fn closed(window: &Window<'_>, end: usize) -> bool {
    free_after(window, end) || extension(window, end) > end
}

/// The lengths that national numbers have under the country code of the first `code` digits.
fn country(digits: &[u8], code: usize) -> Option<&'static [u16; 10]> {
    let head = digits.get(..code).filter(|head| head.first() != Some(&0))?;
    dial::lengths(checks::number(head))
}

/// "0044 20 …", "001-202-555-0123".
fn zeros(window: &Window<'_>, groups: &Groups<'_>) -> Option<usize> {
    let prefix = groups.digits(1);
    (prefix.starts_with(&[0, 0]) && (prefix.len() > 9 || groups.count() > 2))
        .then(|| international(window, groups, 2))
        .flatten()
}

/// 3-3-4 with brackets, dashes or dots; with blanks where the codes are real ones.
fn american(window: &Window<'_>, groups: &Groups<'_>, lead: &Lead) -> Option<usize> {
    let one = groups.length(0) == 1 && groups.digits(1) == [1];
    let first = usize::from(one);
    let count = first.saturating_add(3);
    let shaped = groups.like(&[1, 3, 3, 4]) || groups.like(&[3, 3, 4]);
    if !shaped || (!one && groups.length(0) == 1) {
        // "(555)555-1234" and "555-5551234" are read as two groups at most.
        return None;
    }
    let digits = groups.digits(count).get(first..)?;
    let area = digits.first().copied().unwrap_or(0);
    let exchange = digits.get(3).copied().unwrap_or(0);
    let sep = groups.sep(first.saturating_add(2));
    let middle = groups.sep(first.saturating_add(1));
    let bracket = lead.bracket || middle == b'(';
    let written = match sep {
        b'-' | b'.' => area > 1 && (bracket || middle == sep || middle == b' '),
        b' ' => area > 1 && exchange > 1 && (bracket || middle == b' ' || middle == b'-'),
        _ => false,
    };
    let alone = bracket || sep != b' ' || groups.count() == count;
    (written && alone && closed(window, groups.end(count))).then_some(count)
}

/// A leading zero, nine to eleven digits, two to six groups.
fn national(window: &Window<'_>, groups: &Groups<'_>, lead: &Lead) -> Option<usize> {
    let head = groups.digits(1);
    if head.first() != Some(&0) {
        return None;
    }
    // Some group of a longer number, an account's perhaps.
    let tail = window.behind(groups.start) == b' '
        && window
            .behind(groups.start.saturating_sub(1))
            .is_ascii_digit();
    if tail || head.get(1).is_none_or(|d| *d == 0) || head.len() > 6 {
        return None;
    }
    // Nine to eleven.
    groups.counts(0xe00).find(|count| {
        let separated = groups.even(2, *count)
            && (*count < 3 || groups.sep(1) == groups.sep(2) || lead.bracket || head.len() > 2);
        // 01.02.2024 and 01-02-2024-03 are dates.
        let date = groups.like(&[2, 2, 4]) && !lead.bracket;
        (2..=6).contains(count)
            && (1..*count).all(|n| (2..=8).contains(&groups.length(n)))
            && separated
            && !date
            && closed(window, groups.end(*count))
    })
}

/// After a word: 7 to 15 digits; after a weak one at least two groups.
fn told(window: &Window<'_>, groups: &Groups<'_>, heard: &mut Heard<'_>) -> Option<usize> {
    if groups.total(groups.count()) < 6 {
        return None;
    }
    let strong = heard.near(window, Topic::Phone, groups.start, REACH);
    let weak = heard.near(window, Topic::Call, groups.start, REACH);
    // Between groups there is no word.
    if !strong && !weak && !labelled(window, groups.end(groups.count())) {
        return None;
    }
    // Six to fifteen.
    let count = groups.counts(0xffc0).find(|count| {
        (groups.total(*count) > 6 || *count > 1)
            && (1..*count).all(|n| groups.length(n) > 1)
            && (strong || weak || labelled(window, groups.end(*count)))
            && closed(window, groups.end(*count))
    })?;
    let date = groups.like(&[4, 2, 2]) || groups.like(&[2, 2, 4]) || groups.like(&[4, 4]);
    let sure = strong || labelled(window, groups.end(count));
    (sure || (count > 1 && !date)).then_some(count)
}

/// Whether "office", "fax" or the like follows, as in an address block.
fn labelled(window: &Window<'_>, end: usize) -> bool {
    let labels: [&[u8]; 6] = [b"office", b"fax", b"mobile", b"home", b"cell", b"work"];
    matches!(window.at(end), b' ' | b'-' | b'(')
        && may_label(window.at(end.saturating_add(1)).to_ascii_lowercase())
        && labels
            .iter()
            .any(|label| window.reads(end.saturating_add(1), label))
}

/// Whether a small letter begins any such word.
#[inline]
pub(super) const fn may_label(letter: u8) -> bool {
    matches!(letter, b'o' | b'f' | b'm' | b'h' | b'c' | b'w')
}

/// One past a number whose last digit stands before `end`, its extension included; not told where
/// that may depend on what stands past the edge.
pub(super) fn ends(window: &Window<'_>, end: usize) -> Option<usize> {
    // An extension is no longer than " ext. 123456", and a word may follow.
    let inside = end.saturating_add(16) < window.bytes.len();
    inside.then(|| extension(window, end))
}

/// One past "x123", " ext. 123" behind a number, or else its end.
fn extension(window: &Window<'_>, end: usize) -> usize {
    let mut i = end;
    if window.at(i) == b' ' {
        i = i.saturating_add(1);
    }
    i = match window.at(i) {
        b'x' | b'X' => i.saturating_add(1),
        b'e' | b'E' if window.reads(i, b"ext") => {
            i.saturating_add(if window.at(i.saturating_add(3)) == b'.' {
                4
            } else {
                3
            })
        }
        _ => return end,
    };
    if window.at(i) == b' ' {
        i = i.saturating_add(1);
    }
    let last = window.run(i, 7, |byte| byte.is_ascii_digit());
    let length = last.saturating_sub(i);
    if (1..=6).contains(&length) && !window.at(last).is_ascii_alphanumeric() {
        last
    } else {
        end
    }
}
