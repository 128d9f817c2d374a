//! What was refused, found or failed of late, request by request, for who looks on.
//!
//! Decides which requests are worth a line there: those that are an event of the table, were
//! refused, or failed. The newest [`MOST`] are kept. It holds ids, addresses and words of closed
//! sets, and nothing of what was sent.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::sample::{Marks, Sample};
use crate::policy::names::KeyId;
use crate::record::Facts;
use crate::record::endpoint::Endpoint;

/// Requests that are kept.
pub const MOST: usize = 256;

/// A request that is worth a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// When it ended, in seconds since 1970.
    pub at: u64,
    /// Who called, by address.
    pub address: Option<IpAddr>,
    /// Who called, by key.
    pub key: Option<KeyId>,
    /// The answer's status.
    pub status: u16,
    /// The code of the refusal, if it was refused.
    pub code: Option<&'static str>,
    /// What it is an example of.
    pub marks: Marks,
    /// What was asked for.
    pub endpoint: Endpoint,
    /// By what to find it in the logs.
    pub request_id: Box<str>,
}

impl Recent {
    /// The line of a request; none where it is worth none.
    pub fn of(facts: &Facts, sample: &Sample) -> Option<Self> {
        let plain = sample.marks == Marks::default() && facts.refusal.is_none();
        if plain && sample.status < 500 {
            return None;
        }
        Some(Self {
            at: sample.at,
            address: sample.address,
            key: sample.key.clone(),
            status: sample.status,
            code: facts.refusal.map(|refusal| refusal.code),
            marks: sample.marks,
            endpoint: facts.endpoint,
            request_id: facts.request_id.clone(),
        })
    }
}

/// The newest of them.
#[derive(Debug, Default)]
pub struct Recents(VecDeque<Recent>);

impl Recents {
    /// Takes one in; the oldest goes when there are too many.
    pub fn push(&mut self, recent: Recent) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(recent);
    }

    /// All of them, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Recent> {
        self.0.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::policy::Denial;
    use crate::record::Refusal;

    fn facts(status: u16, denial: Option<&Denial>) -> Facts {
        let mut facts = Facts::new("id", Method::POST, b"/v1/messages?key=x", "");
        facts.status = Some(status);
        facts.refusal = denial.map(Refusal::from);
        facts
    }

    #[test]
    fn what_was_refused_or_failed_is_worth_a_line_and_all_else_is_not() {
        for (facts, code) in [
            (facts(200, None), None),
            (facts(404, None), None),
            (facts(500, None), Some(None)),
            (facts(404, Some(&Denial::NotFound)), Some(Some("not_found"))),
        ] {
            let recent = Recent::of(&facts, &Sample::of(&facts, 7));
            assert_eq!(recent.map(|recent| recent.code), code, "{facts:?}");
        }
    }

    #[test]
    fn the_newest_are_kept_and_no_more() {
        let facts = facts(500, None);
        let mut recents = Recents::default();
        for at in 0..300 {
            recents.push(Recent::of(&facts, &Sample::of(&facts, at)).unwrap());
        }
        let kept: Vec<u64> = recents.newest_first().map(|recent| recent.at).collect();
        assert_eq!((kept.len(), kept[0], kept[MOST - 1]), (MOST, 299, 44));
    }
}
