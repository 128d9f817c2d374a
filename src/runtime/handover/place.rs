//! Where two processes of one gateway find each other.
//!
//! Decides the folder, which must be this user's alone: listening sockets are handed over in it,
//! and state is believed that comes from it. The name is that of the first listener, which both
//! processes have in their configuration; nothing else needs to be the same.

use std::fs::{self, DirBuilder};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why there is no safe place to meet.
#[derive(Debug, Error)]
pub enum PlaceFault {
    /// The folder can't be made or looked at.
    #[error("can't use {} for hand-overs: {source}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is somebody else's: what was said there could not be believed.
    #[error(
        "{} belongs to another user; only the gateway's own user may take over from it, so start \
         this as that user",
        .0.display()
    )]
    Foreign(PathBuf),
    /// Others may write there.
    #[error(
        "{} is open to others than this user; remove it, or set RUNTIME_DIRECTORY to a folder of \
         mode 0700",
        .0.display()
    )]
    Open(PathBuf),
}

/// The sockets of one gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the running process answers.
    pub(crate) call: PathBuf,
    /// Where Pingora passes listening sockets on.
    pub(crate) transfer: PathBuf,
}

impl Place {
    /// The place of the gateway that listens here first. The folder is `RUNTIME_DIRECTORY` (which
    /// systemd sets), or one of this user's own below the folder for temporary files.
    ///
    /// # Errors
    /// The folder can't be made, or is not this user's alone.
    pub(crate) fn of(
        first: SocketAddr,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, PlaceFault> {
        let user = fs::metadata("/proc/self").map(|me| me.uid());
        let given = variable("RUNTIME_DIRECTORY").filter(|folder| !folder.is_empty());
        let folder = match (given, &user) {
            // systemd separates several with colons.
            (Some(given), _) => PathBuf::from(given.split(':').next().unwrap_or_default()),
            (None, Ok(user)) => std::env::temp_dir().join(format!("portcullis-{user}")),
            (None, Err(_)) => std::env::temp_dir().join("portcullis"),
        };
        let fault = |source| PlaceFault::Io {
            folder: folder.clone(),
            source,
        };
        private(&folder, user.map_err(fault)?, &fault)?;
        let name: String = first
            .to_string()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        Ok(Self {
            call: folder.join(format!("{name}.call")),
            transfer: folder.join(format!("{name}.transfer")),
        })
    }
}

/// Makes the folder, or sees that it is this user's alone.
fn private(
    folder: &Path,
    user: u32,
    fault: &dyn Fn(io::Error) -> PlaceFault,
) -> Result<(), PlaceFault> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(fault(error)),
    }
    // The folder itself and not what a link that somebody else made points to.
    let found = fs::symlink_metadata(folder).map_err(fault)?;
    if found.uid() != user {
        return Err(PlaceFault::Foreign(folder.to_owned()));
    }
    let others = found.mode() & 0o077;
    let alone = found.is_dir() && others == 0;
    alone
        .then_some(())
        .ok_or_else(|| PlaceFault::Open(folder.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn place(folder: &Path) -> Result<Place, PlaceFault> {
        let folder = folder.to_str().unwrap().to_owned();
        Place::of("[::1]:80".parse().unwrap(), move |name| {
            (name == "RUNTIME_DIRECTORY").then(|| folder.clone())
        })
    }

    #[test]
    fn the_folder_is_made_for_this_user_alone() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("run");
        let made = place(&folder).unwrap();
        assert_eq!(
            made,
            place(&folder).unwrap(),
            "both processes come to the same"
        );
        assert!(made.call.starts_with(&folder), "it is in the folder");
        let mode = fs::metadata(&folder).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700, "nobody else may enter");
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let above = tempfile::tempdir().unwrap();
        let open = above.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let link = above.path().join("link");
        let own = above.path().join("own");
        fs::create_dir(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
        symlink(&own, &link).unwrap();
        for folder in [open, link] {
            let fault = place(&folder).unwrap_err();
            assert!(
                matches!(fault, PlaceFault::Open(_)),
                "{}: {fault}",
                folder.display()
            );
        }
    }
}
