//! The new process's side: asks the running one, waits for its turn, and takes over.
//!
//! Decides nothing: it is told when, and what to remember. Everything that can be wrong with the
//! configuration was found before this is called.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use thiserror::Error;

use super::message::{Answer, Call, MAX_LINE, State, VERSION};
use super::place::Place;
use crate::runtime::clock;

/// How long the running process may take to answer.
const ANSWERS: Duration = Duration::from_secs(5);

/// How long `SIGQUIT` may be waited for.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long Pingora may take to open its socket, and how often that is looked at.
const OPENS: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// Why this process can't take over.
#[derive(Debug, Error)]
pub enum TakeoverFault {
    /// Nobody is there.
    #[error(
        "no running gateway answers at {}: {source}; start this one without --upgrade",
        at.display()
    )]
    Nobody {
        /// Where it was called.
        at: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The running process says no.
    #[error("the running gateway does not hand over: {0}")]
    Refused(String),
    /// It went away, or said what can't be understood.
    #[error("the running gateway was lost before it handed over: {0}")]
    Lost(#[from] io::Error),
    /// No `SIGQUIT` came.
    #[error("the running gateway was sent no SIGQUIT within {} minutes", PATIENCE.as_secs() / 60)]
    Patience,
}

/// What the running process hands over beside its sockets.
pub(crate) struct Takeover {
    /// The addresses whose sockets come.
    pub(crate) listeners: Vec<String>,
    /// What must not be forgotten.
    pub(crate) state: State,
    stream: UnixStream,
}

/// Calls the running process and waits until it hands over.
///
/// # Errors
/// It is not there, says no, goes away, or never gets its `SIGQUIT`.
pub(crate) fn call(place: &Place) -> Result<Takeover, TakeoverFault> {
    let stream = UnixStream::connect(&place.call).map_err(|source| TakeoverFault::Nobody {
        at: place.call.clone(),
        source,
    })?;
    stream.set_read_timeout(Some(ANSWERS))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let pid = std::process::id();
    say(
        &stream,
        &Call::Ready {
            version: VERSION,
            pid,
        },
    )?;
    match heard(&mut reader)? {
        Answer::Wait { pid } => log::info!("waiting for process {pid} to get its SIGQUIT"),
        Answer::Refused { why } => return Err(TakeoverFault::Refused(why)),
        Answer::Take { .. } => return Err(TakeoverFault::Refused("it says the wrong word".into())),
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    match heard(&mut reader) {
        Ok(Answer::Take { listeners, state }) => Ok(Takeover {
            listeners,
            state,
            stream,
        }),
        Ok(Answer::Wait { .. }) => Err(TakeoverFault::Refused("it says the wrong word".into())),
        Ok(Answer::Refused { why }) => Err(TakeoverFault::Refused(why)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ) =>
        {
            Err(TakeoverFault::Patience)
        }
        Err(error) => Err(error.into()),
    }
}

impl Takeover {
    /// Tells the running process, from a thread of its own, when Pingora has opened the transfer
    /// socket: it does so and waits at it in one call.
    ///
    /// # Errors
    /// What is left there from before can't be removed, or no thread started.
    pub(crate) fn announce(self, place: &Place) -> io::Result<()> {
        match fs::remove_file(&place.transfer) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let path = place.transfer.clone();
        let wait = move || {
            let end = clock::now().checked_add(OPENS);
            while !is_socket(&path) && end.is_some_and(|end| clock::now() < end) {
                thread::park_timeout(LOOK);
            }
            if is_socket(&path)
                && let Err(error) = say(&self.stream, &Call::Open)
            {
                log::error!("the running gateway can't be told to hand over: {error}");
            }
        };
        thread::Builder::new()
            .name("takeover".to_owned())
            .spawn(wait)
            .map(drop)
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

fn say(mut stream: &UnixStream, call: &Call) -> io::Result<()> {
    let mut line = serde_json::to_vec(call)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn heard(reader: &mut BufReader<UnixStream>) -> io::Result<Answer> {
    let mut line = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}
