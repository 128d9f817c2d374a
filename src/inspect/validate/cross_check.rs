//! The checker against itself at other cuts: what the fuzz target, its seeds and the property
//! tests run. Not called by the gateway.

use super::super::fault::FieldFault;
use super::super::json::{Limits, Reader};
use super::{Checker, Shape};

/// Two verdicts on the same bytes that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pieces of {size} bytes gave another verdict than the whole")]
pub struct Disagreement {
    /// The size of the pieces.
    pub size: usize,
}

/// Judges `data` as a body of every shape, whole and in pieces of several sizes.
pub fn cross_check(data: &[u8]) -> Result<(), Disagreement> {
    for shape in Shape::ALL {
        let whole = judge(shape, data, data.len().max(1));
        for size in [1, 2, 3, 7, 64] {
            if judge(shape, data, size) != whole {
                return Err(Disagreement { size });
            }
        }
    }
    Ok(())
}

/// What was found in `data`, in pieces of `size` bytes, as far as it is JSON.
pub(super) fn judge(shape: Shape, data: &[u8], size: usize) -> Result<(), FieldFault> {
    let mut checker = Checker::new(shape);
    let mut reader = Reader::new(Limits::default());
    let read = data
        .chunks(size)
        .try_for_each(|piece| reader.push(piece, &mut checker))
        .and_then(|()| reader.finish(&mut checker));
    match read {
        Ok(()) | Err(_) => checker.verdict(),
    }
}
