//! Whether the processor has what this program was built for.
//!
//! Decides before anything else runs: without an answer of its own the program would die of an
//! illegal instruction somewhere later. It is built for that level itself, and so does nothing here
//! but compare numbers: no collection, no formatting, no shift by a variable.

/// What to say where [`suffices`] says no.
pub const COMPLAINT: &str = "portcullis: this program is built for processors with AVX2, BMI2, FMA and \
     what else belongs to x86-64-v3 (Intel since 2013, AMD since 2017); this one lacks some of it. \
     Build a program for it: RUSTFLAGS=-Ctarget-cpu=x86-64 cargo build --release --locked\n";

/// Whether this processor has all of the level that `.cargo/config.toml` names. True on every one
/// for a build without it.
pub fn suffices() -> bool {
    #[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
    return v3::suffices();
    #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
    true
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
mod v3 {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    /// The System V ABI's list for x86-64-v3, by leaf (AMD64 manual, volume 3, appendix E): FMA,
    /// SSE4.2, MOVBE, POPCNT, OSXSAVE, AVX and F16C in `ecx` of leaf 1.
    const BASIC: u32 = 1 << 12 | 1 << 20 | 1 << 22 | 1 << 23 | 1 << 27 | 1 << 28 | 1 << 29;
    /// BMI1, AVX2 and BMI2 in `ebx` of leaf 7.
    const EXTENDED: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    /// LZCNT in `ecx` of leaf `8000_0001`.
    const COUNTS: u32 = 1 << 5;

    pub(super) fn suffices() -> bool {
        __cpuid(0).eax >= 7
            && __cpuid(1).ecx & BASIC == BASIC
            && __cpuid_count(7, 0).ebx & EXTENDED == EXTENDED
            && __cpuid(0x8000_0001).ecx & COUNTS == COUNTS
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_processor_that_runs_the_tests_suffices() {
        assert!(super::suffices());
    }
}
