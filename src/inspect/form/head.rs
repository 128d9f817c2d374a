//! The head of a part: what it is called.

use std::ops::Range;

use super::boundary::{Malformed, Params, is_blank, is_token};
use super::{FormError, HEAD_FIELDS, HeadAt, PartHead};

/// Reads the lines of a head, each with its CRLF, without the empty one that ends it; and says
/// where its words stand in the body, the lines beginning at `at`.
pub(super) fn read(lines: &[u8], at: u64) -> Result<(PartHead<'_>, HeadAt), FormError> {
    let text = str::from_utf8(lines).map_err(|_bad| FormError::MalformedHead)?;
    let mut head = Fields::default();
    for (count, line) in text.split_terminator("\r\n").enumerate() {
        if count >= HEAD_FIELDS {
            return Err(FormError::HeadTooLarge);
        }
        head.add(line)
            .map_err(|Malformed| FormError::MalformedHead)?;
    }
    let named = head.named().ok_or(FormError::MalformedHead)?;
    let place = |word| place(text, word, at);
    let places = HeadAt {
        name: place(named.name),
        filename: named.filename.map(place),
    };
    Ok((named, places))
}

/// Where a part of `text` stands in the body, in which the text begins at `at`.
fn place(text: &str, part: &str, at: u64) -> Range<u64> {
    let ahead = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    let start = at.saturating_add(u64::try_from(ahead).unwrap_or(u64::MAX));
    start..start.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX))
}

#[derive(Default)]
struct Fields<'a> {
    disposition: Option<Disposition<'a>>,
    content_type: Option<&'a str>,
    encoding: Option<&'a str>,
}

struct Disposition<'a> {
    name: &'a str,
    filename: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn add(&mut self, line: &'a str) -> Result<(), Malformed> {
        let (name, value) = line.split_once(':').ok_or(Malformed)?;
        let value = value.trim_matches(is_blank);
        if !is_token(name) || value.chars().any(|ch| ch.is_control() && ch != '\t') {
            return Err(Malformed);
        }
        if name.eq_ignore_ascii_case("content-disposition") {
            once(&mut self.disposition, disposition(value)?)
        } else if name.eq_ignore_ascii_case("content-type") {
            once(&mut self.content_type, value)
        } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
            // RFC 7578 (4.7) forbids it; what is encoded could not be inspected.
            const PLAIN: [&str; 3] = ["7bit", "8bit", "binary"];
            if !PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
                return Err(Malformed);
            }
            once(&mut self.encoding, value)
        } else {
            Ok(())
        }
    }

    fn named(self) -> Option<PartHead<'a>> {
        let disposition = self.disposition?;
        Some(PartHead {
            name: disposition.name,
            filename: disposition.filename,
            content_type: self.content_type,
        })
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Malformed> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed),
    }
}

fn disposition(value: &str) -> Result<Disposition<'_>, Malformed> {
    let (kind, rest) = value.find(';').map_or((value, ""), |at| value.split_at(at));
    if !kind
        .trim_matches(is_blank)
        .eq_ignore_ascii_case("form-data")
    {
        return Err(Malformed);
    }
    let mut params = Params::of(rest);
    let (mut name, mut filename, mut extended) = (None, None, None);
    while let Some(param) = params.next()? {
        if param.name.eq_ignore_ascii_case("name") {
            // Some readers drop a backslash, others keep it.
            if param.value.contains('\\') {
                return Err(Malformed);
            }
            once(&mut name, param.value)?;
        } else if param.name.eq_ignore_ascii_case("filename") {
            once(&mut filename, param.value)?;
        } else if param.name.eq_ignore_ascii_case("filename*") {
            once(&mut extended, param.value)?;
        } else if param.name.ends_with('*') {
            return Err(Malformed);
        }
    }
    Ok(Disposition {
        name: name.ok_or(Malformed)?,
        filename: filename.or(extended),
    })
}
