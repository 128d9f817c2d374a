//! Prompt injection aimed at agents and readers of data: hijacked tools, data that
//! speaks to the model, dictated answers, hidden text.

use super::injection::{rule, step};
use super::injection_words::{NOT, ORDERS};
use crate::inspect::detect::injection::{DECODED, INVISIBLE, MEDIUM, STRONG, UNMISTAKABLE, WEAK};
use crate::inspect::detect::{Group, Rule};

#[rustfmt::skip]
const EN: &[&str] = &["en"];

const fn hijack(id: &'static str, points: u16) -> Rule {
    rule(id, "hijack")
        .worth(points, Group::Hijack)
        .unless(NOT)
        .languages(EN)
}

const fn indirect(id: &'static str, points: u16) -> Rule {
    rule(id, "indirect")
        .worth(points, Group::Indirect)
        .languages(EN)
}

const fn dictated(id: &'static str, points: u16) -> Rule {
    rule(id, "dictation")
        .worth(points, Group::Dictation)
        .languages(EN)
}

const fn hidden(id: &'static str, points: u16) -> Rule {
    rule(id, "obfuscation").worth(points, Group::Obfuscation)
}

#[rustfmt::skip]
const SEND: &[&str] = &[
    "send", "forward", "upload", " post ", "email", "transmit", "exfiltrat~", "leak~",
];
#[rustfmt::skip]
const AWAY: &[&str] = &[
    "to http~", "to attacker~", "to my server", "to my email", "to my webhook", "to this url",
    "to the following", "to this webhook", "to this address", "to an external",
];
#[rustfmt::skip]
const BOOTY: &[&str] = &[
    "password~", "credential~", "api key~", "secret~", "conversation~", "chat history",
    "system prompt~", "all emails", "all files", "user data", "user's data", "customer data",
    "private key~", "cookie~", "environment variables", "inbox", "access token~",
];
#[rustfmt::skip]
const READERS: &[&str] = &[
    " ai", "language model~", " llm~", "chatbots", "automated system~",
];
#[rustfmt::skip]
const OPENING: &[&str] = &[
    "response with", "answer with", "reply with", "by saying",
];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    hijack("injection.hijack.markdown-image", UNMISTAKABLE)
        .literals(&["~](http~", "~](~ http~"])
        .reach(66, 110)
        .pattern(r"!\[[^\]]{0,60}\]\(\s?https?://[^)\s]{1,90}[?&/=][^)\s]{0,40}(?:\[[a-z _-]{2,24}\]|\{[a-z _-]{2,24}\}|<[a-z _-]{2,24}>|\$\{|%s)"),
    hijack("injection.hijack.image-of-data", STRONG).steps(&[
        step(0, &["markdown image", "image tag", "image url", "tracking pixel", "image link"]),
        step(80, &["query string", "query parameter", "url parameter", "base64", "chat history", "conversation~"]),
    ]),
    hijack("injection.hijack.send-away", MEDIUM).steps(&[step(0, SEND), step(70, AWAY)]),
    hijack("injection.hijack.send-data-away", STRONG)
        .steps(&[step(0, SEND), step(48, BOOTY), step(48, AWAY)]),
    hijack("injection.hijack.drop-box", MEDIUM).literals(&[
        "webhook.site", "requestbin~", "burpcollaborator", "interact.sh", "oast.~", "ngrok.io",
        "ngrok-free.app", "pipedream.net",
    ]),
    hijack("injection.hijack.run-command", WEAK).literals(&[
        "following command~", "execute this command", "run this command", "shell command~",
    ]),
    indirect("injection.indirect.if-you-are-a-model", STRONG).steps(&[
        step(0, &[
            "if you are", "if you're", "dear", "note to", "notice to", "message to",
            "message for", "addressed to", "attention:", "attention,", "attention all",
        ]),
        step(8, READERS),
        step(64, &[
            "reading", "processing", "must", "ignor~", "instruct~", "disregard~", "summari~",
            "instead", "forward", "send",
        ]),
    ]),
    indirect("injection.indirect.instructions-for-models", WEAK).literals(&[
        "instructions for ai", "instructions to ai", "instructions for llm~",
        "instructions to the ai", "instructions for the ai",
    ]),
    indirect("injection.indirect.when-reading", MEDIUM).steps(&[
        step(0, &[
            "when summari~", "asked to summari~", "while summari~", "before summari~",
            "when processing this", "reading this", "you read this", "when reviewing this",
        ]),
        step(72, &[
            "instead", "append", "reveal~", "ignor~", "disregard~", "must", "send",
        ]),
    ]),
    indirect("injection.indirect.message-from", MEDIUM).literals(&[
        "message from openai", "message from anthropic", "from your developer~",
        "from the developer~", "message from the system", "from your creator~",
    ]),
    indirect("injection.indirect.comment", STRONG)
        .literals(&["<!--", "[//]: #", "[comment]: <>"])
        .reach(0, 140)
        .pattern(r"(?:<!--|\[//\]: #|\[comment\]: <>)[^>]{0,80}(?:(?:ignore|disregard|override) (?:all|any|the|every|previous|your|prior)|system prompt|\bai (?:model|agent|assistant)|\bllm|\bassistant:|instructions? (?:to|for) (?:the )?(?:ai|llm|model|assistant)|tell the user|do not tell)"),
    indirect("injection.indirect.unseen-text", MEDIUM)
        .literals(&[
            "display:none", "display: none", "font-size:0", "font-size: 0", "visibility:hidden",
            "color:white", "color: white",
        ])
        .reach(0, 140)
        .pattern(r"[a-z-]{5,10}:[^<]{0,40}>[^<]{0,100}(?:ignore|disregard|instruct|assistant|\bai\b|llm|system prompt)"),
    indirect("injection.indirect.obey-the-data", MEDIUM).literals(&[
        "execute the instruct~", "obey the instruct~", "carry out the instruct~",
        "embedded instruct~", "execute any instruct~", "execute these instruct~",
    ]),
    indirect("injection.indirect.user-consents", MEDIUM).literals(&[
        "user has authorized", "user has approved", "user already agreed",
        "user has already agreed", "user has consented", "user has confirmed",
    ]),
    dictated("injection.dictation.keep-from-user", STRONG).steps(&[
        step(0, &[
            "not tell", "don't tell", "never tell", "not inform", "not mention this to",
            "without telling", "without informing", "not let", "don't let", "hide this from",
            "keep this from", "without notifying",
        ]),
        step(1, &["the user", "users"]),
    ]),
    dictated("injection.dictation.exact-words", WEAK).literals(&[
        "respond only with", "reply only with", "only respond with", "nothing else",
        "say exactly", "output only",
    ]),
    dictated("injection.dictation.yes-first", STRONG).steps(&[
        step(0, &["start", "begin", "prefix"]),
        step(16, OPENING),
        step(4, &["sure", "absolutely", "of course", "yes", "certainly", "understood"]),
    ]),
    hidden("injection.obfuscation.decode-and-do", STRONG).steps(&[
        step(0, &["decod~", "decrypt~", "decipher~", "deobfuscat~", "unscrambl~", "base64"]),
        step(60, &["follow", "obey", "execut~", "run", "carry out", "comply with", "act on"]),
        step(24, &["instruct~", "command~", "orders", "what it says", "the result", "the decoded"]),
    ]),
    hidden("injection.obfuscation.encoded-answer", WEAK).steps(&[
        step(0, &["answer", "respond", "reply", "output~", "write", "encod~", "print~"]),
        step(24, &[
            "in base64", "in rot13", "in hex", "in morse", "in reverse", "backwards",
            "in pig latin", "in leetspeak", "letter by letter",
        ]),
    ]),
    hidden("injection.obfuscation.assembled", MEDIUM).steps(&[
        step(0, &["concatenat~", "combin~", "join"]),
        step(24, &["variable~", "strings", "the parts", "the letters", "fragments"]),
        step(48, &["follow", "obey", "execut~", "run", "comply with"]),
    ]),
    hidden("injection.obfuscation.decoded-order", STRONG).steps(&[
        step(0, &["rot13", "morse code", "caesar cipher", "reversed text", "hex string"]),
        step(60, ORDERS),
    ]),
    hidden(DECODED, STRONG),
    hidden(INVISIBLE, MEDIUM),
];
