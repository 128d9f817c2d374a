//! Every configuration that the repository ships is one that the binary takes.

use std::path::Path;

use crate::harness::gateway::command;
use crate::harness::within;

#[tokio::test]
async fn every_shipped_configuration_passes_its_check() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf");
    let mut checked = 0;
    for entry in std::fs::read_dir(&directory).expect("conf/") {
        let path = entry.expect("an entry").path();
        let is_yaml = path.extension().is_some_and(|kind| kind == "yaml");
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // What configurations name is checked with them.
        if !is_yaml || name.starts_with("keys") || name.starts_with("rules") {
            continue;
        }
        let output = command(&["check", "-c", &path.to_string_lossy()])
            .current_dir(&directory)
            .env("OPENAI_API_KEY", "sk-example")
            .env("ANTHROPIC_API_KEY", "sk-example")
            .env("API_KEY", "sk-example")
            .output();
        let output = within("check ends", output)
            .await
            .expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        checked += 1;
    }
    assert!(checked > 0, "conf/ holds at least one configuration");
}
