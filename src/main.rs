//! The program: arguments to a command to an exit code.

use std::io::{self, Write as _};
use std::process::ExitCode;

use portcullis::cli::processor;

/// Half of a small request's cost is allocation; see `benches/README.md` for what each costs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// It can't run here, or can't tell its answer.
const UNUSABLE: u8 = 2;

/// What a shell tells of a program that SIGPIPE ended, as the reader of its answer had gone. Never
/// 0, since the answer may have been that something is not fine.
const READER_GONE: u8 = 141;

fn main() -> ExitCode {
    if processor::suffices() {
        run()
    } else {
        complain(processor::COMPLAINT);
        ExitCode::from(UNUSABLE)
    }
}

/// Apart, so that nothing of it runs before the processor was asked.
#[inline(never)]
fn run() -> ExitCode {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let done = portcullis::cli::main(std::env::args_os(), &mut out, &mut err)
        .and_then(|code| out.flush().map(|()| code));
    ExitCode::from(match done {
        Ok(code) => code,
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => READER_GONE,
        Err(fault) => {
            complain(&format!(
                "portcullis: the answer can't be written: {fault}\n"
            ));
            UNUSABLE
        }
    })
}

/// Writes to stderr. If even that fails, nobody is left to be told.
fn complain(what: &str) {
    let _unheard = io::stderr().write_all(what.as_bytes());
}
