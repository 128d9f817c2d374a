//! `SIGUSR2`: the running process starts its successor itself.
//!
//! Decides which program that is: what stands now where this one was started from, so that a
//! replaced binary is taken. Under systemd the new process thereby belongs to the unit. What
//! systemd told this process alone (its sockets, its part in the watchdog) is not passed on.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use tokio::sync::oneshot;

/// What Linux adds to the name of a program that was replaced.
const REPLACED: &[u8] = b" (deleted)";

/// What was meant for one process alone.
const OWN: [&str; 4] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"];

/// A process that was started to take over.
pub(crate) struct Child {
    /// Its id.
    pub(crate) pid: u32,
    /// What became of it, once it has ended.
    pub(crate) end: oneshot::Receiver<String>,
}

/// Starts a process that is to take over.
///
/// # Errors
/// The program can't be started.
pub(crate) fn successor() -> io::Result<Child> {
    let mut command = Command::new(program(env::current_exe()?));
    command.args(arguments(env::args_os().skip(1)));
    for name in OWN {
        command.env_remove(name);
    }
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let pid = child.id();
    let (told, end) = oneshot::channel();
    let wait = move || {
        let status = child.wait();
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        // Nobody waits for it any more once it has taken over.
        let _nobody = told.send(status);
    };
    thread::Builder::new()
        .name("successor".to_owned())
        .spawn(wait)?;
    Ok(Child { pid, end })
}

fn program(own: PathBuf) -> PathBuf {
    let name = own.into_os_string().into_vec();
    let there = name.strip_suffix(REPLACED).unwrap_or(&name);
    OsStr::from_bytes(there).into()
}

fn arguments(own: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let kept = own.filter(|word| word != "--upgrade" && word != "--daemon");
    kept.chain([OsString::from("--upgrade")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_the_program_that_stands_there_now() {
        for (own, expected) in [
            ("/usr/bin/portcullis", "/usr/bin/portcullis"),
            ("/usr/bin/portcullis (deleted)", "/usr/bin/portcullis"),
        ] {
            assert_eq!(program(own.into()), PathBuf::from(expected), "{own}");
        }
        let words = |text: &str| -> Vec<OsString> { text.split(' ').map(Into::into).collect() };
        for own in [
            "run -c x.yaml",
            "run -c x.yaml --upgrade",
            "run --daemon -c x.yaml",
        ] {
            let expected = words("run -c x.yaml --upgrade");
            assert_eq!(arguments(words(own).into_iter()), expected, "{own}");
        }
    }
}
