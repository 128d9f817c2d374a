//! `run --daemon`: the server in the background, once it serves.
//!
//! Decides when the one who started it is told: when every listener takes connections (the word
//! that a service manager would get), or when the server ended before that. There is no fork: the
//! program runs itself, in a session of its own as far as signals of the terminal go.

use std::io::{self, Read as _, Write};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often it is looked whether the server has ended.
const LOOK: Duration = Duration::from_millis(50);

/// The longest word of the server that is read.
const WORD: usize = 4096;

/// Starts the server and waits until it serves.
///
/// # Errors
/// The program can't be started, or nothing can be written.
pub(crate) fn start(config: &Path, upgrade: bool, err: &mut dyn Write) -> io::Result<u8> {
    let name = format!("portcullis-ready-{}", std::process::id());
    // A name without a file: nobody has to tidy it up.
    let address =
        <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(
            &name,
        )?;
    let told = UnixDatagram::bind_addr(&address)?;
    told.set_read_timeout(Some(LOOK))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("run").arg("--config").arg(config);
    if upgrade {
        command.arg("--upgrade");
    }
    let mut child = command
        .env("NOTIFY_SOCKET", format!("@{name}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut word = [0_u8; WORD];
    loop {
        if let Ok(length) = told.recv(&mut word)
            && word
                .get(..length)
                .is_some_and(|word| word.split(|b| *b == b'\n').any(|line| line == b"READY=1"))
        {
            writeln!(
                err,
                "portcullis: serving in the background as process {}",
                child.id()
            )?;
            return Ok(0);
        }
        if let Some(status) = child.try_wait()? {
            pass_on(&mut child, err)?;
            return Ok(status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1));
        }
    }
}

/// What the server said before it ended.
fn pass_on(child: &mut Child, err: &mut dyn Write) -> io::Result<()> {
    let mut said = Vec::new();
    if let Some(stream) = &mut child.stderr {
        stream.read_to_end(&mut said)?;
    }
    err.write_all(&said)
}
