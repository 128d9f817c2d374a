//! Secrets as they are written: in place, as `${NAME}`, or as `file:PATH`.
//!
//! Decides what a text that may hold a secret stands for. A fault names the variable or the file,
//! never the text, because the text may be the secret itself. What a variable or a file holds is
//! taken as it is: a `${` or `file:` in it means nothing.

use std::path::{Path, PathBuf};

use super::{FileContent, Resolve, Unreadable};
use crate::policy::secret::Secret;

/// Longest secret file that is read; a certificate chain would fit.
const MAX_FILE_BYTES: usize = 65_536;

/// A secret that was found, and how.
#[derive(Debug)]
pub(super) struct Found {
    /// The secret.
    pub secret: Secret,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a secret came from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The configuration file itself.
    Literal,
    /// The environment.
    Variable,
    /// A file of its own, and its mode bits.
    File(PathBuf, Option<u32>),
}

/// Why there is no secret: problem and remedy.
pub(super) type Trouble = (String, String);

/// Follows a text to the secret it stands for.
///
/// # Errors
/// A variable that is not set, a file that is missing or empty, a reference without its end.
pub(super) fn follow(text: &str, base: &Path, resolver: &dyn Resolve) -> Result<Found, Trouble> {
    if text.is_empty() {
        return Err((
            "is empty".to_owned(),
            "write ${NAME} or file:PATH".to_owned(),
        ));
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = base.join(expand(path, resolver)?.0.expose());
        return read(path, resolver);
    }
    let (secret, referred) = expand(text, resolver)?;
    let origin = if referred {
        Origin::Variable
    } else {
        Origin::Literal
    };
    Ok(Found { secret, origin })
}

/// Puts the values of variables in their places; says whether there were any.
fn expand(text: &str, resolver: &dyn Resolve) -> Result<(Secret, bool), Trouble> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    let mut referred = false;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err((
                "holds `${` without its `}`".to_owned(),
                "write ${NAME}, or $${ for the two characters".to_owned(),
            ));
        };
        if !is_variable_name(name) {
            return Err((
                "holds `${…}` with what is not a variable's name".to_owned(),
                "write ${NAME} with letters, digits and _, or $${ for the two characters"
                    .to_owned(),
            ));
        }
        let value = resolver.env(name).filter(|value| !value.is_empty());
        let Some(value) = value.map(Secret::new) else {
            return Err((
                format!("refers to the environment variable {name}, which is not set"),
                format!("set {name}, or write file:PATH"),
            ));
        };
        expanded.push_str(before);
        expanded.push_str(value.expose());
        referred = true;
        rest = after;
    }
    expanded.push_str(rest);
    Ok((Secret::new(expanded), referred))
}

fn is_variable_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn read(path: PathBuf, resolver: &dyn Resolve) -> Result<Found, Trouble> {
    let shown = path.display();
    let FileContent { bytes, mode } = resolver.read(&path).map_err(|error| match error {
        Unreadable::Missing => (
            format!("refers to the file {shown}, which does not exist"),
            "create it, or correct the path (it starts from the configuration's directory)"
                .to_owned(),
        ),
        Unreadable::Failed(reason) => (
            format!("refers to the file {shown}, which can't be read: {reason}"),
            "let the user that runs portcullis read it".to_owned(),
        ),
    })?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err((
            format!("refers to the file {shown}, which is longer than {MAX_FILE_BYTES} bytes"),
            "name a file that holds the secret alone".to_owned(),
        ));
    }
    let mut text = String::from_utf8(bytes).map_err(|_not_text| {
        (
            format!("refers to the file {shown}, which is not text"),
            "name a file that holds the secret alone, as UTF-8".to_owned(),
        )
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err((
            format!("refers to the file {shown}, which is empty"),
            "write the secret into it".to_owned(),
        ));
    }
    Ok(Found {
        secret: Secret::new(text),
        origin: Origin::File(path, mode),
    })
}
