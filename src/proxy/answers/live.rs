//! One answer on its way: what Pingora hands to the client's side, turned into what may be sent.
//!
//! Decides when a head may leave: a stream's at once, a plain answer's when its body has been
//! judged. What can't go on is told to the client as the truth about it: an error in place of a
//! plain answer, the API's own error event and an orderly end in place of a stream's rest.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::protocols::http::HttpTask;

use super::streams::{Order, Place};
use super::{own_head, refusal, sized};
use crate::admit::budget::Share;
use crate::inspect::answer::{Answer, Broken, By, Used};
use crate::inspect::finding::Report;
use crate::policy::Denial;
use crate::provider::translate::{Translator, Untold};
use crate::proxy::{Snapshot, reply};
use crate::record::endpoint::Endpoint;

thread_local! {
    /// What may leave of the piece that is being heard.
    static OUT: RefCell<Vec<u8>> = RefCell::default();
}

/// What one large piece took is not kept for the next small ones.
const OUT_KEPT: usize = 64 * 1024;

/// An answer on its way.
pub(crate) struct Live {
    answer: Answer,
    /// Turns the provider's words into the client's, where those are others.
    translator: Option<Box<Translator>>,
    snapshot: Arc<Snapshot>,
    endpoint: Endpoint,
    request_id: Box<str>,
    began: Instant,
    place: Option<Place>,
    share: Share,
    /// The head of a plain answer that is not yet judged.
    head: Option<Box<ResponseHeader>>,
    status: u16,
    /// Nothing more is to be sent.
    over: bool,
    denial: Option<Denial>,
}

/// What may be sent.
pub(crate) struct Passed {
    pub(crate) tasks: Vec<HttpTask>,
    /// The answer ends here before the provider's does: its connection is to be closed.
    pub(crate) cut: bool,
}

impl Live {
    pub(crate) fn new(
        (answer, translator): (Answer, Option<Box<Translator>>),
        snapshot: Arc<Snapshot>,
        (endpoint, request_id): (Endpoint, Box<str>),
        (place, share): (Option<Place>, Share),
        began: Instant,
    ) -> Self {
        Self {
            answer,
            translator,
            snapshot,
            endpoint,
            request_id,
            began,
            place,
            share,
            head: None,
            status: 200,
            over: false,
            denial: None,
        }
    }

    /// What the inspection did and found, what was used, and why the answer was ended, if it was.
    pub(crate) fn into_parts(self) -> (Report, Used, Option<Denial>) {
        let inspector = &self.snapshot.policy.response_inspector;
        (
            self.answer.report(inspector),
            self.answer.used(),
            self.denial,
        )
    }

    /// What tells the stream to end.
    pub(crate) fn order(&self) -> Option<&Order> {
        let place = self.place.as_ref().filter(|_| !self.over)?;
        Some(&place.order)
    }

    /// When what is held must leave.
    pub(crate) fn due(&self) -> Option<Instant> {
        let due = self.answer.due(&self.snapshot.policy.answers)?;
        self.began.checked_add(due)
    }

    /// Takes what the provider's side hands on.
    pub(crate) fn pass(&mut self, tasks: Vec<HttpTask>, now: Instant) -> Passed {
        let mut tasks = tasks;
        if let [HttpTask::Body(Some(piece), end)] = tasks.as_mut_slice()
            && self.answer.is_stream()
            && !self.over
        {
            // Nearly always there is one piece, in whose place stands what may leave of it.
            let (event, cut) = self.streamed(piece, *end, now);
            (*piece, *end) = (event, self.over);
            return Passed { tasks, cut };
        }
        let mut passed = Passed {
            tasks: Vec::with_capacity(tasks.len()),
            cut: false,
        };
        for task in joined(tasks) {
            if self.over {
                break;
            }
            match task {
                HttpTask::Header(head, end) => self.head(head, end, &mut passed),
                HttpTask::Body(piece, end) => {
                    self.piece(&piece.unwrap_or_default(), end, now, &mut passed);
                }
                HttpTask::Done | HttpTask::Trailer(_) => {
                    self.piece(&Bytes::new(), true, now, &mut passed);
                }
                HttpTask::Failed(_) if self.answer.is_stream() => {
                    let denial = denial(Broken::Unfinished, self.status);
                    let rest = self.cut(denial);
                    passed.cut = true;
                    passed.tasks.push(HttpTask::Body(Some(rest), true));
                }
                other @ (HttpTask::Failed(_) | HttpTask::UpgradedBody(..)) => {
                    self.over = true;
                    passed.tasks.push(other);
                }
            }
        }
        passed
    }

    /// What was held for as long as it may be.
    pub(crate) fn tick(&mut self, now: Instant) -> Passed {
        let mut out = Vec::new();
        let by = by(&self.snapshot, self.began, now);
        let outcome = self.answer.tick(by, &mut out);
        let mut passed = Passed {
            tasks: Vec::new(),
            cut: false,
        };
        match outcome {
            Ok(()) if out.is_empty() => {}
            Ok(()) => passed.tasks.push(HttpTask::Body(Some(out.into()), false)),
            Err(broken) => {
                out.extend_from_slice(&self.cut(denial(broken, self.status)));
                passed.cut = true;
                passed.tasks.push(HttpTask::Body(Some(out.into()), true));
            }
        }
        passed
    }

    /// Ends the stream for this reason; what is to be sent last.
    pub(crate) fn cut(&mut self, denial: Denial) -> Bytes {
        self.over = true;
        let number = self.answer.next_number();
        let last = reply::closing_event(&denial, self.endpoint, &self.request_id, number);
        self.denial = Some(denial);
        last
    }

    fn head(&mut self, head: Box<ResponseHeader>, end: bool, passed: &mut Passed) {
        if head.status.is_informational() {
            passed.tasks.push(HttpTask::Header(head, end));
            return;
        }
        self.status = head.status.as_u16();
        if end || self.answer.is_stream() {
            self.over = end;
            let mut head = head;
            if !self.answer.is_stream() {
                // It ends here, whatever length it names.
                sized(&mut head, 0);
            }
            passed.tasks.push(HttpTask::Header(head, end));
        } else {
            self.head = Some(head);
        }
    }

    fn piece(&mut self, piece: &[u8], end: bool, now: Instant, passed: &mut Passed) {
        if !self.answer.is_stream() {
            let mut out = Vec::new();
            match self.heard(piece, end, now, &mut out) {
                Ok(()) if end && self.status >= 400 => {
                    let about = (self.status, self.endpoint);
                    self.judged(refusal::named(&out, about, &self.request_id), passed);
                }
                Ok(()) if end => self.judged(out.into(), passed),
                Ok(()) => {}
                Err(broken) => self.refused(denial(broken, self.status), !end, passed),
            }
            return;
        }
        let (event, cut) = self.streamed(piece, end, now);
        passed.cut |= cut;
        passed.tasks.push(HttpTask::Body(Some(event), self.over));
    }

    /// What may leave of a stream, and whether it is cut here.
    fn streamed(&mut self, piece: &[u8], end: bool, now: Instant) -> (Bytes, bool) {
        let (mut out, mut cut) = (OUT.take(), false);
        match self.heard(piece, end, now, &mut out) {
            Ok(()) => self.over = end,
            Err(broken) => {
                out.extend_from_slice(&self.cut(denial(broken, self.status)));
                cut = true;
            }
        }
        // An event that is copied takes what it needs, and no room for more.
        let event = Bytes::copy_from_slice(&out);
        out.clear();
        if out.capacity() <= OUT_KEPT {
            OUT.set(out);
        }
        (event, cut)
    }

    /// Hears the next piece, and the end; what may leave is appended.
    fn heard(
        &mut self,
        piece: &[u8],
        end: bool,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let by = by(&self.snapshot, self.began, now);
        let mut said = Vec::new();
        let piece = match &mut self.translator {
            Some(translator) => told(translator, piece, end, &mut said).map(|()| &*said)?,
            None => piece,
        };
        if !self.answer.is_stream() && self.share.grow(piece.len()).is_err() {
            return Err(Broken::TooLarge);
        }
        self.answer.push(by, piece, out)?;
        if end {
            self.answer.finish(by, out)?;
        }
        Ok(())
    }

    /// A plain answer may leave.
    fn judged(&mut self, body: Bytes, passed: &mut Passed) {
        self.over = true;
        if let Some(mut head) = self.head.take() {
            sized(&mut head, body.len());
            passed.tasks.push(HttpTask::Header(head, body.is_empty()));
            if !body.is_empty() {
                passed.tasks.push(HttpTask::Body(Some(body), true));
            }
        }
    }

    /// An error takes the place of a plain answer.
    fn refused(&mut self, denial: Denial, cut: bool, passed: &mut Passed) {
        let body = reply::error_body(&denial, self.endpoint, &self.request_id);
        if let Some(head) = &mut self.head {
            own_head(head, denial.face().status, body.len());
        }
        self.judged(body, passed);
        passed.cut = cut;
        self.denial = Some(denial);
    }
}

fn by(snapshot: &Snapshot, began: Instant, now: Instant) -> By<'_> {
    By {
        inspector: &snapshot.policy.response_inspector,
        policy: &snapshot.policy.answers,
        now: now.saturating_duration_since(began),
    }
}

/// What a piece of the provider's says in the client's words.
fn told(
    translator: &mut Translator,
    piece: &[u8],
    end: bool,
    said: &mut Vec<u8>,
) -> Result<(), Broken> {
    let mut told = translator.push(piece, said);
    if end && told.is_ok() {
        told = translator.finish(said);
    }
    told.map_err(|untold| match untold {
        Untold::Shape => Broken::Json,
        Untold::TooLarge => Broken::TooLarge,
        Untold::Failed => Broken::Failed,
    })
}

/// Pieces that came together are one: an event whose text the next one settles keeps its bytes.
fn joined(tasks: Vec<HttpTask>) -> Vec<HttpTask> {
    if tasks.len() < 2 {
        return tasks;
    }
    let mut out: Vec<HttpTask> = Vec::with_capacity(tasks.len());
    for task in tasks {
        match (out.last_mut(), task) {
            (Some(HttpTask::Body(Some(before), false)), HttpTask::Body(piece, end)) => {
                let piece = piece.unwrap_or_default();
                if !piece.is_empty() {
                    *before = [before.as_ref(), piece.as_ref()].concat().into();
                }
                if end {
                    out.push(HttpTask::Body(None, true));
                }
            }
            (_, task) => out.push(task),
        }
    }
    out
}

/// What an answer that goes no further is for the client.
fn denial(broken: Broken, status: u16) -> Denial {
    match broken {
        Broken::Refused(refusal) if status < 400 => Denial::Withheld(refusal),
        // A provider's own error: its status stays, its words do not.
        Broken::Refused(_) | Broken::Json | Broken::TooLarge | Broken::Failed if status >= 400 => {
            Denial::ProviderFailed {
                status,
                retry_after: None,
            }
        }
        Broken::Refused(_)
        | Broken::Json
        | Broken::TooLarge
        | Broken::Failed
        | Broken::Unfinished => Denial::UpstreamError,
    }
}
