//! `portcullis check`: what is wrong with a configuration, and what is insecure in it.
//!
//! Decides the exit code: 0 for a valid configuration, 1 where `--strict` meets a finding, 2 for
//! a fault. It starts nothing and changes nothing.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::source;
use crate::config::Reviewed;
use crate::config::fault::Fault;
use crate::policy::AuthMode;

/// Arguments of `portcullis check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Exit with 1 if there is any finding.
    #[arg(long)]
    pub strict: bool,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Checks a configuration file and says what was found; the answer is the exit code.
///
/// # Errors
/// The answer can't be written.
pub fn run(args: &CheckArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    match source::review(&args.config) {
        Ok(reviewed) => {
            match args.format {
                Format::Text => valid_text(args, &reviewed, out)?,
                Format::Json => valid_json(args, &reviewed, out)?,
            }
            Ok(u8::from(args.strict && !reviewed.findings.is_empty()))
        }
        Err(faults) => {
            match args.format {
                Format::Text => invalid_text(&faults, err)?,
                Format::Json => invalid_json(args, &faults, out)?,
            }
            Ok(2)
        }
    }
}

fn valid_text(args: &CheckArgs, reviewed: &Reviewed, out: &mut dyn Write) -> io::Result<()> {
    for finding in &reviewed.findings {
        writeln!(out, "{finding}")?;
    }
    let policy = &reviewed.policy;
    writeln!(
        out,
        "{}: configuration is valid (hash {}; {}, {}, {}, {}; {})",
        args.config.display(),
        policy.hash,
        counted(policy.listeners.len(), "listener"),
        counted(policy.providers.len(), "provider"),
        counted(policy.routes.len(), "route"),
        counted(policy.auth.keys.len(), "key"),
        counted(reviewed.findings.len(), "finding"),
    )
}

fn valid_json(args: &CheckArgs, reviewed: &Reviewed, out: &mut dyn Write) -> io::Result<()> {
    let policy = &reviewed.policy;
    let answer = json!({
        "valid": true,
        "file": args.config.display().to_string(),
        "hash": policy.hash,
        "mode": match policy.auth.mode {
            AuthMode::Required => "required",
            AuthMode::Development => "development",
        },
        "listeners": policy.listeners.len(),
        "providers": policy.providers.len(),
        "routes": policy.routes.len(),
        "keys": policy.auth.keys.len(),
        "findings": reviewed.findings,
    });
    writeln!(out, "{answer:#}")
}

fn invalid_text(faults: &[Fault], err: &mut dyn Write) -> io::Result<()> {
    for fault in faults {
        writeln!(err, "{fault}")?;
    }
    writeln!(
        err,
        "configuration is not valid: {}",
        counted(faults.len(), "fault")
    )
}

fn invalid_json(args: &CheckArgs, faults: &[Fault], out: &mut dyn Write) -> io::Result<()> {
    let answer = json!({
        "valid": false,
        "file": args.config.display().to_string(),
        "faults": faults,
    });
    writeln!(out, "{answer:#}")
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(text: &str, strict: bool, format: Format) -> (u8, String, String) {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("x.yaml");
        std::fs::write(&config, text).unwrap();
        check_file(&config, strict, format)
    }

    fn check_file(config: &Path, strict: bool, format: Format) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = CheckArgs {
            config: config.to_owned(),
            strict,
            format,
        };
        let code = run(&args, &mut out, &mut err).unwrap();
        (
            code,
            String::from_utf8(out).unwrap(),
            String::from_utf8(err).unwrap(),
        )
    }

    const VALID: &str = "providers: [{name: local, api: echo}]\nroutes: [{models: [\"*\"], \
                         providers: [local]}]\n";

    #[test]
    fn a_valid_file_exits_with_0_and_says_so() {
        let (code, out, err) = check(VALID, false, Format::Text);
        assert_eq!((code, err.as_str()), (0, ""), "valid: {out}");
        assert!(out.contains("configuration is valid (hash "), "{out}");
        assert!(
            out.contains("1 listener, 1 provider, 1 route,"),
            "counts: {out}"
        );
    }

    #[test]
    fn strict_makes_a_finding_exit_with_1() {
        let text = format!("logging: {{mask_secrets: false}}\n{VALID}");
        let (code, out, _) = check(&text, true, Format::Text);
        assert_eq!(code, 1, "{out}");
        assert!(
            out.contains("high secrets_unmasked: logging.mask_secrets: "),
            "{out}"
        );
    }

    #[test]
    fn faults_go_to_stderr_or_as_json_to_stdout_and_exit_with_2() {
        let text = "providers:\n  - name: x\n    api: opanai\n";
        let (code, out, err) = check(text, false, Format::Text);
        assert_eq!((code, out.as_str()), (2, ""), "not valid: {err}");
        assert!(
            err.contains("x.yaml:3: providers[0].api: `opanai` is not known here; write one of"),
            "{err}"
        );
        let (code, out, _) = check(text, false, Format::Json);
        assert_eq!(code, 2, "{out}");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(answer["valid"], false, "{out}");
        assert_eq!(answer["faults"][0]["line"], 3, "{out}");
        assert_eq!(answer["faults"][0]["key"], "providers[0].api", "{out}");
    }

    #[test]
    fn a_missing_file_exits_with_2_and_names_it() {
        let (code, _, err) = check_file(Path::new("/no/such.yaml"), false, Format::Text);
        assert_eq!(code, 2, "{err}");
        assert!(
            err.contains("/no/such.yaml: there is no such file; "),
            "{err}"
        );
    }
}
