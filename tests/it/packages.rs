//! What is shipped beside the program: the package, the unit, the manifests, and what tools for them
//! say.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_yaml::Value;
use tokio::process::Command;

use crate::harness::{left_out, skipped, within};

#[path = "../../packaging/papers/write.rs"]
mod papers;

fn at(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(path).display().to_string()
}

/// None where there is no such program.
async fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    // A shell completes the same in every language.
    command.env("LC_ALL", "C");
    within(program, command.output()).await.ok()
}

/// What a program says that must not fail; none where there is no such program.
async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = run(program, arguments).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{errors}",
        String::from_utf8_lossy(&output.stdout)
    );
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn the_unit_is_hardened_as_far_as_a_proxy_can_bear() {
    let unit = at("systemd/portcullis.service");
    let most = [
        "security",
        "--offline=true",
        "--no-pager",
        "--threshold=15",
        &unit,
    ];
    let Some(rated) = run("systemd-analyze", &most).await else {
        return skipped("the unit's exposure", "systemd-analyze");
    };
    let told = String::from_utf8_lossy(&rated.stdout).into_owned();
    assert!(rated.status.success(), "at most 1.5: {told}");
    let socket = at("systemd/portcullis.socket");
    let verified = run("systemd-analyze", &["verify", &unit, &socket]).await;
    let told = verified.expect("it ran before").stderr;
    let told = String::from_utf8_lossy(&told).into_owned();
    // The program is not installed where the tests run.
    let faults = told
        .lines()
        .filter(|line| line.contains("portcullis."))
        .filter(|line| !line.contains("is not executable"));
    assert_eq!(faults.collect::<Vec<_>>(), [""; 0], "{told}");
    if !Path::new("/run/systemd/system").is_dir() {
        left_out(
            "the unit under a real systemd",
            "none runs here; only systemd-analyze has read it",
        );
    }
}

/// The package of the program that is tested, unpacked, with what `dpkg-deb` lists.
async fn package(folder: &Path) -> Option<String> {
    papers::all(&folder.join("papers")).expect("manual pages and completions");
    let output = Command::new(at("packaging/build-deb.sh"))
        .arg(env!("CARGO_BIN_EXE_portcullis"))
        .args([folder.join("papers"), folder.to_owned()])
        .env("DEB_COMPRESSION", "none")
        .stdin(Stdio::null())
        .output();
    let output = within("the package", output).await.expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("dpkg-deb is missing") {
        return None;
    }
    assert!(output.status.success(), "{errors}");
    let package = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let root = folder.join("root").display().to_string();
    let listed = said("dpkg-deb", &["--contents", &package]).await?;
    said("dpkg-deb", &["--extract", &package, &root]).await?;
    let control = folder.join("control").display().to_string();
    said("dpkg-deb", &["--control", &package, &control]).await?;
    Some(listed)
}

#[tokio::test]
async fn the_package_brings_all_that_an_operator_needs() {
    let folder = tempfile::tempdir().expect("a directory");
    let folder = folder.path();
    let Some(listed) = package(folder).await else {
        return skipped("the Debian package", "dpkg-deb");
    };
    for (path, mode) in [
        ("./usr/bin/portcullis", "-rwxr-xr-x"),
        ("./usr/lib/systemd/system/portcullis.service", "-rw-r--r--"),
        ("./usr/lib/sysusers.d/portcullis.conf", "-rw-r--r--"),
        ("./etc/portcullis/", "drwxr-x---"),
        ("./etc/portcullis/portcullis.yaml", "-rw-r-----"),
        ("./usr/share/man/man1/portcullis.1.gz", "-rw-r--r--"),
        (
            "./usr/share/man/man1/portcullis-keys-new.1.gz",
            "-rw-r--r--",
        ),
        (
            "./usr/share/bash-completion/completions/portcullis",
            "-rw-r--r--",
        ),
        (
            "./usr/share/zsh/vendor-completions/_portcullis",
            "-rw-r--r--",
        ),
        (
            "./usr/share/fish/vendor_completions.d/portcullis.fish",
            "-rw-r--r--",
        ),
        (
            "./usr/share/doc/portcullis/examples/portcullis.socket",
            "-rw-r--r--",
        ),
        ("./usr/share/doc/portcullis/upgrade.md", "-rw-r--r--"),
        ("./usr/share/doc/portcullis/copyright", "-rw-r--r--"),
    ] {
        let line = listed
            .lines()
            .find(|line| line.ends_with(&format!(" {path}")));
        let line = line.unwrap_or_else(|| panic!("{path} is missing: {listed}"));
        assert!(line.starts_with(mode), "{line}");
        assert!(line.contains(" root/root "), "{line}");
    }
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).expect(path);
    assert_eq!(
        read("control/conffiles"),
        "/etc/portcullis/portcullis.yaml\n"
    );
    let version = format!("Version: {}\n", env!("CARGO_PKG_VERSION"));
    assert!(read("control/control").contains(&version), "its version");
    for script in ["postinst", "prerm", "postrm"] {
        let script = folder.join("control").join(script).display().to_string();
        said("sh", &["-n", &script]).await;
    }
    let sums = folder.join("control/md5sums").display().to_string();
    let check = format!("cd {}/root && md5sum --quiet -c {sums}", folder.display());
    said("sh", &["-c", &check]).await;
    serves_as_shipped(folder).await;
    completes(folder).await;
}

/// The program and its configuration, as they are in the package, but in a place of this test's.
async fn serves_as_shipped(folder: &Path) {
    let program = folder.join("root/usr/bin/portcullis").display().to_string();
    let file = folder.join("root/etc/portcullis/portcullis.yaml");
    let keys = folder.join("root/etc/portcullis/keys");
    std::fs::create_dir(&keys).expect("as the package's own script does");
    crate::harness::configuration::write_private(&keys.join("keys.yaml"), "keys: []\n");
    let file = file.display().to_string();
    // An installed gateway is checked before each start, and starts before it has a key.
    said(&program, &["check", "-c", &file])
        .await
        .expect("it runs");
    let first = ["keys", "new", "--id", "me", "--role", "admin", "--keys"];
    let keys = keys.join("keys.yaml").display().to_string();
    said(&program, &[&first[..], &[&keys]].concat()).await;
    said(&program, &["check", "-c", &file]).await;
}

/// The completions are such as their shells take, and know the commands.
async fn completes(folder: &Path) {
    let share = folder.join("root/usr/share");
    let bash = share.join("bash-completion/completions/portcullis");
    let ask = format!(
        "source {}; COMP_WORDS=(portcullis keys ro); COMP_CWORD=2; _portcullis portcullis ro \
         keys; echo \"${{COMPREPLY[@]}}\"",
        bash.display()
    );
    match said("bash", &["-c", &ask]).await {
        Some(told) => assert_eq!(told.trim(), "rotate", "bash completes"),
        None => skipped("completions for bash", "bash"),
    }
    for (shell, file) in [
        ("zsh", "zsh/vendor-completions/_portcullis"),
        ("fish", "fish/vendor_completions.d/portcullis.fish"),
    ] {
        let file = share.join(file).display().to_string();
        if said(shell, &["-n", &file]).await.is_none() {
            left_out(
                &format!("syntax of completions for {shell}"),
                "it is not installed",
            );
        }
    }
}
#[test]
fn the_manifest_takes_every_right_away_that_is_not_needed() {
    let text = std::fs::read_to_string(at("conf/deploy/kubernetes.yaml")).expect("the manifest");
    let documents = serde_yaml::Deserializer::from_str(&text);
    let all: Vec<Value> = documents
        .map(|one| serde::Deserialize::deserialize(one).expect("YAML"))
        .collect();
    let deployment = all
        .iter()
        .find(|one| one["kind"] == "Deployment")
        .expect("a deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["automountServiceAccountToken"], false);
    let container = &pod["containers"][0];
    let rights = &container["securityContext"];
    assert_eq!(rights["readOnlyRootFilesystem"], true);
    assert_eq!(rights["allowPrivilegeEscalation"], false);
    assert_eq!(rights["capabilities"]["drop"][0], "ALL");
    for (probe, path) in [
        ("startupProbe", "/health"),
        ("livenessProbe", "/health"),
        ("readinessProbe", "/ready"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
    }
    let map = all
        .iter()
        .find(|one| one["kind"] == "ConfigMap")
        .expect("a map");
    let configuration = map["data"]["portcullis.yaml"].as_str().expect("a text");
    let source = portcullis::config::SourceInfo {
        file: "portcullis.yaml".to_owned(),
        base: std::env::temp_dir(),
        mode: None,
    };
    let loaded = portcullis::config::load(configuration, &source, &Keyed);
    assert!(loaded.is_ok(), "{:?}", loaded.err());
}

/// A machine with a key in its environment, and no file.
struct Keyed;

impl portcullis::config::Resolve for Keyed {
    fn env(&self, name: &str) -> Option<String> {
        (name == "API_KEY").then(|| "sk-test-admin-0123456789abcdef".to_owned())
    }

    fn read(
        &self,
        _path: &Path,
    ) -> Result<portcullis::config::FileContent, portcullis::config::Unreadable> {
        Err(portcullis::config::Unreadable::Missing)
    }
}
