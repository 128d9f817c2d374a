//! The boundary of a multipart form, and the parameters of header values, read so that no two
//! readers can differ.

/// The longest boundary (RFC 2046, 5.1.1).
const LONGEST: usize = 70;

/// The boundary of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(Box<str>);

impl Boundary {
    /// The characters, without the dashes before them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The boundary that a `Content-Type` of `multipart/form-data` names; none if it is of another
/// type, or names none, two, or one that RFC 2046 does not allow.
pub fn boundary_of(content_type: &[u8]) -> Option<Boundary> {
    let value = str::from_utf8(content_type).ok()?;
    let (essence, rest) = value.find(';').map_or((value, ""), |at| value.split_at(at));
    if !essence
        .trim_matches(is_blank)
        .eq_ignore_ascii_case("multipart/form-data")
    {
        return None;
    }
    let mut params = Params::of(rest);
    let mut found = None;
    while let Some(param) = params.next().ok()? {
        if !param.name.eq_ignore_ascii_case("boundary") {
            continue;
        }
        if found.replace(param.value).is_some() {
            return None;
        }
    }
    let boundary = found?;
    let fits = (1..=LONGEST).contains(&boundary.len())
        && boundary.bytes().all(may_stand_in_boundary)
        && !boundary.ends_with(' ');
    fits.then(|| Boundary(boundary.into()))
}

const fn may_stand_in_boundary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'\'' | b'(' | b')' | b'+'..=b'/' | b':' | b'=' | b'?' | b'_' | b' '
        )
}

/// A header value that two readers could understand differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A parameter of a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    /// As it stands, without the quotes.
    pub(super) value: &'a str,
}

/// The parameters of a header value: `; name=token; name="quoted"`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Params<'a> {
    rest: &'a str,
}

impl<'a> Params<'a> {
    /// What follows the value itself, beginning at the first semicolon.
    pub(super) const fn of(rest: &'a str) -> Self {
        Self { rest }
    }

    /// The next one. Empty ones are passed over, as RFC 9110 (5.6.6) has it.
    pub(super) fn next(&mut self) -> Result<Option<Parameter<'a>>, Malformed> {
        loop {
            let rest = self.rest.trim_start_matches(is_blank);
            if rest.is_empty() {
                return Ok(None);
            }
            let rest = rest.strip_prefix(';').ok_or(Malformed)?;
            let rest = rest.trim_start_matches(is_blank);
            if rest.is_empty() || rest.starts_with(';') {
                self.rest = rest;
                continue;
            }
            let (name, rest) = rest.split_once('=').ok_or(Malformed)?;
            let (value, rest) = match rest.strip_prefix('"') {
                Some(quoted) => quoted_value(quoted)?,
                None => token_value(rest)?,
            };
            if !is_token(name) {
                return Err(Malformed);
            }
            self.rest = rest;
            return Ok(Some(Parameter { name, value }));
        }
    }
}

/// Up to the closing quote. A quote behind a backslash ends the value for some readers and is
/// part of it for others, so it is refused; other backslashes stand for themselves, as in the
/// paths that browsers once sent.
fn quoted_value(quoted: &str) -> Result<(&str, &str), Malformed> {
    let (value, rest) = quoted.split_once('"').ok_or(Malformed)?;
    if value.ends_with('\\') || value.chars().any(char::is_control) {
        return Err(Malformed);
    }
    Ok((value, rest))
}

fn token_value(rest: &str) -> Result<(&str, &str), Malformed> {
    let end = rest
        .find(|ch: char| ch == ';' || is_blank(ch))
        .unwrap_or(rest.len());
    let (value, rest) = rest.split_at(end);
    if is_token(value) {
        Ok((value, rest))
    } else {
        Err(Malformed)
    }
}

/// A token by RFC 9110, 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    const MARKS: &[u8] = b"!#$%&'*+-.^_`|~";
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || MARKS.contains(&byte))
}

pub(super) const fn is_blank(ch: char) -> bool {
    matches!(ch, ' ' | '\t')
}
