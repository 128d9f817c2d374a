//! Manual pages and shell completions, made from the command line itself, so that they can't go
//! stale: `man/man1`, `bash-completion/completions`, `zsh/vendor-completions` and
//! `fish/vendor_completions.d`, as they lie below `/usr/share`.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use clap_complete::{Shell, generate};

const NAME: &str = "portcullis";

/// Writes them below this folder.
pub(crate) fn all(folder: &Path) -> io::Result<()> {
    let man = folder.join("man/man1");
    fs::create_dir_all(&man)?;
    clap_mangen::generate_to(portcullis::cli::command(), &man)?;
    for (shell, place, name) in [
        (Shell::Bash, "bash-completion/completions", "portcullis"),
        (Shell::Zsh, "zsh/vendor-completions", "_portcullis"),
        (Shell::Fish, "fish/vendor_completions.d", "portcullis.fish"),
    ] {
        let place = folder.join(place);
        fs::create_dir_all(&place)?;
        let mut file = File::create(place.join(name))?;
        generate(shell, &mut portcullis::cli::command(), NAME, &mut file);
    }
    Ok(())
}
