//! What the request-body hook may do, and the one place where it is said to Pingora.
//!
//! Decides nothing about content. In Pingora 0.9.1 `None` before the end makes a complete but
//! truncated request, an empty last piece makes a double terminator (#935), and an error without
//! a source is swallowed towards HTTP/2: so no hook writes to the body by hand, and the tests
//! named `framing` hold these facts.

use bytes::{Bytes, BytesMut};
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use super::attempt::Progress;
use super::ctx::{Body, Flight, Passing, Stage};
use super::{Gateway, findings, reading};
use crate::inspect::detect::Family;
use crate::inspect::engine::{Inspection, Inspector};
use crate::inspect::finding::{Refusal, Report};
use crate::inspect::validate::Checker;
use crate::policy::{Denial, inspection};

/// What happens to a piece of a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing leaves yet.
    Hold,
    /// These bytes leave.
    Emit(Bytes),
    /// The request is refused: the provider sees an aborted body, never a complete request.
    Abort(Denial),
}

/// Carries an action out on the piece that the hook was handed.
///
/// # Errors
/// The refusal, marked as the client's so that HTTP/2 towards the provider is reset.
pub(crate) fn carry_out(action: Action, piece: &mut Option<Bytes>, end: bool) -> Result<()> {
    match action {
        Action::Emit(bytes) if end && bytes.is_empty() => *piece = None,
        Action::Emit(bytes) => *piece = Some(bytes),
        Action::Hold if end => {
            // Holding at the end would complete a truncated request.
            return Err(refusal(&Denial::Internal));
        }
        Action::Hold => *piece = Some(Bytes::new()),
        Action::Abort(denial) => return Err(refusal(&denial)),
    }
    Ok(())
}

/// The request-body hook: a held body passes as it was judged, one on its way is judged now.
///
/// # Errors
/// The refusal.
pub(crate) fn filter(
    gateway: &Gateway,
    session: &Session,
    flight: &mut Flight,
    piece: &mut Option<Bytes>,
    end: bool,
) -> Result<()> {
    let Stage::Call(call) = &mut flight.stage else {
        return Err(refusal(&Denial::Internal));
    };
    if let Some(attempt) = &mut call.attempt {
        attempt.reached(if end { Progress::Whole } else { Progress::Body });
    }
    let Body::Passing(passing) = &mut call.body else {
        return carry_out(Action::Emit(piece.take().unwrap_or_default()), piece, end);
    };
    let inspector = &flight.snapshot.policy.inspector;
    let mut heard = None;
    let Passing { tail, json } = &mut **passing;
    let action = tail.push(piece.take(), end, |bytes, end| {
        judge(json, inspector, bytes, end, &mut heard)
    });
    flight.record.request_bytes = tail.seen();
    if let Action::Abort(denial) = &action {
        call.denial = Some(denial.clone());
    }
    if let Some(report) = heard {
        findings::note(gateway, session, flight, &report);
    }
    carry_out(action, piece, end)
}

/// Judges the newest piece of JSON on its way. What has left can't be rewritten any more, so what
/// a held body would have had masked is refused here.
fn judge(
    json: &mut Option<(Inspection, Checker)>,
    inspector: &Inspector,
    bytes: &[u8],
    end: bool,
    heard: &mut Option<Report>,
) -> Result<(), Denial> {
    let Some((inspection, checker)) = json else {
        return Ok(());
    };
    if let Err(stop) = inspection.push(inspector, bytes, checker) {
        *heard = json
            .take()
            .map(|(inspection, _)| inspection.report(inspector));
        return Err(Denial::from(stop));
    }
    let Some((inspection, mut checker)) = json.take_if(|_| end) else {
        return Ok(());
    };
    match inspection.finish(inspector, &mut checker) {
        Ok(cleared) => {
            let (report, edits, facts) = cleared.into_parts();
            let masked = report
                .findings
                .iter()
                .find(|finding| finding.action == inspection::Action::Mask);
            let family = masked.map_or(Family::Sanitization, |finding| finding.family);
            *heard = Some(report);
            if !edits.is_empty() {
                return Err(Denial::Inspected(Refusal::Family(family)));
            }
            reading::valid(&checker)?;
            let facts = reading::wanted(facts, true)?;
            facts.map_or(Ok(()), |facts| {
                reading::name(&facts.model).map(|_well_formed| ())
            })
        }
        Err((stop, report)) => {
            *heard = Some(report);
            Err(Denial::from(stop))
        }
    }
}

fn refusal(denial: &Denial) -> Box<Error> {
    Error::explain(ErrorType::HTTPStatus(denial.face().status), denial.reason()).into_down()
}

/// Sends a body on piece by piece, the newest piece held back until the next one, or the end,
/// has been judged.
#[derive(Debug, Default)]
pub(crate) struct HeldTail {
    tail: Bytes,
    seen: u64,
    limit: u64,
}

impl HeldTail {
    /// A body of at most so many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            tail: Bytes::new(),
            seen: 0,
            limit,
        }
    }

    /// Takes the newest piece and says what may leave. `judge` sees each piece once, and the end.
    pub(crate) fn push(
        &mut self,
        piece: Option<Bytes>,
        end: bool,
        mut judge: impl FnMut(&[u8], bool) -> Result<(), Denial>,
    ) -> Action {
        let piece = piece.unwrap_or_default();
        self.seen = self
            .seen
            .saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.seen > self.limit {
            return Action::Abort(Denial::RequestTooLarge(self.limit));
        }
        if let Err(denial) = judge(&piece, end) {
            return Action::Abort(denial);
        }
        if end {
            return Action::Emit(joined(std::mem::take(&mut self.tail), piece));
        }
        if piece.is_empty() {
            return Action::Hold;
        }
        match std::mem::replace(&mut self.tail, piece) {
            tail if tail.is_empty() => Action::Hold,
            tail => Action::Emit(tail),
        }
    }

    /// Bytes seen so far.
    pub(crate) const fn seen(&self) -> u64 {
        self.seen
    }
}

fn joined(first: Bytes, second: Bytes) -> Bytes {
    if first.is_empty() {
        return second;
    }
    if second.is_empty() {
        return first;
    }
    let mut both = BytesMut::with_capacity(first.len().saturating_add(second.len()));
    both.extend_from_slice(&first);
    both.extend_from_slice(&second);
    both.freeze()
}

#[cfg(test)]
mod tests {
    use pingora::ErrorSource;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn holding_is_an_empty_piece_and_never_none() {
        let mut piece = Some(Bytes::from_static(b"abc"));
        carry_out(Action::Hold, &mut piece, false).unwrap();
        assert_eq!(piece, Some(Bytes::new()), "None would end the request");
    }

    #[test]
    fn an_empty_end_is_none_and_never_an_empty_piece() {
        let mut piece = Some(Bytes::new());
        carry_out(Action::Emit(Bytes::new()), &mut piece, true).unwrap();
        assert_eq!(piece, None, "an empty last piece would be terminated twice");
    }

    #[test]
    fn holding_at_the_end_is_refused() {
        let mut piece = Some(Bytes::from_static(b"abc"));
        assert!(
            carry_out(Action::Hold, &mut piece, true).is_err(),
            "the tail would be lost"
        );
    }

    #[test]
    fn a_refusal_is_the_clients_fault() {
        let error = carry_out(Action::Abort(Denial::RequestTimeout), &mut None, false).unwrap_err();
        assert_eq!(
            error.esource(),
            &ErrorSource::Downstream,
            "else HTTP/2 swallows it"
        );
        assert_eq!(
            error.etype(),
            &ErrorType::HTTPStatus(408),
            "the denial's status"
        );
    }

    /// Pushes the pieces and then the end, which comes with the last piece or on its own.
    fn push_all(
        pieces: Vec<Vec<u8>>,
        end_alone: bool,
        mut judge: impl FnMut(usize) -> Result<(), Denial>,
    ) -> (Vec<Action>, HeldTail) {
        let mut held = HeldTail::new(1_000);
        let mut steps: Vec<_> = pieces
            .into_iter()
            .map(|p| (Some(Bytes::from(p)), false))
            .collect();
        match steps.last_mut() {
            Some(last) if !end_alone => last.1 = true,
            Some(_) | None => steps.push((None, true)),
        }
        let mut actions = Vec::new();
        for (step, (piece, end)) in steps.into_iter().enumerate() {
            let action = held.push(piece, end, |_, _| judge(step));
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

    proptest! {
        #[test]
        fn what_leaves_is_what_came_however_it_was_cut(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..9),
            end_alone: bool,
        ) {
            let whole = pieces.concat();
            let (actions, held) = push_all(pieces, end_alone, |_| Ok(()));
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
            let judge = |step| if step == refuse_at { Err(Denial::Internal) } else { Ok(()) };
            let (actions, _) = push_all(pieces, end_alone, judge);
            prop_assert_eq!(actions.last(), Some(&Action::Abort(Denial::Internal)));
            prop_assert!(sent(&actions).len() < whole.len(), "it is incomplete on the other side");
        }
    }

    #[test]
    fn the_limit_holds_to_the_byte() {
        let mut held = HeldTail::new(4);
        let ok = |_: &[u8], _: bool| Ok(());
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
}
