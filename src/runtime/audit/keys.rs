//! The pair of keys beside an audit log.
//!
//! Decides that the private one is for its owner alone, and that both belong together. Makes them
//! where there are none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::people::random;
use super::{AuditFault, Places, replace};
use crate::record::chain::key::{PublicKey, Signer};

/// The bits of a mode that let others than the owner in.
const OTHERS: u32 = 0o077;

/// Opens a file for appending, made for its owner alone.
pub(super) fn open_private(path: &Path) -> Result<File, AuditFault> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(AuditFault::io("open", path))
}

/// Reads the private key, or makes one where its file is empty; sees to the public one.
pub(super) fn signer(file: &mut File, places: &Places) -> Result<Signer, AuditFault> {
    let io = || AuditFault::io("read", &places.key);
    let mode = file.metadata().map_err(io())?.mode();
    if mode & OTHERS != 0 {
        return Err(AuditFault::Exposed(places.key.display().to_string()));
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(io())?;
    let fault = |fault| AuditFault::Key {
        path: places.key.clone(),
        fault,
    };
    let signer = if text.is_empty() {
        let signer = Signer::new(random()?).map_err(fault)?;
        file.write_all(signer.to_pem().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(AuditFault::io("write", &places.key))?;
        signer
    } else {
        Signer::read(&text).map_err(fault)?
    };
    let public = signer.public();
    match fs::read_to_string(&places.public) {
        Ok(text) if PublicKey::read(&text) == Ok(public) => {}
        Ok(_) => {
            return Err(AuditFault::Pair {
                public: places.public.clone(),
                private: places.key.clone(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            replace(&places.public, public.to_pem().as_bytes(), 0o644)
                .map_err(AuditFault::io("write", &places.public))?;
        }
        Err(error) => return Err(AuditFault::io("read", &places.public)(error)),
    }
    Ok(signer)
}
