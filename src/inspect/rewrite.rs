//! Writes a body or text anew, with the places that an inspection named put differently.
//!
//! Decides nothing; everything outside the edits stays to the byte. Never reads what it writes.
//! May miss: an edit that lies outside the body, or begins before the one ahead of it ended, is
//! left out from there on, as it can't belong to this body.

use super::finding::Edit;

/// `body` with `edits`, which are in order and apart from each other.
pub fn apply(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let grown: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let mut out = Vec::with_capacity(body.len().saturating_add(grown));
    let mut done = 0;
    for edit in edits {
        let (Ok(start), Ok(end)) = (
            usize::try_from(edit.raw.start),
            usize::try_from(edit.raw.end),
        ) else {
            break;
        };
        let (Some(before), true) = (body.get(done..start), (start..=body.len()).contains(&end))
        else {
            break;
        };
        out.extend_from_slice(before);
        out.extend_from_slice(edit.with.as_bytes());
        done = end;
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    out
}

/// Puts edits in order and apart: of two that overlap the earlier, and of two that begin at one
/// place the longer, is whole; the other keeps what lies behind it.
pub(crate) fn settle(edits: &mut Vec<Edit>) {
    edits.sort_by(|a, b| {
        a.raw
            .start
            .cmp(&b.raw.start)
            .then(b.raw.end.cmp(&a.raw.end))
    });
    let mut done = 0;
    edits.retain_mut(|edit| {
        let hidden = edit.raw.end <= done && !edit.raw.is_empty();
        edit.raw.start = edit.raw.start.max(done);
        done = done.max(edit.raw.end);
        !hidden && edit.raw.start < edit.raw.end
    });
}

#[cfg(test)]
mod tests {
    use super::{Edit, apply, settle};

    fn edit(start: u64, end: u64, with: &str) -> Edit {
        Edit {
            raw: start..end,
            with: with.into(),
        }
    }

    #[test]
    fn only_what_is_named_is_written_differently() {
        for (edits, want) in [
            (vec![], "0123456789"),
            (vec![edit(2, 4, "[A]")], "01[A]456789"),
            (
                vec![edit(0, 1, ""), edit(1, 2, "x"), edit(9, 10, "end")],
                "x2345678end",
            ),
            (vec![edit(0, 10, "")], ""),
            (vec![edit(4, 11, "x")], "0123456789"),
            (vec![edit(4, 6, "x"), edit(5, 7, "y")], "0123x6789"),
        ] {
            let out = apply(b"0123456789", &edits);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{edits:?}");
        }
    }

    #[test]
    fn edits_are_put_apart_and_the_longer_wins() {
        let mut edits = vec![
            edit(5, 9, "b"),
            edit(2, 6, "a"),
            edit(2, 3, "c"),
            edit(7, 8, "d"),
            edit(9, 10, "e"),
        ];
        settle(&mut edits);
        assert_eq!(edits, [edit(2, 6, "a"), edit(6, 9, "b"), edit(9, 10, "e")]);
    }
}
