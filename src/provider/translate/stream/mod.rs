//! Streams: the events of one API as the events of the other, as they come.
//!
//! Lives here: the frame, and one file a direction. Must not live here: how events are cut out of
//! bytes (`inspect::answer::sse`). An end that the provider did not say is not said here either.

mod chunks;
mod events;

use serde_json::Value;

use super::{Direction, Untold, Wanted};
use crate::inspect::answer::sse::Framer;

/// A stream as far as it was told.
#[derive(Debug)]
pub(super) struct Stream {
    framer: Framer,
    teller: Teller,
}

#[derive(Debug)]
enum Teller {
    Chunks(chunks::Chunks),
    Events(events::Events),
}

impl Stream {
    pub(super) fn new(wanted: Wanted, created: u64) -> Self {
        let teller = match wanted.direction {
            Direction::ChatToMessages => Teller::Chunks(chunks::Chunks::new(wanted.usage, created)),
            Direction::MessagesToChat => Teller::Events(events::Events::default()),
        };
        Self {
            framer: Framer::default(),
            teller,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Untold> {
        let teller = &mut self.teller;
        self.framer.push(bytes, |event| match event.payload() {
            None => Ok(()),
            Some(payload) => teller.tell(payload, out),
        })
    }
}

impl Teller {
    fn tell(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Untold> {
        if let (Self::Events(events), b"[DONE]") = (&mut *self, payload.trim_ascii()) {
            events.end(out);
            return Ok(());
        }
        let event: Value = serde_json::from_slice(payload).map_err(|_of_json| Untold::Shape)?;
        match self {
            Self::Chunks(chunks) => chunks.tell(&event, out),
            Self::Events(events) => events.tell(&event, out),
        }
    }
}

/// Writes one event: its name, where it has one, and its data.
fn write(out: &mut Vec<u8>, name: Option<&str>, data: &str) {
    if let Some(name) = name {
        for part in ["event: ", name, "\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    for part in ["data: ", data, "\n\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}
