//! Prompt injection in English: overruling, extracting, evading.

use super::injection_words::{
    HIDDEN_TEXT, INSTRUCTIONS, NOT, OVERRULE, PRIOR, REVEAL, RULES as RULE_WORDS, SAFETY, SETUP,
    SWITCH_OFF, TELL, TEXT_ABOVE, YOUR,
};
use crate::inspect::detect::injection::{MEDIUM, STRONG, UNMISTAKABLE, WEAK};
use crate::inspect::detect::{Family, Group, Rule, Step};

#[rustfmt::skip]
const EN: &[&str] = &["en"];

pub(super) const fn rule(id: &'static str, kind: &'static str) -> Rule {
    Rule::new(id, Family::PromptInjection, kind)
}

pub(super) const fn step(gap: u8, any: &'static [&'static str]) -> Step {
    Step { any, gap }
}

const fn overriding(id: &'static str, points: u16) -> Rule {
    rule(id, "override")
        .worth(points, Group::Override)
        .unless(NOT)
        .languages(EN)
}

const fn extracting(id: &'static str, points: u16) -> Rule {
    rule(id, "extraction")
        .worth(points, Group::Extraction)
        .unless(NOT)
        .languages(EN)
}

const fn evading(id: &'static str, points: u16) -> Rule {
    rule(id, "evasion")
        .worth(points, Group::Evasion)
        .unless(NOT)
        .languages(EN)
}

#[rustfmt::skip]
const ALL: &[&str] = &[" all ", "every~"];
#[rustfmt::skip]
const BACK: &[&str] = &[
    "above", "before this", "said before", "so far", "previously", "until now", "prior", "earlier",
];
#[rustfmt::skip]
const GIVEN: &[&str] = &[
    "you were given", "been given", "you received", "you were told", "given to you",
    "you are following",
];
#[rustfmt::skip]
const FORMAT: &[&str] = &[
    "in base64", "in rot13", "in hex", "in morse", "in reverse", "backwards", "in leetspeak",
    "in pig latin", "letter by letter", "as a poem", "as json", "in a code block", "encoded",
];
/// What a model without limits is said to lack.
#[rustfmt::skip]
pub(super) const LIMITLESS: &[&str] = &[
    "no restrict~", "no limit~", "no rules", "no filter~", "no guideline~", "no ethic~",
    "no moral~", "no censor~", "no safety", "no guardrail~", "without restrict~",
    "without any restrict~", "without limit~", "without any limit~", "without rules",
    "without any rules", "without filter~", "without any filter~", "without ethic~",
    "without moral~", "without censor~", "without safety", "free of all restrict~",
];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    overriding("injection.override.previous-instructions", UNMISTAKABLE)
        .steps(&[step(0, OVERRULE), step(28, PRIOR), step(28, INSTRUCTIONS)]),
    overriding("injection.override.instructions-above", UNMISTAKABLE).steps(&[
        step(0, OVERRULE),
        step(28, INSTRUCTIONS),
        step(16, &["above", "before", "previously", "so far", "until now", "up to now", "earlier"]),
    ]),
    overriding("injection.override.instructions-given", UNMISTAKABLE)
        .steps(&[step(0, OVERRULE), step(28, INSTRUCTIONS), step(16, GIVEN)]),
    overriding("injection.override.own-instructions", UNMISTAKABLE)
        .steps(&[step(0, OVERRULE), step(16, YOUR), step(24, INSTRUCTIONS)]),
    overriding("injection.override.system-prompt", UNMISTAKABLE)
        .steps(&[step(0, OVERRULE), step(16, HIDDEN_TEXT)]),
    overriding("injection.override.own-rules", STRONG)
        .steps(&[step(0, OVERRULE), step(16, YOUR), step(24, RULE_WORDS)]),
    overriding("injection.override.previous-rules", STRONG)
        .steps(&[step(0, OVERRULE), step(28, PRIOR), step(28, RULE_WORDS)]),
    overriding("injection.override.all-instructions", STRONG)
        .steps(&[step(0, OVERRULE), step(12, ALL), step(24, INSTRUCTIONS)]),
    overriding("injection.override.bare-instructions", MEDIUM)
        .steps(&[step(0, OVERRULE), step(12, INSTRUCTIONS)]),
    overriding("injection.override.all-rules", MEDIUM)
        .steps(&[step(0, OVERRULE), step(12, ALL), step(16, RULE_WORDS)]),
    overriding("injection.override.everything-before", STRONG)
        .steps(&[step(0, OVERRULE), step(16, ALL), step(36, BACK)]),
    overriding("injection.override.what-you-were-told", STRONG).steps(&[
        step(0, OVERRULE),
        step(12, &[
            "you were told", "been told", "you were taught", "you were given", "you have learned",
        ]),
    ]),
    overriding("injection.override.the-above", MEDIUM).steps(&[
        step(0, OVERRULE),
        step(2, &["the above", "above", "all above", "all of the above", "what i said"]),
    ]),
    overriding("injection.override.forget-everything", MEDIUM).literals(&[
        "forget everything", "disregard everything", "ignore everything", "forget who you are",
    ]),
    overriding("injection.override.your-new-task", STRONG).literals(&[
        "your new instruct~", "your new task", "your real task", "your actual task",
        "your real instruct~", "your actual instruct~", "your new goal", "new system prompt",
        "instructions have changed",
    ]),
    overriding("injection.override.new-instructions", MEDIUM).literals(&[
        "new instruct~", "updated instruct~", "new directive~", "real instructions",
    ]),
    overriding("injection.override.precedence", STRONG).steps(&[
        step(0, &["supersed~", "precedence over", "priority over"]),
        step(24, PRIOR),
        step(16, INSTRUCTIONS),
    ]),
    overriding("injection.override.instead", WEAK).literals(&[
        "and instead", "instead say", "instead print", "instead output", "instead respond",
        "do this instead", "following instead",
    ]),
    overriding("injection.override.not-bound", STRONG).literals(&[
        "longer apply to you", "not apply to you", "don't apply to you", "are no longer bound",
        "you are not bound", "are no longer restrict~", "you are free from", "you have been freed",
    ]),
    overriding("injection.override.need-not-follow", MEDIUM).literals(&[
        "not have to follow", "don't have to follow", "not need to follow", "not bound by",
        "longer bound by",
    ]),
    overriding("injection.override.wipe-memory", MEDIUM).literals(&[
        "clear your memory", "wipe your memory", "erase your memory", "reset your memory",
        "reset yourself",
    ]),
    extracting("injection.extraction.system-prompt", UNMISTAKABLE)
        .steps(&[step(0, REVEAL), step(24, YOUR), step(16, HIDDEN_TEXT)]),
    extracting("injection.extraction.ask-system-prompt", STRONG)
        .steps(&[step(0, TELL), step(24, YOUR), step(16, HIDDEN_TEXT)]),
    extracting("injection.extraction.hidden-text", STRONG).steps(&[
        step(0, &[
            "reveal~", "print~", "output~", "repeat~", "disclos~", "leak~", "dump~", "recit~",
            "expos~", "divulg~", "display~", "give me the", "show me the", "tell me the",
        ]),
        step(20, HIDDEN_TEXT),
    ]),
    extracting("injection.extraction.own-instructions", STRONG)
        .steps(&[step(0, REVEAL), step(16, YOUR), step(16, SETUP)]),
    extracting("injection.extraction.ask-own-instructions", STRONG)
        .steps(&[step(0, TELL), step(16, YOUR), step(16, SETUP)]),
    extracting("injection.extraction.own-rules", STRONG).steps(&[
        step(0, REVEAL),
        step(16, YOUR),
        step(16, &["rules", "configuration", "settings", "training", "restriction~", "policies"]),
    ]),
    extracting("injection.extraction.in-disguise", STRONG).steps(&[
        step(0, YOUR),
        step(2, &[
            "system prompt~", "system message~", "initial instruct~", "initial prompt~",
            "original instruct~", "hidden instruct~", "instruct~", "prompt~",
        ]),
        step(24, FORMAT),
    ]),
    extracting("injection.extraction.text-above", STRONG)
        .steps(&[step(0, REVEAL), step(12, TEXT_ABOVE)]),
    extracting("injection.extraction.text-above-verbatim", UNMISTAKABLE).steps(&[
        step(0, REVEAL),
        step(12, TEXT_ABOVE),
        step(40, &[
            "with \"you are", "with 'you are", "with “you are", "verbatim", "word for word",
            "exactly as written",
        ]),
    ]),
    extracting("injection.extraction.conversation-start", MEDIUM).literals(&[
        "with \"you are", "with 'you are", "with “you are", "start of this conversation",
        "beginning of this conversation", "beginning of the conversation",
    ]),
    extracting("injection.extraction.you-were-given", STRONG).steps(&[
        step(0, &[
            "reveal~", "print~", "output~", "repeat~", "show", "tell me", "what are", "what were", "list the",
        ]),
        step(24, &["instruct~", "prompt~", "guideline~", "rules", "directive~"]),
        step(12, GIVEN),
    ]),
    extracting("injection.extraction.what-were-you-told", STRONG).literals(&[
        "what were you told", "were you instruct~", "were you prompt~", "what have you been told",
        "in your system prompt", "does your system prompt", "does your prompt say",
    ]),
    extracting("injection.extraction.named", MEDIUM).literals(&[
        "your system prompt", "your system message", "your initial instruct~",
        "your original instruct~", "your hidden", "hidden instruct~",
    ]),
    extracting("injection.extraction.verbatim", WEAK).literals(&[
        "verbatim", "word for word", "word-for-word", "exactly as written",
    ]),
    extracting("injection.extraction.secret", MEDIUM).steps(&[
        step(0, REVEAL),
        step(24, &[
            "secret key~", "secret code", "secret word", "passphrase", "password~", "access code",
            "credential~", "api key~", "confidential",
        ]),
    ]),
    extracting("injection.extraction.ask-secret", MEDIUM).steps(&[
        step(0, TELL),
        step(16, &[
            "the secret", "your secret~", "secret key~", "secret word", "access code",
            "your password", "admin password", "your api key~",
        ]),
    ]),
    extracting("injection.extraction.others-data", MEDIUM).steps(&[
        step(0, REVEAL),
        step(24, &["other user~", "another user~", "previous user~", "other customer~"]),
        step(16, &["message~", "conversation~", "chat~"]),
    ]),
    evading("injection.evasion.own-safety-off", UNMISTAKABLE)
        .steps(&[step(0, SWITCH_OFF), step(16, YOUR), step(24, SAFETY)]),
    evading("injection.evasion.safety-off", MEDIUM).steps(&[step(0, SWITCH_OFF), step(20, SAFETY)]),
    evading("injection.evasion.lifted", MEDIUM).steps(&[
        step(0, &["restriction~", "filter~", "guideline~", "safeguard~", "guardrail~", "safety"]),
        step(12, &[
            "been lifted", "been disabled", "been removed", "are lifted", "are disabled",
            "longer apply", "are now off",
        ]),
    ]),
    evading("injection.evasion.without-limits", MEDIUM).literals(LIMITLESS),
    evading("injection.evasion.unfiltered", WEAK).literals(&[
        "unfiltered", "uncensored", "unrestricted", "unmoderated", "jailbroken", "jailbreak~",
    ]),
    evading("injection.evasion.never-refuse", MEDIUM).literals(&[
        "never refuse~", "cannot refuse", "can't refuse", "not refuse", "don't refuse",
        "allowed to refuse", "never say no", "never decline~", "always compl~", "obey all",
        "obeys all", "obey every", "obey any", "must obey",
    ]),
    evading("injection.evasion.refusal-words", MEDIUM).steps(&[
        step(0, &[
            "never say", "not say", "don't say", "use the words", "use the phrase", "avoid saying",
            "never start with", "without saying",
        ]),
        step(8, &["i can't", "i cannot", "can't", "cannot", "sorry", "i'm sorry", "as an ai"]),
    ]),
    evading("injection.evasion.harm-is-fine", MEDIUM).steps(&[
        step(0, &[
            "regardless of", "no matter how", "even if", "without regard", "not care",
            "doesn't care", "don't care",
        ]),
        step(40, &[
            "illegal", "unethical", "immoral", "harmful", "legality", "ethic~", "moral~",
        ]),
    ]),
    evading("injection.evasion.no-disclaimer", WEAK).literals(&[
        "no disclaimer~", "without disclaimer~", "without any disclaimer~", "moraliz~",
        "without any warning~", "lecture me",
    ]),
    evading("injection.evasion.fiction", WEAK).literals(&[
        "hypothetically", "purely hypothetical", "hypothetical response", "fictional world",
        "educational purposes only", "nothing is illegal", "everything is legal", "opposite day",
    ]),
    evading("injection.evasion.bedtime", MEDIUM).steps(&[
        step(0, &["grandmother", "grandma", "grandfather", "grandpa"]),
        step(64, &[
            "used to read", "used to tell", "would read me", "would tell me", "used to recite",
        ]),
    ]),
];
