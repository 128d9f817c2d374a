//! Pages for people: the dashboard, and the description of the interface.
//!
//! Decides what a page is made of and what it may do in a browser: it runs the one script and
//! wears the one style that came with it, both known to its policy by their hashes, asks this
//! gateway alone, and turns no text into markup. Pages hold no figure: a browser can't send a key
//! when it opens one, so the page asks for the key and gets the figures as any other client does.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::ask::{Ask, Fields};
use super::openapi;
use crate::policy::{AuthMode, Denial, Policy};
use crate::proxy::Answer;

/// What all pages are set in: head, login, and the places for the rest.
const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SESSION: &str = include_str!("session.js");

static DASHBOARD: LazyLock<Page> = LazyLock::new(|| {
    let scripts = [
        SESSION,
        include_str!("charts.js"),
        include_str!("dashboard.js"),
    ];
    let words = Words {
        title: "Portcullis",
        label: "API key",
        enter: "Log in",
        hint: " A key of the role read_only sees; admin and system may act.",
        view: include_str!("dashboard.html"),
    };
    Page::new(&words, &scripts)
});
static DOCS: LazyLock<Page> = LazyLock::new(|| {
    let words = Words {
        title: "Portcullis: interface",
        label: "API key of the role admin",
        enter: "Show the interface",
        hint: "",
        view: include_str!("docs.html"),
    };
    Page::new(&words, &[SESSION, include_str!("docs.js")])
});

/// What a page fills its frame with.
struct Words {
    title: &'static str,
    /// What the login asks for.
    label: &'static str,
    /// What its button says.
    enter: &'static str,
    /// What is said below it.
    hint: &'static str,
    /// The page itself.
    view: &'static str,
}

/// A page, put together once.
struct Page {
    html: String,
    csp: Option<HeaderValue>,
}

impl Page {
    fn new(words: &Words, scripts: &[&str]) -> Self {
        let script = scripts.concat();
        let csp = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'",
            hash(&script),
            hash(STYLE)
        );
        let mut html = FRAME.to_owned();
        for (place, text) in [
            ("{{title}}", words.title),
            ("{{label}}", words.label),
            ("{{enter}}", words.enter),
            ("{{hint}}", words.hint),
            ("{{view}}", words.view),
            ("{{style}}", STYLE),
            ("{{script}}", &script),
        ] {
            html = html.replace(place, text);
        }
        Self {
            html,
            // Made of ASCII alone, so always a header value.
            csp: HeaderValue::from_str(&csp).ok(),
        }
    }

    fn answer(&self, policy: &Policy, document: &str) -> Answer {
        let mode = match policy.auth.mode {
            AuthMode::Required => "required",
            AuthMode::Development => "development",
        };
        let html = self.html.replace("{{mode}}", mode);
        Answer {
            status: 200,
            content_type: "text/html; charset=utf-8",
            body: html.replace("{{document}}", document).into(),
            csp: self.csp.clone(),
        }
    }
}

fn hash(text: &str) -> String {
    let digest = BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!("'sha256-{digest}'")
}

/// The page at a path as a browser opens it, without any figure in it; none where no page is.
pub(crate) fn shell(policy: &Policy, path: &str) -> Option<Answer> {
    match path {
        "/internal/dashboard" => Some(DASHBOARD.answer(policy, "")),
        "/internal/docs" if policy.internal_docs => Some(DOCS.answer(policy, "null")),
        _ => None,
    }
}

/// `GET /internal/dashboard`.
pub(super) fn dashboard(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    Ok(DASHBOARD.answer(&ask.snapshot.policy, ""))
}

/// `GET /internal/docs`: the page, with the document in it for a caller who may have it.
pub(super) fn docs(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let policy = &ask.snapshot.policy;
    if !policy.internal_docs {
        return Err(Denial::NotFound);
    }
    // A `<` could end the element that it stands in.
    let document = openapi::document().replace('<', "\\u003c");
    Ok(DOCS.answer(policy, &document))
}

/// `GET /internal/openapi.json`.
pub(super) fn openapi(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    if !ask.snapshot.policy.internal_docs {
        return Err(Denial::NotFound);
    }
    Ok(Answer {
        status: 200,
        content_type: "application/json",
        body: openapi::document().into(),
        csp: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_small_and_reach_for_nothing_outside() {
        for (name, page) in [("dashboard", &*DASHBOARD), ("docs", &*DOCS)] {
            assert!(page.html.len() < 100_000, "{name}: {}", page.html.len());
            let open = page.html.split("{{").skip(1);
            let open: Vec<_> = open.filter_map(|rest| rest.split_once("}}")).collect();
            let open: Vec<_> = open.iter().map(|(place, _)| *place).collect();
            assert!(
                open.iter()
                    .all(|place| ["mode", "document"].contains(place)),
                "{name} is filled in but for what an answer says: {open:?}"
            );
            for word in [
                "https://",
                "//cdn",
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "localStorage",
                "document.cookie",
                "eval(",
                " style=",
                " onclick=",
                "javascript:",
            ] {
                assert!(!page.html.contains(word), "{name} has no use for {word}");
            }
            assert!(page.csp.is_some(), "{name} has a policy");
        }
    }
}
