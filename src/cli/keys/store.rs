//! The files of the commands: read under a lock, replaced whole or not at all.
//!
//! Decides how a file is replaced: written beside it with mode 0600, forced to disk, renamed over
//! it, its folder forced to disk. So a reader sees the old file or the new one, and a crash leaves
//! one of the two. The owner stays who it was, or a key made by root would lock the gateway out.
//! The lock is on the folder, so that it outlives the file that is replaced.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Refusal;
use crate::config::keyfile::KeyBook;
use crate::policy::secret::Secret;

/// A keys file that nobody else alters as long as the value lives.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    folder: File,
    /// What the file holds, where there is one.
    pub(super) text: Option<String>,
    owner: Option<(u32, u32)>,
    /// Of the file as it was found.
    pub(super) mode: Option<u32>,
}

/// The bits of a mode that let others than owner and group in.
pub(super) const OTHERS: u32 = 0o007;

impl Store {
    /// Locks the file's folder and reads the file.
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        // A link stays a link: what it points to is replaced.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_new| path.to_path_buf());
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            Some(_) | None => PathBuf::from("."),
        };
        let folder = File::open(&parent)
            .map_err(Refusal::system(format!("can't open {}", parent.display())))?;
        folder
            .lock()
            .map_err(Refusal::system(format!("can't lock {}", parent.display())))?;
        let (text, metadata) = match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
            Err(error) => return Err(Self::unreadable(&path, error)),
            Ok(metadata) if !metadata.is_file() => {
                let shown = path.display();
                return Err(Refusal::unusable(format!("{shown} is not a plain file")));
            }
            Ok(metadata) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| Self::unreadable(&path, error))?;
                (Some(text), Some(metadata))
            }
        };
        Ok(Self {
            path,
            folder,
            text,
            owner: metadata.as_ref().map(|data| (data.uid(), data.gid())),
            mode: metadata.as_ref().map(MetadataExt::mode),
        })
    }

    fn unreadable(path: &Path, error: io::Error) -> Refusal {
        Refusal::system(format!("can't read {}", path.display()))(error)
    }

    /// The file's name, as messages show it.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The keys in the file; none where there is no file.
    pub(super) fn book(&self) -> Result<Option<KeyBook>, Refusal> {
        let Some(text) = &self.text else {
            return Ok(None);
        };
        KeyBook::read(&self.shown(), text)
            .map(Some)
            .map_err(|faults| Refusal::Unusable(faults.iter().map(ToString::to_string).collect()))
    }

    /// The keys in a file that must be there.
    pub(super) fn existing(&self) -> Result<KeyBook, Refusal> {
        self.book()?.ok_or_else(|| {
            let shown = self.shown();
            Refusal::unusable(format!(
                "{shown}: there is no such file; `portcullis keys new --keys {shown}` makes one"
            ))
        })
    }

    /// Replaces the file.
    pub(super) fn replace(&self, text: &str) -> Result<(), Refusal> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let beside = format!(".{name}.{}.new", std::process::id());
        let beside = self.path.with_file_name(beside);
        let written = self
            .write_new(&beside, text)
            .and_then(|()| std::fs::rename(&beside, &self.path))
            .and_then(|()| self.folder.sync_all());
        written.map_err(|error| {
            // What is left half-written is of no use to anyone, and may not be there at all.
            let _gone = std::fs::remove_file(&beside);
            Refusal::system(format!("can't write {}", self.shown()))(error)
        })
    }

    /// Keeps the file as it was found, under a name that says when.
    pub(super) fn back_up(&self, stamp: &str) -> Result<PathBuf, Refusal> {
        let text = self.text.as_deref().unwrap_or_default();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        for number in 0..100_u32 {
            let ending = if number == 0 {
                String::new()
            } else {
                format!("-{number}")
            };
            let backup = self
                .path
                .with_file_name(format!("{name}.{stamp}{ending}.bak"));
            match self.write_new(&backup, text) {
                Ok(()) => return Ok(backup),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let what = format!("can't write the backup {}", backup.display());
                    return Err(Refusal::system(what)(error));
                }
            }
        }
        Err(Refusal::unusable(
            "there are a hundred backups of this second already",
        ))
    }

    fn write_new(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = create_private(path)?;
        if let Some((user, group)) = self.owner {
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (user, group) {
                std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
            }
        }
        // A group that alone could read it still can: the gateway may be its only other member.
        let group = self.mode.filter(|mode| mode & OTHERS == 0);
        let group = group.unwrap_or_default() & 0o040;
        file.set_permissions(std::fs::Permissions::from_mode(0o600 | group))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// A secret that lies in a file of its own, made on first use; and whether it was made now. It
/// belongs to whom the keys file belongs to.
pub(super) fn secret(path: &Path, keys: Option<&Path>) -> Result<(Secret, bool), Refusal> {
    let made = match std::fs::metadata(path) {
        Ok(_) => false,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut random = [0_u8; 32];
            fill(&mut random)?;
            let text = Secret::new(hex(&random));
            random.fill(0);
            let owner = keys
                .and_then(|keys| std::fs::metadata(keys).ok())
                .map(|data| (data.uid(), data.gid()));
            make_once(path, &text, owner)
                .map_err(Refusal::system(format!("can't make {}", path.display())))?
        }
        Err(error) => {
            let what = format!("can't read {}", path.display());
            return Err(Refusal::system(what)(error));
        }
    };
    let cannot = || Refusal::system(format!("can't read {}", path.display()));
    let mode = std::fs::metadata(path).map_err(cannot())?.mode();
    if mode & OTHERS != 0 {
        let shown = path.display();
        return Err(Refusal::unusable(format!(
            "{shown} can be read or written by anyone on this machine; chmod 600 {shown}"
        )));
    }
    let text = Secret::new(std::fs::read_to_string(path).map_err(cannot())?);
    let line = text.expose().trim_end_matches(['\r', '\n']);
    if line.len() < 16 {
        let shown = path.display();
        return Err(Refusal::unusable(format!(
            "{shown} holds fewer than 16 characters; remove it, and a new one is made"
        )));
    }
    Ok((Secret::new(line.to_owned()), made))
}

/// Makes a file with this in it, whole from its first moment, unless another was faster.
fn make_once(path: &Path, text: &Secret, owner: Option<(u32, u32)>) -> io::Result<bool> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = create_private(&beside).and_then(|mut file| {
        let own = file.metadata()?;
        if let Some((user, group)) = owner.filter(|owner| *owner != (own.uid(), own.gid())) {
            std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
        }
        file.write_all(text.expose().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    let linked = written.and_then(|()| match std::fs::hard_link(&beside, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    });
    // Its name alone goes, or all of it where it is not wanted.
    let _gone = std::fs::remove_file(&beside);
    linked
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _infallible = std::fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
        hex
    })
}

/// Random bits of the system.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Refusal> {
    getrandom::fill(bytes).map_err(|error| {
        Refusal::system("the system gives no random bits")(io::Error::other(error))
    })
}
