//! Where the strings of a text begin and end.
//!
//! Decides nothing: whoever holds the text says it. Never looks at the text itself.

/// Where in a text its strings begin and end: a text may be many, one behind the other, and a
/// rule for the start or end of a text means theirs.
pub trait Bounds {
    /// Where the string with the byte at `at` begins, if that is at most `within` bytes before.
    fn start(&self, at: u32, within: u32) -> Option<u32>;
    /// One past the end of the string with the byte before `at`, if that is at most `within`
    /// bytes on.
    fn end(&self, at: u32, within: u32) -> Option<u32>;
}

/// A text that is one string.
#[derive(Clone, Copy, Debug)]
pub struct OneString<'t>(pub &'t str);

impl Bounds for OneString<'_> {
    fn start(&self, at: u32, within: u32) -> Option<u32> {
        (at <= within).then_some(0)
    }

    fn end(&self, at: u32, within: u32) -> Option<u32> {
        let end = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        (end.saturating_sub(at) <= within).then_some(end)
    }
}
