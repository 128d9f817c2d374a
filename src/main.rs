//! The program: arguments to a command to an exit code.

use std::process::ExitCode;

/// Half of a small request's cost is allocation; see `benches/README.md` for what each costs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> anyhow::Result<ExitCode> {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let code = portcullis::cli::main(std::env::args_os(), &mut out, &mut err)?;
    Ok(ExitCode::from(code))
}
