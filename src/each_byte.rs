//! Tables with a row for each byte, worked out by the compiler.
//!
//! Decides nothing: what a byte is worth is the caller's to say, in an expression that a constant
//! may have.

/// A table of 256 rows: what the expression is worth for each byte.
macro_rules! each_byte {
    ($byte:ident => $worth:expr) => {{
        let mut $byte = 0_u8;
        let mut table = [$worth; 256];
        loop {
            #[expect(clippy::indexing_slicing, reason = "a byte below 256")]
            {
                table[$byte as usize] = $worth;
            }
            $byte = match $byte.checked_add(1) {
                Some(next) => next,
                None => break table,
            };
        }
    }};
}

pub(crate) use each_byte;
