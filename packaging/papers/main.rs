//! Writes manual pages and shell completions below the folder that it is given.

use std::error::Error;
use std::path::PathBuf;

mod write;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    write::all(&folder.ok_or("usage: papers FOLDER")?)?;
    Ok(())
}
