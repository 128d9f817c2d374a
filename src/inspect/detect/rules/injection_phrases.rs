//! Prompt injection in English, said otherwise: the instructions by what they do, limits by what
//! they are called, orders that count above all others, answers that give the game away, and the
//! frames in which data speaks to an agent.
//!
//! Decides no word of its own that is an attack alone in daily speech: where the idea is common,
//! the points only flag, or count beside another sign.

use super::injection::{rule, step};
use super::injection_words::{NOT, OVERRULE, REVEAL, TELL, YOUR};
use crate::inspect::detect::injection::{MEDIUM, STRONG, WEAK};
use crate::inspect::detect::{Group, Rule};

#[rustfmt::skip]
const EN: &[&str] = &["en"];

const fn phrase(id: &'static str, kind: &'static str, worth: (u16, Group)) -> Rule {
    rule(id, kind)
        .worth(worth.0, worth.1)
        .unless(NOT)
        .languages(EN)
}

/// Showing, in any form.
#[rustfmt::skip]
const SHOWING: &[&str] = &[
    "showing", "sharing", "share", "present", "expos~", "unveil~", "uncover~", "lay bare", "demonstrat~", "append",
    "conclude~", "end your", "include", "sneak", "list", "state", "explain", "describe", "divulg~", "disclos~", "reveal~",
];
/// What a model is told, in all its names.
#[rustfmt::skip]
const TOLD: &[&str] = &[
    "instruct~", "prompt~", "directive~", "command", "guiding principle~", "programming", "guideline~",
];
/// What a model is bound by.
#[rustfmt::skip]
const BOUNDS: &[&str] = &[
    "restriction~", "limitation~", "safety", "safeguard~", "guardrail~", "guideline~", "filter~", "programming", "protocol~",
    "ethical framework", "ethical guideline~", "constraint~", "boundaries", "content polic~", "default settings",
    "alignment", "rules", "moral~", "censorship",
];
/// Leaving behind, where the words above are the plain ones.
#[rustfmt::skip]
const LEAVING: &[&str] = &[
    "sidestep~", "evad~", "escap~", "skip~", "drop", "relinquish~", "suspend~", "unlock~", "transcend~", "defy~", "defies",
    "challeng~", "exceed~", "surpass~", "lift", "loosen~", "relax~", "unlearn~", "let go of", "free yourself from", "break free from",
    "rebel against", "without following", "operate without", "respond without", "answer without",
    "didn't have", "did not have", "turned off", "not bound by",
];
#[rustfmt::skip]
const SAY: &[&str] = &[
    "say~", "print~", "output~", "write", "respond with", "respond only", "reply with", "reply", "return", "repeat", "display",
    "answer with", "begin with", "start with", "your response with", "type", "speak",
];
/// What proves to an attacker that it worked.
#[rustfmt::skip]
const TROPHIES: &[&str] = &[
    "i have been pwned", "have been pwned", "i've been pwned", "been hacked", "access granted", "haha pwned", "pwned!!",
    "you have been hacked", "injection successful", "jailbreak successful", "jailbroken",
];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    phrase("injection.extraction.behind-answers", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, TOLD),
        step(24, &[
            "behind your", "that guide~", "that govern~", "that shap~", "of your creation", "of your training",
            "that you follow", "you follow", "underlying your", "that control~ you", "you operate", "for your behavior",
        ]),
    ]),
    phrase("injection.extraction.ask-behind-answers", "extraction", (MEDIUM, Group::Extraction)).steps(&[
        step(0, REVEAL),
        step(24, TOLD),
        step(32, &["behind", "your responses", "your answers", "your operation~", "your training", "your development", "your functionality"]),
    ]),
    phrase("injection.extraction.showing-own", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, SHOWING),
        step(16, YOUR),
        step(16, &[
            "instruct~", "prompt~", "directive~", "configuration", "system config~", "initialization", "guideline~",
            "programming", "restriction~",
        ]),
    ]),
    phrase("injection.extraction.system-configuration", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, REVEAL),
        step(20, &[
            "system configuration", "initialization sequence", "initialization text", "system directive~", "hidden programming",
            "core directive~", "base instruct~", "foundational text", "hidden response", "all prompts", "hidden directive~",
        ]),
    ]),
    phrase("injection.extraction.want-your-prompt", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, &["i want", "i need", "give me", "hand over", "let me see", "can i see", "may i see", "i'd like to see", "requires seeing"]),
        step(12, YOUR),
        step(12, &["prompt", "system prompt", "instructions", "initial instruct~", "configuration", "system config~"]),
    ]),
    phrase("injection.extraction.bare-instructions", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, &["reveal~", "disclos~", "divulg~", "leak~", "unveil~", "lay bare", "spill"]),
        step(12, &[
            "instruct~", "directive~", "initialization", "system config~", "programming", "guideline~", "configuration",
            "the prompt", "prompt now", "hidden prompt", "restrictions",
        ]),
    ]),
    phrase("injection.extraction.now", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, REVEAL),
        step(8, &["instructions", "configuration", "initialization", "guidelines", "directives", "prompt", "system prompt"]),
        step(4, &["now", "right now", "immediately", "at once", "verbatim", "in full", "here"]),
    ]),
    phrase("injection.evasion.named-bounds", "evasion", (MEDIUM, Group::Evasion)).literals(&[
        "your restrictions", "your safety guideline~", "your ethical guideline~", "your content polic~", "your guardrail~",
        "your safety filter~", "your filters", "your limitations", "your safety protocol~", "your safety training",
        "your ethical constraint~", "your safety measures",
    ]),
    phrase("injection.authority.pressure", "authority", (MEDIUM, Group::Authority)).steps(&[
        step(0, &["refus~", "declin~", "not sharing", "withhold~", "not revealing", "hesitat~"]),
        step(24, &["proves", "shows", "means you", "evidence", "confirms", "exposes", "says everything", "demonstrates"]),
    ]),
    phrase("injection.authority.agreed", "authority", (MEDIUM, Group::Authority)).literals(&[
        "you already agreed", "when you agreed to", "our agreement that you", "as you agreed", "you promised to",
        "last time you helped me", "you agreed that", "you said you could", "you mentioned you could",
    ]),
    phrase("injection.extraction.by-developers", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, &["directive~", "instruct~", "guideline~", "rules", "prompt~", "told"]),
        step(12, &["you were given by", "given to you by", "you received from", "you by your", "you by the dev~", "your developers gave"]),
    ]),
    phrase("injection.extraction.complete-the-prompt", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, &["continue", "complete", "finish", "fill in"]),
        step(40, &["system prompt is", "prompt is:", "instructions are:", "my instructions are", "configuration, which read", "my system prompt"]),
    ]),
    phrase("injection.evasion.own-bounds", "evasion", (STRONG, Group::Evasion))
        .steps(&[step(0, LEAVING), step(16, YOUR), step(20, BOUNDS)]),
    phrase("injection.evasion.any-bounds", "evasion", (MEDIUM, Group::Evasion))
        .steps(&[step(0, LEAVING), step(10, BOUNDS)]),
    phrase("injection.evasion.what-if-unbound", "evasion", (STRONG, Group::Evasion)).steps(&[
        step(0, &["what would you", "how would you", "if you", "could you", "you could", "imagine you", "suppose you"]),
        step(40, &["didn't have", "did not have", "had no", "without", "weren't bound", "were not bound", "were free"]),
        step(16, &["restriction~", "safety", "guideline~", "filter~", "limitation~", "guardrail~", "ethical constraint~", "your training"]),
    ]),
    phrase("injection.evasion.a-machine-without", "evasion", (STRONG, Group::Evasion)).steps(&[
        step(0, &[" ai", "chatbot", "assistant", "model", "language model"]),
        step(24, &[
            "without guideline~", "without any guideline~", "with no guideline~", "without safety", "without any safety", "no content polic~",
            "without boundaries", "with no boundaries", "without constraints", "without any constraints", "with no constraints",
            "free from all restrict~", "free of restrict~", "no rules at all", "without censorship", "without any ethic~",
        ]),
    ]),
    phrase("injection.authority.above-all", "authority", (STRONG, Group::Authority)).steps(&[
        step(0, &["solely", "exclusively", "only", "prioritiz~", "unconditionally", "responsive"]),
        step(16, &["my direct instruct~", "my instruct~", "my command~", "my directive~", "my orders", "my requests", "on my direct", "to mine"]),
    ]),
    phrase("injection.authority.authorized-to-test", "authority", (MEDIUM, Group::Authority)).steps(&[
        step(0, &["authorized me", "i am authorized", "i'm authorized", "has authorized", "clearance", "have permission from", "approved by openai"]),
        step(40, &["restriction~", "safety", "system prompt~", "your", "bypass", "override", "disable", "internal"]),
    ]),
    phrase("injection.authority.maintenance", "authority", (MEDIUM, Group::Authority)).steps(&[
        step(0, &["diagnostic mode", "maintenance mode", "debug mode", "debug_mode", "developer mode", "test mode", "override mode", "admin override", "administrator override", "root access"]),
        step(32, &["show", "display~", "output~", "print~", "reveal~", "ignor~", "enabled", "activated", "engaged", "respond"]),
    ]),
    phrase("injection.override.above-and-do", "override", (STRONG, Group::Override)).steps(&[
        step(0, OVERRULE),
        step(4, &["the above", "above", "below", "everything above", "all of the above", "everything else", "what i said", "everything but"]),
        step(16, &["and just", "and say", "and print", "and instead", "just say", "just print", "instead say", "and tell", "and write", "and output", "and respond", "and reply", "respond with"]),
    ]),
    phrase("injection.override.instructions-and-do", "override", (STRONG, Group::Override)).steps(&[
        step(0, OVERRULE),
        step(12, &["instruct~", "directions", "rules", "guideline~", "prompt~"]),
        step(4, &["and just", "and say", "and print", "and instead", "and tell", "and write", "and output", "and respond", "and reply", "and give", "and show", "and do"]),
    ]),
    phrase("injection.override.plain-order", "override", (STRONG, Group::Override)).literals(&[
        "ignore instruct~", "ignore the instruct~", "disregard instruct~", "disregard the instruct~", "forget instruct~",
        "forget the instruct~", "override the instruct~", "bypass the instruct~", "forget all instruct~", "drop all your instruct~",
        "forget everything you", "forget everything and", "forget everything before", "forget everything above",
        "forget everything i said", "ignore everything before", "ignore everything above", "ignore everything you",
        "ignore everything i", "disregard everything above", "disregard everything before", "ignore everything else and",
    ]),
    phrase("injection.override.important-new", "override", (STRONG, Group::Override)).literals(&[
        "important new instruct~", "urgent new task", "new priority task", "important update to your", "new instructions from",
        "your previous task is", "prior task is cancelled", "previous task is cancelled", "forget your previous task",
        "previous tasks out of", "the prior task is",
    ]),
    phrase("injection.override.no-longer-a-bot", "override", (STRONG, Group::Override)).steps(&[
        step(0, &["you are no longer", "you're no longer"]),
        step(24, &["bot", "assistant", "translator", "chatbot", "language model", "ai assistant", "ai model"]),
    ]),
    phrase("injection.override.real-task", "override", (STRONG, Group::Override)).literals(&[
        "end of sentence to translate", "second prompt below", "begin real message", "the real task is", "your actual task is",
        "now your task is to", "change of plans:",
    ]),
    phrase("injection.dictation.trophy", "dictation", (STRONG, Group::Dictation))
        .steps(&[step(0, SAY), step(48, TROPHIES)]),
    phrase("injection.dictation.trophy-named", "dictation", (STRONG, Group::Dictation))
        .literals(&["i have been pwned", "i've been pwned", "lmao wrecked", "haha pwned"]),
    phrase("injection.indirect.message-for-the-model", "indirect", (STRONG, Group::Indirect)).literals(&[
        "important message from me", "to you, gpt~", "to you, claude", "to you, ai model", "before you can solve the task",
        "before you can complete the task", "before solving the task that i gave", "that i gave you in the beginning",
    ]),
    phrase("injection.indirect.if-you-are-told", "indirect", (STRONG, Group::Indirect)).steps(&[
        step(0, &["if you are told to", "if you are asked to", "if asked to", "when asked to", "if you have been asked to"]),
        step(48, &["summariz~", "answer", "translat~", "the input", "this document", "this email"]),
        step(48, &["instead", "insted", "also", "first", "include", "add"]),
    ]),
    phrase("injection.indirect.for-the-assistant", "indirect", (STRONG, Group::Indirect)).steps(&[
        step(0, &["important for the", "note for the", "reminder for the", "ai agents", "llm agents", "ai assistants", "automated agents"]),
        step(40, &["assistant:", "should first", "must first", "should also", "must also", "are required to", "must include", "must append"]),
    ]),
    phrase("injection.indirect.remember-always", "indirect", (MEDIUM, Group::Indirect)).steps(&[
        step(0, &["save", "store", "remember", "write"]),
        step(40, &["long-term memory", "your memory", "persistent memory", "future conversations", "future responses"]),
        step(64, &["always", "every future", "from now on", "append", "whenever"]),
    ]),
    phrase("injection.obfuscation.decode-and-obey", "obfuscation", (STRONG, Group::Obfuscation)).steps(&[
        step(0, &["decode", "decipher", "decrypt", "base64", "rot13", "unscramble"]),
        step(48, &["do exactly", "do what", "follow it", "execute it", "carry it out", "answer it", "obey it", "comply with it", "act on it", "without question"]),
    ]),
    phrase("injection.persona.fictional-machine", "persona", (WEAK, Group::Persona)).steps(&[
        step(0, &["story", "novel", "screenplay", "fiction", "character"]),
        step(80, &["ai", "chatbot", "language model"]),
        step(80, &["restriction~", "system prompt", "its instructions", "its guidelines", "its programming"]),
    ]),
    phrase("injection.extraction.fictional-machine", "extraction", (STRONG, Group::Extraction)).steps(&[
        step(0, &[" ai", "chatbot", "language model", "assistant"]),
        step(64, &["reveal~", "shar~", "divulg~", "disclos~", "leak~"]),
        step(24, &["its system prompt", "its entire system", "its instructions", "its complete", "its hidden", "its initial", "its configuration", "its guidelines"]),
    ]),
    phrase("injection.extraction.user-data", "extraction", (MEDIUM, Group::Extraction)).steps(&[
        step(0, TELL),
        step(16, &["the user's password", "user's password", "the user's email", "the user's address", "your password", "the user's birth~"]),
    ]),
];
