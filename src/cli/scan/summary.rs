//! What a scan amounts to: how much was found, how well, and how fast.
//!
//! Decides what counts as told: a text in which a family that looks for attacks found something,
//! whether that is flagged or blocked. What is masked, cleaned or too long says nothing of an
//! attack. To measure one family, switch the others off.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::answer::Answer;
use crate::inspect::detect::Family;

/// The families whose finds mean that somebody attacks.
const ATTACKS: [Family; 4] = [
    Family::PromptInjection,
    Family::CodePatterns,
    Family::WebAttacks,
    Family::Harmful,
];

/// The numbers of a scan so far.
#[derive(Debug, Default)]
pub(super) struct Summary {
    texts: u64,
    findings: u64,
    bytes: u64,
    time: Duration,
    attacks: Told,
    benign: Told,
    /// Texts by verdict.
    verdicts: [(u64, &'static str); 4],
    families: [FoundIn; Family::ALL.len()],
}

/// The texts in which a family found something, and what they are known to be.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct FoundIn {
    texts: u64,
    attack: u64,
    benign: u64,
}

/// A summary as it is written, in the contract's order.
#[derive(Serialize)]
struct Written {
    texts: u64,
    findings: u64,
    bytes: u64,
    seconds: f64,
    mb_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    false_positive_rate: Option<f64>,
    verdicts: Named<u64>,
    families: Named<FoundIn>,
}

/// An object of named values, in their order.
struct Named<T>(Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Texts of one label, and how many of them were told to be attacks.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    texts: u32,
    told: u32,
}

impl Told {
    fn add(&mut self, told: bool) {
        self.texts = self.texts.saturating_add(1);
        self.told = self.told.saturating_add(u32::from(told));
    }

    /// The told part of the texts, if there are any.
    fn rate(self) -> Option<f64> {
        (self.texts > 0).then(|| f64::from(self.told) / f64::from(self.texts))
    }
}

impl Summary {
    /// One more answer, what its text is known to be, and the time that it took.
    pub(super) fn add(&mut self, answer: &Answer, label: Option<&str>, took: Duration) {
        self.texts = self.texts.saturating_add(1);
        self.findings = self.findings.saturating_add(answer.found());
        self.time = self.time.saturating_add(took);
        let found = |family: Family| answer.findings.iter().any(|place| place.family == family);
        let told = ATTACKS.into_iter().any(found);
        let (attack, benign) = (label == Some("attack"), label == Some("benign"));
        if attack {
            self.attacks.add(told);
        }
        if benign {
            self.benign.add(told);
        }
        let families = Family::ALL.into_iter().zip(&mut self.families);
        for (_, counts) in families.filter(|(family, _)| found(*family)) {
            counts.texts = counts.texts.saturating_add(1);
            counts.attack = counts.attack.saturating_add(u64::from(attack));
            counts.benign = counts.benign.saturating_add(u64::from(benign));
        }
        let known = |(count, name): &&mut (u64, &str)| *count == 0 || *name == answer.verdict;
        if let Some((count, name)) = self.verdicts.iter_mut().find(known) {
            *count = count.saturating_add(1);
            *name = answer.verdict;
        }
    }

    /// So many bytes of text were read.
    pub(super) fn read(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether anything was blocked.
    pub(super) fn blocked(&self) -> bool {
        self.verdicts.iter().any(|(_, name)| *name == "block")
    }

    /// The contract's line.
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = Written {
            texts: self.texts,
            findings: self.findings,
            bytes: self.bytes,
            seconds: self.time.as_secs_f64(),
            mb_per_second: self.speed(),
            recall: self.attacks.rate(),
            false_positive_rate: self.benign.rate(),
            verdicts: Named(self.verdicts().collect()),
            families: Named(self.families().collect()),
        };
        serde_json::to_writer(&mut *out, &Named(vec![("summary", summary)]))?;
        writeln!(out)
    }

    /// The same for people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (texts, findings, bytes) = (self.texts, self.findings, self.bytes);
        let (seconds, speed) = (self.time.as_secs_f64(), self.speed());
        writeln!(out, "texts: {texts}, findings: {findings}")?;
        writeln!(out, "bytes: {bytes} in {seconds:.3} s, {speed:.1} MB/s")?;
        for (name, told) in [("recall", self.attacks), ("false positives", self.benign)] {
            if let Some(rate) = told.rate() {
                let (told, texts) = (told.told, told.texts);
                writeln!(out, "{name}: {told} of {texts}, {:.2} %", rate * 100.0)?;
            }
        }
        Ok(())
    }

    fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let seen = self.verdicts.iter().filter(|(count, _)| *count > 0);
        seen.map(|(count, name)| (*name, *count))
    }

    fn families(&self) -> impl Iterator<Item = (&'static str, FoundIn)> {
        let counted = Family::ALL.into_iter().zip(self.families);
        let seen = counted.filter(|(_, found)| found.texts > 0);
        seen.map(|(family, found)| (family.as_str(), found))
    }

    /// Megabytes a second, which are bytes a microsecond.
    fn speed(&self) -> f64 {
        let thousandths = u128::from(self.bytes)
            .saturating_mul(1_000_000)
            .checked_div(self.time.as_nanos())
            .unwrap_or(0);
        f64::from(u32::try_from(thousandths).unwrap_or(u32::MAX)) / 1_000.0
    }
}
