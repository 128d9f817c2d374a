//! The canonical form against itself: what the fuzz target and its seeds run. Not called by the
//! gateway.

use super::{Canon, Views};

/// A canonical form that does not fit its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Folded again with the same buffers, it reads otherwise.
    #[error("the same text has two canonical forms")]
    Form,
    /// A place lies outside the source, or inside one of its characters.
    #[error("a canonical character comes from no character of the source")]
    Place,
    /// The places are not in the order of the text.
    #[error("the places of the canonical text go backwards")]
    Order,
}

/// Folds `data` as text and asks for the source of every character, and of those of every view.
pub fn cross_check(data: &[u8]) -> Result<(), Disagreement> {
    let source = String::from_utf8_lossy(data);
    let (mut canon, mut views) = (Canon::new(), Views::new());
    canon.fold(&source);
    let first = (canon.text().to_owned(), canon.oddities());
    canon.fold("");
    canon.fold(&source);
    if (canon.text(), canon.oddities()) != (first.0.as_str(), first.1) {
        return Err(Disagreement::Form);
    }
    let mut before = 0;
    for range in characters(canon.text()) {
        let (start, end) = canon.source_range(range.0, range.1);
        stands(&source, (start, end))?;
        if start < before {
            return Err(Disagreement::Order);
        }
        before = start;
    }
    views.find(&source, &canon);
    for view in views.iter() {
        for (start, end) in characters(view.text) {
            stands(&source, views.source_range(&canon, &view, start, end))?;
        }
    }
    Ok(())
}

/// Where each character of a text begins and ends.
fn characters(text: &str) -> impl Iterator<Item = (u32, u32)> {
    let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    text.char_indices()
        .map(move |(start, ch)| (at(start), at(start.saturating_add(ch.len_utf8()))))
}

fn stands(source: &str, (start, end): (u32, u32)) -> Result<(), Disagreement> {
    let at = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
    source
        .get(at(start)..at(end))
        .map(|_text| ())
        .ok_or(Disagreement::Place)
}

#[cfg(test)]
mod tests {
    use super::cross_check;

    #[test]
    fn fuzz_seeds_fit_their_source() {
        let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/normal");
        let mut count = 0;
        for entry in std::fs::read_dir(seeds).expect("the seeds are in the repository") {
            let path = entry.expect("a readable folder").path();
            let text = std::fs::read(&path).expect("a readable seed");
            assert_eq!(cross_check(&text), Ok(()), "{}", path.display());
            count += 1;
        }
        assert!(count >= 5, "the seeds were found");
    }
}
