//! Whether the processor has what this program was built for.
//!
//! Decides before anything else runs: without an answer of its own the program would die of an
//! illegal instruction somewhere later. Asks the processor alone, never what the build assumes of it.

/// What of the build's processor level (`.cargo/config.toml`) this processor has not, by the names
/// that `/proc/cpuinfo` gives. Empty on every processor for a build without such a level.
pub fn missing() -> Vec<&'static str> {
    #[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
    return v3::missing();
    #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
    Vec::new()
}

/// What to tell of it.
pub fn complaint(missing: &[&str]) -> String {
    format!(
        "portcullis: this program is built for processors with AVX2 and BMI2 (x86-64-v3); this one \
         lacks {}. Build one for it with RUSTFLAGS=-Ctarget-cpu=x86-64 cargo build --release",
        missing.join(", ")
    )
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
mod v3 {
    use std::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};

    type Register = fn(&CpuidResult) -> u32;

    /// The System V ABI's list for x86-64-v3: name, leaf, register, bit (AMD64 manual, volume 3,
    /// appendix E).
    const NEEDED: [(&str, u32, Register, u32); 10] = [
        ("fma", 1, |leaf| leaf.ecx, 12),
        ("sse4_2", 1, |leaf| leaf.ecx, 20),
        ("movbe", 1, |leaf| leaf.ecx, 22),
        ("popcnt", 1, |leaf| leaf.ecx, 23),
        ("avx", 1, |leaf| leaf.ecx, 28),
        ("f16c", 1, |leaf| leaf.ecx, 29),
        ("bmi1", 7, |leaf| leaf.ebx, 3),
        ("avx2", 7, |leaf| leaf.ebx, 5),
        ("bmi2", 7, |leaf| leaf.ebx, 8),
        ("abm", 0x8000_0001, |leaf| leaf.ecx, 5),
    ];

    pub(super) fn missing() -> Vec<&'static str> {
        let most = |leaf: u32| __cpuid(leaf & 0x8000_0000).eax;
        let has = |leaf: u32, register: Register, bit: u32| {
            leaf <= most(leaf) && register(&__cpuid_count(leaf, 0)) >> bit & 1 == 1
        };
        NEEDED
            .iter()
            .filter(|(_, leaf, register, bit)| !has(*leaf, *register, *bit))
            .map(|(name, ..)| *name)
            .collect()
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn a_processor_that_runs_the_tests_has_all_of_it() {
            let none: [&str; 0] = [];
            assert_eq!(super::missing(), none);
        }

        #[test]
        fn the_processor_says_what_the_system_says_of_it() {
            let Ok(said) = std::fs::read_to_string("/proc/cpuinfo") else {
                return;
            };
            let flags = said.lines().find(|line| line.starts_with("flags"));
            let flags: Vec<&str> = flags.unwrap_or_default().split_whitespace().collect();
            for (name, ..) in super::NEEDED {
                assert!(flags.contains(&name), "{name}");
            }
        }
    }
}
