//! `portcullis health`: how secure a configuration or a running gateway is, and why.
//!
//! Decides the exit code by one threshold. The score is `config::score`'s; a running gateway is
//! asked for its own, so that both ways say the same.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::asking::{self, AskArgs};
use super::check::Format;
use super::source;
use crate::config::score::{self, Area, FINE};

/// Where a gateway tells its score.
const PATH: &str = "/internal/monitoring/security-health";

/// Arguments of `portcullis health`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit code: 0 if the score reaches the threshold, 1 if it does not, 2 if it can't \
                  be told.\nPoints: authentication 40, input validation 30, configuration 30. \
                  Without -c and --url the file portcullis.yaml is looked at."
)]
pub(super) struct HealthArgs {
    /// The configuration file whose score is told
    #[arg(short, long, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    #[command(flatten)]
    ask: AskArgs,
    /// The least score with which the exit code is 0
    #[arg(long, value_name = "0-100", default_value_t = FINE,
          value_parser = clap::value_parser!(u32).range(0..=100))]
    threshold: u32,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Tells the score; the answer is the exit code.
pub(super) fn run(args: &HealthArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let told = match &args.ask.url {
        Some(_) => asking::get(&args.ask, PATH).map_err(|fault| vec![fault]),
        None => of_file(args),
    };
    let told = match told {
        Ok(told) => told,
        Err(faults) => {
            for fault in faults {
                writeln!(err, "portcullis health: {fault}")?;
            }
            return Ok(2);
        }
    };
    let Some(score) = told.get("score").and_then(Value::as_u64) else {
        writeln!(err, "portcullis health: the answer has no score")?;
        return Ok(2);
    };
    match args.format {
        Format::Json => writeln!(out, "{told:#}")?,
        Format::Text => text(&told, args.threshold, out)?,
    }
    Ok(u8::from(score < u64::from(args.threshold)))
}

fn of_file(args: &HealthArgs) -> Result<Value, Vec<String>> {
    let standard = PathBuf::from("portcullis.yaml");
    let file = args.config.as_ref().unwrap_or(&standard);
    let reviewed = source::review(file);
    let reviewed =
        reviewed.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let mut told = serde_json::to_value(score::of(&reviewed.findings)).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("hash".to_owned(), json!(reviewed.policy.hash));
    }
    Ok(told)
}

fn text(told: &Value, threshold: u32, out: &mut dyn Write) -> io::Result<()> {
    let word = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            all.join(", ")
        }
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    writeln!(
        out,
        "security health: {} of 100 ({}; fine from {threshold})",
        word(told.get("score")),
        word(told.get("status")),
    )?;
    for name in Area::ALL.map(Area::as_str) {
        let Some(component) = told.pointer(&format!("/components/{name}")) else {
            continue;
        };
        let (points, of) = (component.get("points"), component.get("weight"));
        writeln!(out, "\n{name}: {} of {}", word(points), word(of))?;
        let checks = told.get("checks").and_then(Value::as_array);
        for check in checks.into_iter().flatten() {
            if check.get("area").and_then(Value::as_str) != Some(name) {
                continue;
            }
            let lost = word(check.get("lost_to"));
            let lost = if lost.is_empty() {
                String::new()
            } else {
                format!("  lost to {lost}")
            };
            let (points, of) = (word(check.get("points")), word(check.get("of")));
            writeln!(
                out,
                "  {points:>2} of {of:>2}  {}{lost}",
                word(check.get("id"))
            )?;
        }
    }
    let advice = told.get("recommendations").and_then(Value::as_array);
    for (place, one) in advice.into_iter().flatten().enumerate() {
        if place == 0 {
            writeln!(out, "\nrecommendations")?;
        }
        let [points, severity, id, key, advice] =
            ["points", "severity", "id", "key", "advice"].map(|name| word(one.get(name)));
        writeln!(out, "  +{points} {severity} {id}: {key}: {advice}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Wrapped {
        #[command(flatten)]
        args: HealthArgs,
    }

    fn health(text: &str, more: &[&str]) -> (u8, String) {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("x.yaml");
        std::fs::write(&config, text).unwrap();
        let config = config.display().to_string();
        let words = [&["health", "-c", &config], more].concat();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = Wrapped::parse_from(words).args;
        let code = run(&args, &mut out, &mut err).unwrap();
        out.extend_from_slice(&err);
        (code, String::from_utf8(out).unwrap())
    }

    const OPEN: &str = "providers: [{name: a, api: echo}]\nroutes: [{models: [\"*\"], providers: \
                        [a]}]\n";

    #[test]
    fn a_gateway_without_keys_is_not_fine_and_the_text_says_why() {
        let (code, out) = health(OPEN, &[]);
        assert_eq!(code, 1, "below the threshold: {out}");
        for part in [
            "security health: 60 of 100 (fair; fine from 80)",
            "authentication: 0 of 40",
            "configuration: 30 of 30",
            "+40 high development_mode: auth.mode: ",
        ] {
            assert!(out.contains(part), "{part:?}: {out}");
        }
    }

    #[test]
    fn the_threshold_decides_and_json_has_the_same_figures() {
        let (code, out) = health(OPEN, &["--threshold", "60", "--format", "json"]);
        assert_eq!(code, 0, "60 is enough: {out}");
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(told["score"], 60, "{out}");
        assert_eq!(told["components"]["authentication"]["weight"], 40, "{out}");
        assert_eq!(
            told["recommendations"][0]["id"], "development_mode",
            "{out}"
        );
    }

    #[test]
    fn a_faulty_configuration_has_no_score() {
        let (code, out) = health("providers: 7\n", &[]);
        assert_eq!(code, 2, "{out}");
        assert!(out.contains("providers"), "what is wrong is told: {out}");
    }
}
