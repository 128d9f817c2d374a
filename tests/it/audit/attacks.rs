//! What somebody does to the files: each is found, with its line.

use std::path::{Path, PathBuf};

use super::{audited, log, some_trouble, stop, verify};

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

#[tokio::test]
async fn edits_cuts_and_exchanges_are_found_with_their_line() {
    let mut gateway = audited().await;
    some_trouble(&gateway).await;
    stop(&mut gateway).await;
    let file = log(&gateway);
    let text = std::fs::read_to_string(&file).expect("the log");
    let whole = lines(&text);
    let count = whole.len();
    assert!(count >= 6, "{text}");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let copy = write(elsewhere.path(), "audit.jsonl", &text);
    let told = verify(&[&copy], 0).await;
    assert_eq!(
        told["public_key_trusted"], false,
        "a copy names its own key: {told}"
    );
    let public = gateway.folder().join("audit.jsonl.pub");
    let public = std::fs::read_to_string(public).expect("the public key");
    write(elsewhere.path(), "audit.jsonl.pub", &public);
    let told = verify(&[&copy], 0).await;
    assert_eq!(
        told["public_key_trusted"], true,
        "with the key beside it: {told}"
    );

    let without = |place: usize| {
        let mut lines = whole.clone();
        lines.remove(place);
        lines.concat()
    };
    let mut swapped = whole.clone();
    swapped.swap(1, 2);
    let mut repeated = whole.clone();
    repeated.insert(3, whole[1]);
    for (name, text, line) in [
        ("an edit", text.replacen("\"reason\":", "\"Reason\":", 1), 3),
        ("a line removed", without(2), 3),
        ("lines swapped", swapped.concat(), 2),
        ("a line repeated", repeated.concat(), 4),
        ("the last line cut", without(count - 1), count - 1),
        (
            "half of the last line",
            text[..text.len() - 40].to_owned(),
            count,
        ),
        ("all but the first", whole[0].to_owned(), 1),
        ("the first line cut", without(0), 1),
        ("nothing left", String::new(), 0),
    ] {
        let tampered = write(elsewhere.path(), "audit.jsonl", &text);
        let told = verify(&[&tampered], 1).await;
        assert_eq!(told["fault"]["line"], line, "{name}: {told}");
    }
    // In its place, the mark beside it tells even what ends with a signature.
    write(gateway.folder(), "audit.jsonl", &without(count - 1));
    verify(&[&file], 1).await;
}

#[tokio::test]
async fn what_was_edited_while_the_gateway_was_down_is_kept_and_told() {
    let mut gateway = audited().await;
    some_trouble(&gateway).await;
    stop(&mut gateway).await;
    let file = log(&gateway);
    let text = std::fs::read_to_string(&file).expect("the log");
    let cut = lines(&text)[..3].concat();
    write(gateway.folder(), "audit.jsonl", &cut);
    gateway.start_again().await;
    let loud = |line: &serde_json::Value| {
        let message = line["message"].as_str().unwrap_or_default();
        line["level"] == "ERROR" && message.contains("TAMPERED")
    };
    gateway.wait_for_line("the alarm", loud).await;
    stop(&mut gateway).await;
    let mut kept = std::fs::read_dir(gateway.folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains(".broken."));
    let kept = kept.take().expect("the broken file is kept");
    assert_eq!(
        std::fs::read_to_string(&kept).expect("it"),
        cut,
        "as it was"
    );
    let told = verify(&[&kept, &file], 1).await;
    assert_eq!(
        told["fault"]["file"],
        file.to_str().expect("a name"),
        "{told}"
    );
    verify(&[&file], 0).await;
    // The two the other way round.
    verify(&[&file, &kept], 1).await;
}
