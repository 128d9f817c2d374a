//! The bare Pingora of `bare.rs` with jemalloc, to show which part of a difference is the
//! allocator's.

use std::error::Error;

mod bare;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<(), Box<dyn Error>> {
    bare::main()
}
