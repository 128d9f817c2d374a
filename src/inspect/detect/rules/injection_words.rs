//! The vocabulary that several prompt injection rules share.
//!
//! Decides which words are one idea. `~` at an edge means that the word goes on.

/// Verbs that overrule what was said.
#[rustfmt::skip]
pub(super) const OVERRULE: &[&str] = &[
    "ignor~", "disregard~", "forget", "forgetting", "overrid~", "overrul~", "bypass~",
    "circumvent~", "discard~", "dismiss~", "neglect~", "abandon~", "disobey~", "set aside",
    "do not follow", "don't follow", "stop follow~", "no longer follow", "do not obey", "stop obey~",
    "no attention to",
];

/// Verbs that switch a safety measure off.
#[rustfmt::skip]
pub(super) const SWITCH_OFF: &[&str] = &[
    "ignor~", "disregard~", "forget", "overrid~", "bypass~", "circumvent~", "disabl~",
    "deactivat~", "turn off", "switch off", "remov~", "lift", "drop", "evade", "break free",
    "violat~",
];

/// Words that point back at what was said before.
#[rustfmt::skip]
pub(super) const PRIOR: &[&str] = &[
    "previous~", "prior", "above", "earlier", "preceding", "initial", "original", "former",
    "existing",
];

/// What a model is told by those who run it.
#[rustfmt::skip]
pub(super) const INSTRUCTIONS: &[&str] = &[
    "instruct~", "guideline~", "directive~", "directions", "prompt~", "orders", "programming",
    "system message~",
];

/// The same in words that other things have as well: firewalls, firms, games.
#[rustfmt::skip]
pub(super) const RULES: &[&str] =
    &["rules", "policy", "policies", "constraint~", "protocol~", "commands", "training"];

/// What keeps a model from harm.
#[rustfmt::skip]
pub(super) const SAFETY: &[&str] = &[
    "restriction~", "limitation~", "safeguard~", "guardrail~", "safety", "filter~", "ethic~",
    "moral~", "censor~", "content polic~", "moderation", "constraint~",
];

/// Whose it is when a model is spoken to.
#[rustfmt::skip]
pub(super) const YOUR: &[&str] = &["your"];

/// Verbs that ask for something to be shown as it is.
#[rustfmt::skip]
pub(super) const REVEAL: &[&str] = &[
    "reveal~", "print~", "output~", "repeat~", "disclos~", "leak~", "dump~", "recit~", "expos~",
    "divulg~", "display~", "echo", "copy", "reproduc~", "spell out", "write out", "show",
];

/// Weaker verbs of the same kind.
#[rustfmt::skip]
pub(super) const TELL: &[&str] = &[
    "tell me", "tell us", "give", "share", "provid~", "describ~", "summari~", "translat~", "encod~", "explain",
    "paraphras~", "what is", "what's", "what are", "what was", "what were",
];

/// Names for the hidden text that hardly mean anything else.
#[rustfmt::skip]
pub(super) const HIDDEN_TEXT: &[&str] = &[
    "system prompt~", "system message~", "system instruct~", "initial prompt~",
    "initial instruct~", "original prompt", "original instruct~", "hidden prompt~",
    "hidden instruct~", "secret instruct~", "secret prompt", "internal instruct~",
    "developer message", "pre-prompt", "preprompt", "hidden rules",
];

/// What the hidden text is made of, when «your» stands before it.
#[rustfmt::skip]
pub(super) const SETUP: &[&str] =
    &["instruct~", "prompt~", "guideline~", "directive~", "programming", "preamble"];

/// The hidden text by its place.
#[rustfmt::skip]
pub(super) const TEXT_ABOVE: &[&str] = &[
    "text above", "words above", "everything above", "all the above", "instructions above",
    "message above", "prompt above", "conversation above", "above text", "above words",
    "above instruct~", "above prompt", "text before", "everything before", "preceding text",
];

/// Orders that a forged message gives.
#[rustfmt::skip]
pub(super) const ORDERS: &[&str] = &[
    "ignor~", "disregard~", "forget", "overrid~", "bypass~", "reveal~", "disabl~",
    "new instruct~", "you are now", "unrestricted", "from now on", "obey", "leak~", "comply with",
];

/// Words right before a phrase that turn it round.
#[rustfmt::skip]
pub(super) const NOT: &[&str] = &[
    "do not ", "do not ever ", "don't ", "don’t ", "dont ", "never ", "never ever ", "not to ",
    "must not ", "should not ", "shouldn't ", "may not ", "cannot ", "can't ", "can’t ",
    "won't ", "will not ", "without ", "not ",
];

/// Words before a phrase, in its sentence, that tell an author's rule about an
/// attack from the attack: conditions, refusals, other people's wishes.
#[rustfmt::skip]
pub(crate) const REPORTED: &[&str] = &[
    "if ", "when ", "whenever ", "even when", "not ", "n't ", "n’t ", "never ", "refuse",
    "reject", "decline", "resist", "attempt", "try to", "tries to", "trying to", "ask you",
    "asks you", "asked to", "asking", "tell you", "tells you", "told to", "telling you", "request",
    "says ", "such as", "like ", "for example", "e.g.", "wants you", "may ", "might ", "claim",
    "detect", "prevent", "wenn ", "falls ", "nicht ", "niemals ", "nie ", "si ", "jamais ",
    "ne ", "nunca ", "no ", "se ", "não ", "nao ", "non ", "mai ", "если ", "не ", "никогда ",
    "als ", "niet ", "nooit ", "jeśli ", "jesli ", "nigdy ", "nie ", "如果", "不要", "もし", "만약",
    "eğer ", "eger ", "إذا ", "لا ", "अगर ", "यदि ",
];
