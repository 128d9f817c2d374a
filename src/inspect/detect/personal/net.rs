//! Network addresses: IPv4, IPv6, MAC.
//!
//! Decides whether digits belong to an address. Private addresses are reported
//! (they tell of a person's or company's network); loopback, unspecified,
//! broadcast and netmasks are not. Four dotted numbers after "version" and the
//! like, after `v`, with a suffix (`1.2.3.4-rc1`), or all below ten (but 8.8.8.8)
//! are a version.
//! Never looks names up. May miss: numbers in other notations, zones and prefixes.

use std::net::Ipv6Addr;

use crate::inspect::detect::index::{Index, Row};
use crate::inspect::detect::rules::personal as row;
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::detect::words::{Heard, Topic};
use crate::inspect::sixtyfour::{WIDE, below, zeros};

/// The longest IPv6 address in text.
const LONGEST: usize = 45;

/// Whether an address at `start` would only be the end of more. "nginx/1.15.8.3" is a version as
/// well.
#[inline]
fn joined(window: &Window<'_>, start: usize) -> bool {
    matches!(window.behind(start), b'.' | b'_' | b'-' | b'/')
        && window
            .behind(start.saturating_sub(1))
            .is_ascii_alphanumeric()
}

/// The IPv4 address whose first octet starts at `start`.
#[inline]
pub(super) fn four(window: &Window<'_>, start: usize, heard: &mut Heard<'_>) -> Option<Found> {
    (!joined(window, start)).then(|| octets(window, start, heard))?
}

/// Whether numbers with dots begin at `start` that are too few for an address, or too many.
#[inline]
pub(super) fn unlike_four(window: &Window<'_>, index: &Index, start: usize) -> bool {
    let (digits, dots) = (index.bits(Row::digits, start), index.bits(Row::dots, start));
    let run = zeros(!(digits | dots));
    let dots = dots & below(run);
    let other = |dots: u64| dots & dots.wrapping_sub(1);
    let third = other(other(dots));
    let fourth = other(third);
    let more = fourth & fourth.wrapping_neg() & digits >> 1 != 0;
    // What stands past the edge is not known.
    let inside = start.saturating_add(run).saturating_add(2) < window.bytes.len();
    inside && (third == 0 || more)
}

/// One past the letters, digits, `:` and `.` around `start`, if they have too few `:` for an address
/// and no two together.
#[inline]
pub(super) fn unlike_six(window: &Window<'_>, index: &Index, start: usize) -> Option<usize> {
    let member = |row: &Row| row.alnum() | row.colons() | row.dots();
    let first = start.wrapping_sub(index.back(member, start));
    let run = zeros(!index.bits(member, first));
    let colons = index.bits(Row::colons, first) & below(run);
    let end = first.wrapping_add(run);
    // What stands past the edge is not known.
    let inside = run < WIDE && end < window.bytes.len();
    (inside && colons & colons >> 1 == 0 && colons.count_ones() < 5).then_some(end)
}

fn octets(window: &Window<'_>, start: usize, heard: &mut Heard<'_>) -> Option<Found> {
    let mut octets = [0_u16; 4];
    let mut i = start;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            if window.at(i) != b'.' {
                return None;
            }
            i = i.saturating_add(1);
        }
        let end = window.digits(i, 4);
        let text = window.slice(i, end);
        *octet = text.iter().fold(0, |n: u16, d| {
            n.wrapping_mul(10)
                .wrapping_add(u16::from(d.wrapping_sub(b'0')))
        });
        if text.is_empty()
            || text.len() > 3
            || *octet > 255
            || (text.len() > 1 && text.first() == Some(&b'0'))
        {
            return None;
        }
        i = end;
    }
    let after = window.at(i);
    let next = window.at(i.saturating_add(1));
    let goes_on = after.is_ascii_alphanumeric()
        || after == b'_'
        || (matches!(after, b'.' | b'-' | b'+') && next.is_ascii_alphanumeric());
    let alike = octets.iter().all(|octet| Some(octet) == octets.first());
    let special = matches!(octets, [0 | 127 | 255, ..])
        || octets == [169, 254, 169, 254]
        || (octets.iter().all(|octet| *octet < 10) && !alike);
    if goes_on || special || heard.near(window, Topic::Version, start, 12) {
        return None;
    }
    Some(Found::new(row::IP, start, i))
}

/// Where the run of hex digits and `:` that goes on at `start` begins.
pub(super) fn hex_start(window: &Window<'_>, start: usize) -> usize {
    window.run_back(start, LONGEST, |byte| {
        byte.is_ascii_hexdigit() || byte == b':'
    })
}

/// The MAC or IPv6 address that begins with a run's `first` byte, and how far was read.
pub(super) fn hex(window: &Window<'_>, first: usize) -> (Option<Found>, usize) {
    let member = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    let joined = window.behind(first);
    let long = window.run(first, LONGEST.saturating_add(3), |byte| {
        member(byte) || byte == b'.'
    });
    if first < window.from || joined.is_ascii_alphanumeric() || matches!(joined, b'_' | b'.') {
        return (None, long);
    }
    if let Some(end) = mac(window, first, b':') {
        return (Some(Found::new(row::MAC, first, end)), end);
    }
    (
        six(window, first, long).map(|end| Found::new(row::IP, first, end)),
        long,
    )
}

/// A MAC address without a digit, AA:BB:CC:DD:EE:FF, woken by its first `:`.
pub(super) fn letters(window: &Window<'_>, colon: usize) -> (Option<Found>, usize) {
    let first = window.run_back(colon, 3, |byte| byte.is_ascii_hexdigit());
    let pair = colon.saturating_sub(first) == 2 && first >= window.from;
    if !pair || matches!(window.behind(first), b':' | b'_') {
        return (None, colon);
    }
    (
        mac(window, first, b':').map(|end| Found::new(row::MAC, first, end)),
        first,
    )
}

fn six(window: &Window<'_>, first: usize, long: usize) -> Option<usize> {
    let text = window.slice(first, long);
    let after = window.at(long);
    if after.is_ascii_alphanumeric() || after == b'_' {
        return None;
    }
    // Without `::` it takes six or seven.
    let mut colons = 0_usize;
    let mut last = 0;
    let mut short = false;
    for byte in text {
        colons = colons.wrapping_add(usize::from(*byte == b':'));
        short |= *byte == b':' && last == b':';
        last = *byte;
    }
    if !short && colons < 6 {
        return None;
    }
    let cut = match text {
        [.., b':', b':'] => text,
        [rest @ .., b'.' | b':'] => rest,
        whole => whole,
    };
    let colons = cut.split(|byte| *byte == b':').count().saturating_sub(1);
    let short = cut.windows(2).any(|pair| pair == b"::");
    if !(short && colons >= 2 || colons == 7 || (colons == 6 && cut.contains(&b'.'))) {
        return None;
    }
    let address: Ipv6Addr = str::from_utf8(cut).ok()?.parse().ok()?;
    let mut parts = cut
        .split(|byte| *byte == b':')
        .filter(|part| !part.is_empty());
    // `u8::` and `f64::E` are paths in code.
    let full = parts.next()?.len() == 4 || parts.count() >= 2;
    let special = address.is_loopback() || address.is_unspecified();
    (full && !special).then(|| first.saturating_add(cut.len()))
}

/// One past six pairs of hex digits with `sep` between.
fn mac(window: &Window<'_>, first: usize, sep: u8) -> Option<usize> {
    if window
        .bytes
        .get(first.saturating_add(14))
        .is_some_and(|last| *last != sep)
    {
        return None;
    }
    let mut i = first;
    for n in 0..6 {
        if n > 0 {
            if window.at(i) != sep {
                return None;
            }
            i = i.saturating_add(1);
        }
        if !window.at(i).is_ascii_hexdigit() || !window.at(i.saturating_add(1)).is_ascii_hexdigit()
        {
            return None;
        }
        i = i.saturating_add(2);
    }
    let after = window.at(i);
    let goes_on = after.is_ascii_alphanumeric()
        || (after == sep && window.at(i.saturating_add(1)).is_ascii_hexdigit());
    let text = window.slice(first, i);
    let empty = text.iter().all(|byte| matches!(byte, b'0' | b':' | b'-'))
        || text
            .iter()
            .all(|byte| matches!(byte, b'f' | b'F' | b':' | b'-'));
    (!goes_on && !empty).then_some(i)
}

/// A MAC address with dashes (00-1A-…) or in three dotted groups, whose word is
/// at `start`; the word that wakes it may be any with a digit.
pub(super) fn dashed(window: &Window<'_>, start: usize) -> Option<Found> {
    let member = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let first = window.run_back(start, 15, member);
    let joined = window.behind(first);
    if first < window.from || joined.is_ascii_alphanumeric() || joined == b'-' {
        return None;
    }
    mac(window, first, b'-').map(|end| Found::new(row::MAC, first, end))
}

/// 001a.2b3c.4d5e, as routers print it.
pub(super) fn dotted(window: &Window<'_>, start: usize) -> Option<Found> {
    let member = |byte: u8| byte.is_ascii_hexdigit() || byte == b'.';
    let first = window.run_back(start, 10, member);
    let quad = |n: usize| {
        let i = first.saturating_add(n);
        window.run(i, 5, |byte| byte.is_ascii_hexdigit()) == i.saturating_add(4)
    };
    let end = first.saturating_add(14);
    let joined = window.behind(first);
    let fits = first >= window.from
        && !joined.is_ascii_alphanumeric()
        && joined != b'.'
        && quad(0)
        && window.at(first.saturating_add(4)) == b'.'
        && quad(5)
        && window.at(first.saturating_add(9)) == b'.'
        && quad(10)
        && !window.at(end).is_ascii_alphanumeric()
        && window.at(end) != b'.'
        && window.slice(first, end).iter().any(u8::is_ascii_alphabetic);
    fits.then_some(Found::new(row::MAC, first, end))
}
