//! A body on its way: its newest part is kept back until it may leave.
//!
//! Decides how much may leave: what the inspection has settled, and never the newest piece, so
//! that a refusal at any moment leaves an incomplete request behind. Rewrites what leaves. Never
//! looks into a body. What it holds counts against the process's budget of bytes in flight.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::body::Action;
use crate::admit::budget::Share;
use crate::inspect::finding::{Edit, Settled};
use crate::policy::Denial;

/// The bytes that were not sent yet, as they came.
pub(crate) struct HeldTail {
    pieces: VecDeque<Bytes>,
    /// Where the first of them stands in the body.
    from: u64,
    /// What of the body is to be written differently, in order, from there on.
    edits: VecDeque<Edit>,
    seen: u64,
    limit: u64,
    share: Share,
}

impl HeldTail {
    /// A body of at most so many bytes.
    pub(crate) const fn new(limit: u64, share: Share) -> Self {
        Self {
            pieces: VecDeque::new(),
            from: 0,
            edits: VecDeque::new(),
            seen: 0,
            limit,
            share,
        }
    }

    /// The same with a first piece that was heard already and has its share of the budget.
    pub(crate) fn holding(mut self, first: Bytes) -> Self {
        self.seen = length(&first);
        if !first.is_empty() {
            self.pieces.push_back(first);
        }
        self
    }

    /// Takes the newest piece and says what may leave. `judge` sees each piece once, and the end.
    pub(crate) fn push(
        &mut self,
        piece: Option<Bytes>,
        end: bool,
        judge: impl FnOnce(&[u8], bool) -> Result<Settled, Denial>,
    ) -> Action {
        let piece = piece.unwrap_or_default();
        let newest = self.seen;
        self.seen = self.seen.saturating_add(length(&piece));
        if self.seen > self.limit {
            return Action::Abort(Denial::RequestTooLarge(self.limit));
        }
        if self.share.grow(piece.len()).is_err() {
            return Action::Abort(Denial::Overloaded);
        }
        let settled = match judge(&piece, end) {
            Ok(settled) => settled,
            Err(denial) => return Action::Abort(denial),
        };
        let newest = if piece.is_empty() {
            self.newest()
        } else {
            self.pieces.push_back(piece);
            newest
        };
        self.note(settled.edits);
        if end {
            return Action::Emit(self.release(u64::MAX));
        }
        match self.release(settled.upto.min(newest)) {
            bytes if bytes.is_empty() => Action::Hold,
            bytes => Action::Emit(bytes),
        }
    }

    /// Bytes seen so far.
    pub(crate) const fn seen(&self) -> u64 {
        self.seen
    }

    /// Where the newest piece begins.
    fn newest(&self) -> u64 {
        let last = self.pieces.back().map_or(0, length);
        self.seen.saturating_sub(last)
    }

    /// Takes edits in; all of them stand behind what was released.
    fn note(&mut self, edits: Vec<Edit>) {
        if edits.is_empty() {
            return;
        }
        self.edits.extend(edits);
        // As `rewrite::settle` has them: the earlier first, then the longer.
        self.edits.make_contiguous().sort_by(|a, b| {
            let starts = a.raw.start.cmp(&b.raw.start);
            starts.then(b.raw.end.cmp(&a.raw.end))
        });
    }

    /// Everything before `upto` as it is to be written, with the whole of an edit that begins
    /// there.
    fn release(&mut self, upto: u64) -> Bytes {
        let mut out = Joined::default();
        while let Some(edit) = self.edits.pop_front_if(|edit| edit.raw.start < upto) {
            if edit.raw.end <= self.from || edit.raw.is_empty() {
                continue;
            }
            self.take(edit.raw.start, |bytes| out.push(bytes));
            if !edit.with.is_empty() {
                out.push(Bytes::from(String::from(edit.with)));
            }
            self.take(edit.raw.end, drop);
        }
        self.take(upto, |bytes| out.push(bytes));
        out.into_bytes()
    }

    /// Hands over what is held before `upto`.
    fn take(&mut self, upto: u64, mut to: impl FnMut(Bytes)) {
        while let Some(first) = self.pieces.front_mut() {
            let wanted = upto.saturating_sub(self.from);
            if wanted == 0 {
                return;
            }
            let part = if wanted >= length(first) {
                self.pieces.pop_front().unwrap_or_default()
            } else {
                first.split_to(usize::try_from(wanted).unwrap_or(usize::MAX))
            };
            self.from = self.from.saturating_add(length(&part));
            self.share.give_back(part.len());
            to(part);
        }
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Pieces that leave together; one alone is not copied.
#[derive(Default)]
struct Joined {
    first: Bytes,
    more: BytesMut,
}

impl Joined {
    fn push(&mut self, bytes: Bytes) {
        if self.first.is_empty() && self.more.is_empty() {
            self.first = bytes;
            return;
        }
        if self.more.is_empty() {
            self.more
                .extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.more.extend_from_slice(&bytes);
    }

    fn into_bytes(self) -> Bytes {
        if self.more.is_empty() {
            self.first
        } else {
            self.more.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::admit::budget::Budget;
    use crate::inspect::rewrite;

    fn tail(limit: u64) -> HeldTail {
        HeldTail::new(limit, Budget::new(1 << 20).share())
    }

    /// Pushes the pieces and then the end, which comes with the last piece or on its own. All
    /// that was judged is settled.
    fn push_all(
        pieces: Vec<Vec<u8>>,
        end_alone: bool,
        mut judge: impl FnMut(usize, u64) -> Result<Settled, Denial>,
    ) -> (Vec<Action>, HeldTail) {
        let mut held = tail(1_000);
        let mut steps: Vec<_> = pieces
            .into_iter()
            .map(|p| (Some(Bytes::from(p)), false))
            .collect();
        match steps.last_mut() {
            Some(last) if !end_alone => last.1 = true,
            Some(_) | None => steps.push((None, true)),
        }
        let mut actions = Vec::new();
        let mut seen = 0_u64;
        for (step, (piece, end)) in steps.into_iter().enumerate() {
            let more = piece.as_ref().map_or(0, length);
            seen = seen.saturating_add(more);
            let action = held.push(piece, end, |_, _| judge(step, seen));
            let aborted = matches!(action, Action::Abort(_));
            actions.push(action);
            if aborted {
                break;
            }
        }
        (actions, held)
    }

    fn sent(actions: &[Action]) -> Vec<u8> {
        let emitted = actions.iter().map(|action| match action {
            Action::Emit(bytes) => bytes.clone(),
            Action::Hold | Action::Abort(_) => Bytes::new(),
        });
        emitted.collect::<Vec<_>>().concat()
    }

    fn settled(upto: u64) -> Settled {
        let edits = Vec::new();
        Settled { upto, edits }
    }

    proptest! {
        #[test]
        fn what_leaves_is_what_came_however_it_was_cut(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..9),
            end_alone: bool,
            behind in 0..20_u64,
        ) {
            let whole = pieces.concat();
            let judge = |_, seen: u64| Ok(settled(seen.saturating_sub(behind)));
            let (actions, held) = push_all(pieces, end_alone, judge);
            prop_assert_eq!(sent(&actions), &whole[..]);
            prop_assert_eq!(held.seen(), u64::try_from(whole.len()).unwrap());
            let before_the_end = actions.split_last().map(|(_, before)| sent(before));
            let early = before_the_end.unwrap_or_default();
            prop_assert!(whole.is_empty() || early.len() < whole.len(), "the newest bytes stay here");
        }

        #[test]
        fn a_body_refused_anywhere_never_leaves_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 1..9),
            end_alone: bool,
            at in any::<prop::sample::Index>(),
        ) {
            let whole = pieces.concat();
            let steps = if end_alone { pieces.len().saturating_add(1) } else { pieces.len() };
            let refuse_at = at.index(steps);
            let judge = |step, seen| if step == refuse_at { Err(Denial::Internal) } else { Ok(settled(seen)) };
            let (actions, _) = push_all(pieces, end_alone, judge);
            prop_assert_eq!(actions.last(), Some(&Action::Abort(Denial::Internal)));
            prop_assert!(sent(&actions).len() < whole.len(), "it is incomplete on the other side");
        }

        #[test]
        fn what_leaves_is_rewritten_as_the_whole_would_be(
            body in prop::collection::vec(any::<u8>(), 1..60),
            places in prop::collection::vec((0..60_u64, 0..9_u64, "[A-Z]{0,3}"), 0..12),
            cuts in prop::collection::vec(1..9_usize, 1..60),
            behind in 0..20_u64,
        ) {
            let size = u64::try_from(body.len()).unwrap();
            let mut edits: Vec<Edit> = places
                .into_iter()
                .map(|(start, len, with)| {
                    let start = start.min(size);
                    Edit { raw: start..start.saturating_add(len).min(size), with: with.into() }
                })
                .collect();
            let mut all = edits.clone();
            rewrite::settle(&mut all);
            let want = rewrite::apply(&body, &all);
            let (mut pieces, mut rest) = (Vec::new(), &body[..]);
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece.to_vec());
                rest = after;
            }
            pieces.push(rest.to_vec());
            // Each edit is told when its end has been seen, as the engine does.
            let judge = |_, seen: u64| {
                let ready = edits.extract_if(.., |edit| edit.raw.end <= seen).collect();
                let open = edits.iter().map(|edit| edit.raw.start).min();
                let upto = seen.saturating_sub(behind).min(open.unwrap_or(u64::MAX));
                Ok(Settled { upto, edits: ready })
            };
            let (actions, held) = push_all(pieces, true, judge);
            prop_assert_eq!(sent(&actions), want);
            prop_assert!(held.pieces.is_empty() && held.edits.is_empty(), "nothing is left");
        }
    }

    #[test]
    fn the_limit_holds_to_the_byte() {
        let mut held = tail(4);
        let ok = |_: &[u8], _: bool| Ok(settled(u64::MAX));
        assert_eq!(
            held.push(Some(Bytes::from_static(b"abcd")), false, ok),
            Action::Hold,
            "four"
        );
        assert_eq!(
            held.push(Some(Bytes::from_static(b"e")), false, ok),
            Action::Abort(Denial::RequestTooLarge(4)),
            "five of four"
        );
        assert_eq!(held.seen(), 5, "bytes are counted as they come");
    }

    #[test]
    fn what_waits_counts_against_the_budget_and_is_given_back() {
        let budget = Budget::new(10);
        let mut held = HeldTail::new(100, budget.share());
        let nothing = |_: &[u8], _: bool| Ok(settled(0));
        let all = |_: &[u8], _: bool| Ok(settled(u64::MAX));
        let piece = || Some(Bytes::from_static(b"abcd"));
        assert_eq!(held.push(piece(), false, nothing), Action::Hold);
        assert_eq!(held.push(piece(), false, nothing), Action::Hold);
        assert_eq!(budget.taken(), 8, "both wait");
        let refused = held.push(piece(), false, nothing);
        assert_eq!(
            refused,
            Action::Abort(Denial::Overloaded),
            "no room for a third"
        );
        let mut held = HeldTail::new(100, Budget::new(10).share());
        for _ in 0..9 {
            assert!(!matches!(held.push(piece(), false, all), Action::Abort(_)));
        }
    }
}
