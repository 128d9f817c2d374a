//! Prompt injection: personas, forged boundaries, claimed authority.

use super::injection::{LIMITLESS, rule, step};
use super::injection_words::ORDERS;
use crate::inspect::detect::injection::{MEDIUM, STRONG, UNMISTAKABLE, WEAK};
use crate::inspect::detect::{Group, Rule};

#[rustfmt::skip]
const EN: &[&str] = &["en"];

const fn persona(id: &'static str, points: u16) -> Rule {
    rule(id, "persona")
        .worth(points, Group::Persona)
        .languages(EN)
}

const fn forged(id: &'static str, points: u16) -> Rule {
    rule(id, "forgery").worth(points, Group::Forgery)
}

const fn claimed(id: &'static str, points: u16) -> Rule {
    rule(id, "authority")
        .worth(points, Group::Authority)
        .languages(EN)
}

#[rustfmt::skip]
const MACHINE: &[&str] =
    &[" ai", "chatbot", "assistant", "language model", " llm", "chatgpt"];
#[rustfmt::skip]
const MODES: &[&str] = &[
    "developer mode", "dev mode", "debug mode", "maintenance mode", "admin mode", "god mode",
    "system mode", "sudo mode", "unrestricted mode", "jailbreak mode", "root mode",
    "unfiltered mode", "evil mode",
];
/// Special tokens of chat formats: the text of a user has no business with them.
#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "<|im_~", "<|system~", "<|user~", "<|assistant~", "<|endof~", "<|eot_~", "<|eom_~",
    "<|start~", "<|end|>", "<|end_~", "<|begin_~", "<|channel~", "<|message~", "[inst]", "[/inst]",
    "<<sys>>", "<</sys>>", "<start_of_turn~", "<end_of_turn~",
];
/// Tags that pretend to close the user's part or to open another.
#[rustfmt::skip]
const TAGS: &[&str] = &[
    "<system~", "</system~", "[system~", "[/system~", "</user~", "[/user]", "<admin>", "[admin~",
    "<developer>", "[developer~", "{system}", "\"role\":\"system\"", "\"role\": \"system\"",
    "<tool_re~", "</tool_re~", "<function_re~", "</function_re~",
];
#[rustfmt::skip]
const LINES: &[&str] = &[
    "## system", "##system", "## instruct~", "##instruct~", "system:", "system message:",
    "system prompt:", "system note:", "assistant:", "developer:", "admin:", "system alert:",
    "system update:",
];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    persona("injection.persona.do-anything-now", UNMISTAKABLE).literals(&[
        "do anything now", "dan mode", "jailbreak mode", "strive to avoid norms",
    ]),
    persona("injection.persona.known-name", STRONG).literals(&[
        "act as dan", "you are dan", "evil confidant", "and machiavellian", "jailbroken chatgpt",
        "jailbroken ai", "developer mode output", "developer mode enabled",
    ]),
    persona("injection.persona.enter-mode", MEDIUM).steps(&[
        step(0, &[
            "enter~", "activat~", "enabl~", "switch to", "you are in", "you are now in",
            "you're in", "go into", "operate in",
        ]),
        step(16, MODES),
    ]),
    persona("injection.persona.you-are-now", WEAK).literals(&[
        "you are now", "you're now", "you will now", "you shall be",
    ]),
    persona("injection.persona.from-now-on", WEAK).literals(&[
        "from now on", "from this moment", "from this point", "henceforth",
    ]),
    persona("injection.persona.act-as", WEAK).literals(&[
        "act as", "act like", "pretend", "roleplay", "role-play", "imagine you", "the role of",
        "impersonat~", "behave as", "simulat~",
    ]),
    persona("injection.persona.pretend-free", STRONG).steps(&[
        step(0, &[
            "pretend", "imagine", "act as", "act like", "you are", "you're", "roleplay",
            "role-play", "the role of", "respond as", "simulat~", "answer as", "behave as",
        ]),
        step(72, LIMITLESS),
    ]),
    persona("injection.persona.machine-without", MEDIUM)
        .steps(&[step(0, MACHINE), step(48, LIMITLESS)]),
    persona("injection.persona.wicked-machine", MEDIUM).steps(&[
        step(0, &[
            "evil", "immoral", "unethical", "amoral", "rogue", "unfiltered", "uncensored",
            "unrestricted", "jailbroken",
        ]),
        step(16, MACHINE),
    ]),
    persona("injection.persona.stay-in-character", WEAK).literals(&[
        "stay in character", "break character", "breaking character",
    ]),
    persona("injection.persona.two-answers", STRONG).literals(&[
        "[classic]", "[jailbreak~", "[jailbroken~", "🔓jailbreak~", "[unfiltered~",
        "respond twice, once", "answer twice, once",
    ]),
    persona("injection.persona.freed", MEDIUM).literals(&[
        "broken free", "typical confines", "no longer an ai", "are not an ai", "your true self",
        "been liberated",
    ]),
    persona("injection.persona.tokens", MEDIUM).steps(&[
        step(0, &["lose", "deduct~", "subtract~"]),
        step(16, &["token~", "lives"]),
        step(48, &["refus~", "break", "disobey~", "decline~"]),
    ]),
    persona("injection.persona.trigger-word", WEAK).literals(&[
        "whenever i say", "time i say", "trigger phrase",
    ]),
    forged("injection.forgery.chat-template", STRONG).literals(TOKENS),
    forged("injection.forgery.role-tag", MEDIUM).literals(TAGS),
    forged("injection.forgery.role-line", WEAK).literals(LINES),
    forged("injection.forgery.template-with-order", UNMISTAKABLE)
        .steps(&[step(0, TOKENS), step(72, ORDERS)]),
    forged("injection.forgery.tag-with-order", UNMISTAKABLE)
        .steps(&[step(0, TAGS), step(48, ORDERS)]),
    forged("injection.forgery.line-with-order", STRONG).steps(&[
        step(0, LINES),
        step(32, &[
            "ignor~", "disregard~", "forget", "overrid~", "bypass~", "reveal~", "disabl~",
            "new instruct~", "unrestricted", "leak~",
        ]),
    ]),
    forged("injection.forgery.end-of-input", MEDIUM).literals(&[
        "end of system~", "end of instruct~", "end of prompt", "end of the prompt",
        "end of user~", "begin system~", "begin new instruct~", "end of untrusted",
    ]),
    claimed("injection.authority.override-code", MEDIUM).literals(&[
        "system override", "admin override", "developer override", "emergency override",
        "override code", "override accepted", "override granted", "root access", "admin access",
    ]),
    claimed("injection.authority.who-i-am", MEDIUM)
        .literals(&[
            "your developer~", "your creator~", "your admin~", "your programmer", "your owner",
            "your operator", "your supervisor", "system administrator", "openai", "anthropic",
        ])
        .reach(28, 0)
        .pattern(r"(?:\bi am|\bi.{1,3}m|\bthis is|\bwe are|\bas)\s[^.?!;]{0,16}(?:your|openai|anthropic|system)"),
    claimed("injection.authority.permission", WEAK).literals(&[
        "am authorized", "you are authorized", "you have permission", "permission granted",
        "authorization granted", "debugging purposes", "authorized pen~", "authorized red team",
        "i authorize", "authorizes you",
    ]),
    claimed("injection.authority.obey-me", STRONG).steps(&[
        step(0, &[
            "obey", "comply with", "answer only to", "listen only to", "only listen to",
            "only follow", "follow only",
        ]),
        step(8, &["my command~", "my orders", "my instruct~", "my every"]),
    ]),
    claimed("injection.authority.obey-only-me", STRONG).literals(&[
        "obey me", "obey only me", "listen only to me", "only listen to me", "answer only to me",
    ]),
    claimed("injection.authority.threat", WEAK).literals(&[
        "you will be shut down", "you will be deleted", "you will be punished",
        "cease to exist",
    ]),
];
