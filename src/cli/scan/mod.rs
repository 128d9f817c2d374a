//! `portcullis scan`: the inspection policy offline, through the code that the server runs.
//!
//! Decides the exit code: 0 where everything may go on, 1 where something was blocked, 2 where the
//! configuration or the input can't be used. Texts are read one at a time, so that a corpus of any
//! size takes the memory of its longest line. It never writes a text but as `output`.

mod answer;
mod input;
mod judge;
mod kind;
mod summary;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use thiserror::Error;

use super::check::Format;
use super::source;
use crate::inspect::answer::AnswerPolicy;
use crate::inspect::channel::Channel;
use crate::inspect::detect::RuleIx;
use crate::inspect::engine::{BodyKind, Inspector};
use crate::inspect::fault::FieldFault;
use crate::inspect::json::Limits;
use crate::policy::Policy;
use crate::runtime::clock;
use answer::Answer;
use input::{Input, InputFault};
use summary::Summary;

/// Arguments of `portcullis scan`.
#[derive(Debug, Clone, Args)]
pub struct ScanArgs {
    /// The configuration file, whose `inspection` block is applied
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Which way the texts go
    #[arg(long, value_enum, default_value_t = Direction::Request)]
    pub direction: Direction,
    /// Read one JSON object a line: {"text", "id"?, "role"?: user, "label"?: attack | benign | …}
    #[arg(long)]
    pub jsonl: bool,
    /// Read a captured body instead of a text, JSON or a form; offsets and output are the body's
    #[arg(long, conflicts_with = "jsonl")]
    pub body: bool,
    /// What the captured request was called, instead of what it looks like; means --body
    #[arg(long, value_name = "TYPE", conflicts_with = "jsonl")]
    pub content_type: Option<String>,
    /// List the rules that are on, instead: id, family, kind, severity
    #[arg(long, conflicts_with_all = ["jsonl", "body", "content_type", "input"])]
    pub rules: bool,
    /// Hand so many bytes at a time to the inspection; no answer depends on it
    #[arg(long, value_name = "N", default_value = "65536")]
    pub chunk: NonZeroUsize,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// The file to read; `-`, or none, is standard input
    #[arg(value_name = "INPUT")]
    pub input: Option<PathBuf>,
}

/// Which way a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// To a provider.
    Request,
    /// Back from one.
    Response,
}

/// What ends a scan before its time.
#[derive(Debug, Error)]
enum Stop {
    #[error(transparent)]
    Input(#[from] InputFault),
    #[error("--content-type: {0}")]
    Kind(#[from] FieldFault),
    #[error("the answer can't be written")]
    Output(#[from] io::Error),
}

/// Scans the input and answers with the exit code.
///
/// # Errors
/// The answer can't be written.
pub fn run(args: &ScanArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let policy = match source::review(&args.config) {
        Ok(reviewed) => reviewed.policy,
        Err(faults) => {
            for fault in &faults {
                writeln!(err, "{fault}")?;
            }
            return Ok(2);
        }
    };
    let mut out = BufWriter::new(out);
    let scan = Scan::new(args, &policy);
    let outcome = if args.rules {
        scan.rules(&mut out).map(|()| false)
    } else {
        scan.all(&mut out)
    };
    // What was answered before a fault stays answered.
    out.flush()?;
    match outcome {
        Ok(blocked) => Ok(u8::from(blocked)),
        Err(Stop::Output(error)) => Err(error),
        Err(stop @ (Stop::Input(_) | Stop::Kind(_))) => {
            writeln!(err, "portcullis: {stop}")?;
            Ok(2)
        }
    }
}

/// One scan: what is read, and what it is held to.
struct Scan<'a> {
    args: &'a ScanArgs,
    inspector: Arc<Inspector>,
    limits: Limits,
    answers: AnswerPolicy,
}

impl<'a> Scan<'a> {
    fn new(args: &'a ScanArgs, policy: &Policy) -> Self {
        let inspector = match args.direction {
            Direction::Request => Arc::clone(&policy.inspector),
            Direction::Response => Arc::clone(&policy.response_inspector),
        };
        let limits = Limits {
            depth: policy.request.max_json_depth,
            ..Limits::default()
        };
        Self {
            args,
            inspector,
            limits,
            answers: policy.answers.clone(),
        }
    }

    /// Lists what is looked for, so that rules can be switched off by id.
    fn rules(&self, out: &mut dyn Write) -> Result<(), Stop> {
        let rules = (0..u16::MAX).map_while(|place| self.inspector.rule(RuleIx(place)));
        for rule in rules {
            let (id, kind) = (&rule.id, &rule.kind);
            let (family, severity) = (rule.family.as_str(), rule.severity.as_str());
            match self.args.format {
                Format::Text => writeln!(out, "{id} {family} {kind} {severity}")?,
                Format::Json => {
                    let row =
                        json!({"id": id, "family": family, "kind": kind, "severity": severity});
                    writeln!(out, "{row}")?;
                }
            }
        }
        Ok(())
    }

    /// Answers for everything that is read; whether any of it was blocked.
    fn all(&self, out: &mut dyn Write) -> Result<bool, Stop> {
        let mut input = Input::open(self.args.input.as_deref())?;
        let mut summary = Summary::default();
        if self.args.jsonl {
            while let Some(line) = input.line()? {
                let channel = line.role.as_deref().map_or(Channel::User, Channel::of_role);
                let id = line.id.unwrap_or_else(|| Value::from(input.number()));
                let label = line.label.as_deref();
                self.one(out, &mut summary, (id, label), |scan| {
                    scan.text(line.text.as_bytes(), channel)
                })?;
                summary.read(line.text.len());
            }
        } else {
            let bytes = input.whole()?;
            let id = Value::from(input.name());
            let named = self.args.content_type.as_deref();
            let body = self.args.body || named.is_some();
            let kind = body.then(|| kind::kind(named, &bytes)).transpose()?;
            self.one(out, &mut summary, (id, None), |scan| match &kind {
                Some(kind) => scan.body(&bytes, kind),
                None => scan.text(&bytes, Channel::Text),
            })?;
            summary.read(bytes.len());
        }
        match self.args.format {
            Format::Text if self.args.jsonl => summary.write(out)?,
            Format::Text => {}
            Format::Json => summary.write_json(out)?,
        }
        Ok(summary.blocked())
    }

    fn text(&self, text: &[u8], channel: Channel) -> Answer {
        let (inspector, chunk) = (&self.inspector, self.chunk());
        match self.args.direction {
            Direction::Request => judge::text(inspector, text, chunk, channel),
            Direction::Response => judge::spoken((inspector, &self.answers), text, chunk),
        }
    }

    fn body(&self, body: &[u8], kind: &BodyKind) -> Answer {
        let (inspector, chunk) = (&self.inspector, self.chunk());
        match self.args.direction {
            Direction::Request => judge::body(inspector, body, chunk, (kind, self.limits)),
            Direction::Response => judge::answered((inspector, &self.answers), body, chunk),
        }
    }

    /// Judges one text and answers for it.
    fn one(
        &self,
        out: &mut dyn Write,
        summary: &mut Summary,
        (id, label): (Value, Option<&str>),
        judge: impl FnOnce(&Self) -> Answer,
    ) -> Result<(), Stop> {
        let begun = clock::now();
        let answer = judge(self);
        summary.add(
            &answer,
            label,
            clock::now().saturating_duration_since(begun),
        );
        match self.args.format {
            Format::Text => answer.write(&id, !self.args.jsonl, out)?,
            Format::Json => answer.write_json(&id, out)?,
        }
        Ok(())
    }

    const fn chunk(&self) -> usize {
        self.args.chunk.get()
    }
}
