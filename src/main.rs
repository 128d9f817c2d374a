//! The program: arguments to a command to an exit code.

use std::io::Write as _;
use std::process::ExitCode;

use portcullis::cli::processor;

/// Half of a small request's cost is allocation; see `benches/README.md` for what each costs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> anyhow::Result<ExitCode> {
    if !processor::suffices() {
        std::io::stderr().write_all(processor::COMPLAINT.as_bytes())?;
        return Ok(ExitCode::from(2));
    }
    run()
}

/// Apart, so that nothing of it runs before the processor was asked.
#[inline(never)]
fn run() -> anyhow::Result<ExitCode> {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let code = portcullis::cli::main(std::env::args_os(), &mut out, &mut err)?;
    Ok(ExitCode::from(code))
}
