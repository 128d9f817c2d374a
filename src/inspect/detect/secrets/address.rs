//! Secrets in addresses and options: `https://user:pass@host`, webhooks, `-u user:pass`.
//!
//! Decides by the address or option around them. Never looks at names before them.
//! May miss: a password that is the user's name, one of at most two characters, or one in an
//! address longer than 256 bytes.

use super::assign::{VALUE, in_value, rest};
use super::chance::placeholder;
use super::mix::Mix;
use crate::inspect::detect::rules::secrets as row;
use crate::inspect::detect::window::{Body, Found, Window};

/// What stands behind `scheme://`, whose `:` is at `colon`.
pub(super) fn url(window: &Window<'_>, colon: usize) -> Option<Found> {
    if !window.behind(colon).is_ascii_alphanumeric() {
        return None;
    }
    let start = colon.saturating_add(3);
    if let Some(found) = webhook(window, start) {
        return Some(found);
    }
    let stop = |byte: u8| {
        matches!(
            byte,
            0..=b' ' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b'@' | b'\\'
        )
    };
    let at = window.run(start, 256, |byte| !stop(byte));
    if window.at(at) != b'@' {
        return None;
    }
    let pair = window.slice(start, at);
    let split = pair.iter().position(|byte| *byte == b':')?;
    let (user, secret) = pair.split_at(split);
    let secret = secret.get(1..).unwrap_or_default();
    let worn: &[&[u8]] = &[b"password", b"pass", b"pwd", b"passwd", b"secret", b"token"];
    let real = secret.len() > 2
        && secret != user
        && !placeholder_part(secret)
        && !placeholder_part(user)
        && !worn.contains(&secret);
    real.then_some(Found::new(row::BASIC_AUTH_URL, start, at))
}

fn placeholder_part(part: &[u8]) -> bool {
    matches!(part.first(), Some(b'<' | b'{' | b'$' | b'%' | b'[' | b'*'))
        || part
            .windows(4)
            .any(|word| word.eq_ignore_ascii_case(b"your") || word == b"xxxx")
        || part.windows(2).any(|word| word == b"${" || word == b"{{")
}

/// "-u user:password" and "--user …" of curl; the option's name ends at `end`.
pub(super) fn option(window: &Window<'_>, end: usize) -> Option<Found> {
    let mut start = window.run(end, 3, |byte| matches!(byte, b' ' | b'='));
    let quoted = matches!(window.at(start), b'"' | b'\'');
    start = start.saturating_add(usize::from(quoted));
    let last = window.run(start, VALUE, |byte| in_value(byte, quoted));
    let pair = window.slice(start, last);
    let split = pair.iter().position(|byte| *byte == b':')?;
    let (user, secret) = pair.split_at(split);
    let secret = secret.get(1..).unwrap_or_default();
    let mix = Mix::of(secret);
    let real = !user.is_empty()
        && last > end
        && secret.len() > 5
        && mix.is_mixed()
        && !secret.starts_with(b"/")
        && !placeholder(secret, &mix);
    let end = if last < start.saturating_add(VALUE) {
        last
    } else {
        rest(window, last, false, quoted)
    };
    real.then_some(Found::new(row::BASIC_AUTH_URL, start, end))
}

/// What goes on with a find: an option's is a password, all others are tokens.
pub(super) fn body(window: &Window<'_>, found: &Found) -> Body {
    if found.row != row::BASIC_AUTH_URL {
        return Body::Token;
    }
    let quoted = matches!(window.behind(found.start), b'"' | b'\'');
    Body::Value { key: false, quoted }
}

/// Webhook addresses, which are secrets as a whole.
fn webhook(window: &Window<'_>, start: usize) -> Option<Found> {
    const HOSTS: [(&[u8], u8, usize); 7] = [
        (b"hooks.slack.com/triggers/", row::SLACK_WEBHOOK, 30),
        (b"hooks.slack.com/services/", row::SLACK_WEBHOOK, 30),
        (b"hooks.slack.com/workflows/", row::SLACK_WEBHOOK, 30),
        (b"discord.com/api/webhooks/", row::DISCORD_WEBHOOK, 60),
        (b"discordapp.com/api/webhooks/", row::DISCORD_WEBHOOK, 60),
        (b"ptb.discord.com/api/webhooks/", row::DISCORD_WEBHOOK, 60),
        (
            b"canary.discord.com/api/webhooks/",
            row::DISCORD_WEBHOOK,
            60,
        ),
    ];
    let path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'@');
    let hosts = match window.at(start).to_ascii_lowercase() {
        b'h' | b'd' | b'p' | b'c' => HOSTS.as_slice(),
        _ => &[],
    };
    for &(host, row, least) in hosts {
        if window.reads(start, host) {
            let body = start.saturating_add(host.len());
            let end = window.run(body, 200, path);
            let mix = Mix::of(window.slice(body, end));
            let real = mix.length >= least && mix.digits > 0 && mix.distinct > 9;
            return real.then_some(Found::new(row, start, end));
        }
    }
    let host = window.run(start, 64, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-'
    });
    if window.reads(host, b".webhook.office.com/webhookb2/") {
        let end = window.run(host.saturating_add(30), 250, path);
        return (end.saturating_sub(host) > 100).then_some(Found::new(
            row::TEAMS_WEBHOOK,
            start,
            end,
        ));
    }
    None
}
