//! What the request-body hook may do, and the one place where it is said to Pingora.
//!
//! Decides nothing about content. In Pingora 0.9.1 `None` before the end makes a complete but
//! truncated request, an empty last piece makes a double terminator (#935), and an error without
//! a source is swallowed towards HTTP/2: so no hook writes to the body by hand, and the tests
//! named `framing` hold these facts.

use bytes::Bytes;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use super::attempt::Progress;
use super::ctx::{Body, Flight, Passing, Stage};
use super::{Gateway, findings, reading};
use crate::inspect::engine::{BodyInspection, Inspector};
use crate::inspect::finding::{Report, Settled};
use crate::inspect::validate::Checker;
use crate::policy::Denial;

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
    let Passing {
        tail,
        reading,
        model_needed,
        ..
    } = &mut **passing;
    let action = tail.push(piece.take(), end, |bytes, end| {
        let mut settled = judge(reading, inspector, bytes, &mut heard)?;
        if end {
            // The last piece has edits of its own, besides those that come to light at the end.
            let rest = judge_end(reading, *model_needed, inspector, &mut heard)?;
            settled.upto = rest.upto;
            settled.edits.extend(rest.edits);
        }
        Ok(settled)
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

/// Judges the newest piece of a body on its way.
fn judge(
    reading: &mut Option<(BodyInspection, Checker)>,
    inspector: &Inspector,
    bytes: &[u8],
    heard: &mut Option<Report>,
) -> Result<Settled, Denial> {
    let Some((inspection, checker)) = reading else {
        return Err(Denial::Internal);
    };
    if let Err(stop) = inspection.push(inspector, bytes, checker) {
        *heard = reading
            .take()
            .map(|(inspection, _)| inspection.report(inspector));
        return Err(Denial::from(stop));
    }
    Ok(inspection.settle())
}

/// Judges the end of a body on its way; all that is left to be rewritten.
fn judge_end(
    reading: &mut Option<(BodyInspection, Checker)>,
    model_needed: bool,
    inspector: &Inspector,
    heard: &mut Option<Report>,
) -> Result<Settled, Denial> {
    let Some((inspection, mut checker)) = reading.take() else {
        return Err(Denial::Internal);
    };
    match inspection.finish(inspector, &mut checker) {
        Ok(cleared) => {
            let (report, edits, facts) = cleared.into_parts();
            *heard = Some(report);
            reading::valid(&checker)?;
            if let Some(facts) = reading::wanted(facts, model_needed)? {
                reading::name(&facts.model)?;
            }
            let upto = u64::MAX;
            Ok(Settled { upto, edits })
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

#[cfg(test)]
mod tests {
    use pingora::ErrorSource;

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
}
