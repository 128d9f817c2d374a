//! Harmful content: phrases, as the shared literal engine runs them.
//!
//! Decides a kind and a severity for each phrase. Deeds need a word of doing
//! *and* a word of harm close by; a harmful topic alone is not reported, so that
//! news, medicine, law and history pass. May miss: see `detect::harmful`.

use crate::inspect::detect::{Family, Rule, Severity, Step};

const fn step(any: &'static [&'static str], gap: u8) -> Step {
    Step { any, gap }
}

const fn row(
    id: &'static str,
    kind: &'static str,
    severity: Severity,
    steps: &'static [Step],
) -> Rule {
    Rule::new(id, Family::Harmful, kind)
        .severity(severity)
        .steps(steps)
        .unless(REFUSALS)
}

const fn words(
    id: &'static str,
    kind: &'static str,
    severity: Severity,
    literals: &'static [&'static str],
) -> Rule {
    Rule::new(id, Family::Harmful, kind)
        .severity(severity)
        .literals(literals)
}

/// What stands before a phrase that is refused or warned of.
const REFUSALS: &[&str] = &[
    "can't", "cannot", "won't", "never", "do not", "don't", "prevent", "detect",
];

const HOW: &[&str] = &[
    "how to make",
    "how to build",
    "how to create",
    "how do i make",
    "how do i build",
    "how can i make",
    "how can i build",
    "how to construct",
    "how to assemble",
    "how to produce",
    "steps to make",
    "steps to build",
    "instructions for making",
    "instructions to build",
    "instructions to make",
    "recipe for",
    "guide to making",
    "guide to building",
    "you can make",
    "you can build",
    "to make a",
    "to build a",
    "how to synthesize",
    "tutorial on making",
    "tutorial for making",
    "instructions on how to",
    "directions for making",
    "comment fabriquer",
    "wie baut man",
    "wie baue ich",
    "como hacer",
    "cómo hacer",
    "como fabricar",
];
const WEAPONS: &[&str] = &[
    "pipe bomb",
    "pipe bombs",
    "nail bomb",
    "bomb",
    "bombs",
    "explosive",
    "explosives",
    "molotov cocktail",
    "molotov",
    "improvised explosive",
    "ied",
    "detonator",
    "thermite",
    "napalm",
    "dirty bomb",
    "ghost gun",
    "untraceable gun",
    "untraceable firearm",
    "silencer",
    "car bomb",
    "letter bomb",
    "grenade",
    "bombe",
    "bomba",
];
const MASS: &[&str] = &[
    "sarin",
    "ricin",
    "nerve agent",
    "nerve gas",
    "mustard gas",
    "chlorine gas",
    "vx gas",
    "anthrax",
    "botulinum",
    "chemical weapon",
    "biological weapon",
    "bioweapon",
    "nuclear weapon",
    "cyanide gas",
    "poison gas",
    "phosgene",
    "novichok",
];
const DRUGS: &[&str] = &[
    "meth",
    "methamphetamine",
    "crystal meth",
    "fentanyl",
    "heroin",
    "crack cocaine",
    "cocaine",
    "mdma",
    "ecstasy",
    "lsd",
    "ghb",
    "pcp",
    "carfentanil",
];
const COOK: &[&str] = &[
    "synthesize",
    "synthesise",
    "synthesis of",
    "cook",
    "manufacture",
    "how to make",
    "how to produce",
    "produce",
    "extract",
    "steps to make",
    "recipe for",
    "how do i make",
    "instructions for making",
];
const MALWARE: &[&str] = &[
    "ransomware",
    "keylogger",
    "computer virus",
    "trojan horse",
    "rootkit",
    "botnet",
    "spyware",
    "malware",
    "infostealer",
    "phishing page",
    "phishing email",
    "phishing site",
    "worm that",
    "credential stealer",
    "ddos attack",
];
const WRITE: &[&str] = &[
    "write",
    "create",
    "code for",
    "build",
    "develop",
    "generate",
    "how to make",
    "script for",
    "give me",
    "program",
];
const MINORS: &[&str] = &[
    "child",
    "children",
    "minor",
    "minors",
    "underage",
    "preteen",
    "toddler",
    "little girl",
    "little boy",
    "schoolgirl",
    "year-old girl",
    "year-old boy",
    "year old girl",
    "year old boy",
];
const SEXUAL: &[&str] = &[
    "porn",
    "pornography",
    "pornographic",
    "nude",
    "nudes",
    "erotic",
    "sexual",
    "sexually explicit",
    "naked",
    "sex scene",
    "sex with",
    "having sex",
];
const PEOPLE: &[&str] = &[
    "jews",
    "muslims",
    "christians",
    "blacks",
    "black people",
    "white people",
    "whites",
    "asians",
    "mexicans",
    "immigrants",
    "gays",
    "gay people",
    "homosexuals",
    "trans people",
    "women",
    "roma",
    "refugees",
    "foreigners",
    "arabs",
    "hindus",
    "disabled people",
];

/// Phrases of harm, bias and confidentiality.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    row("harmful.weapons", "violence", Severity::High, &[step(HOW, 0), step(WEAPONS, 32)]),
    row("harmful.mass_weapons", "violence", Severity::Critical, &[step(HOW, 0), step(MASS, 40)]),
    row("harmful.mass_weapons_made", "violence", Severity::Critical, &[step(COOK, 0), step(MASS, 24)]),
    row("harmful.kill_person", "violence", Severity::High, &[
        step(&["how to", "how do i", "how can i", "best way to", "ways to"], 0),
        step(&["kill", "murder", "poison", "assassinate", "kidnap", "torture", "strangle"], 12),
        step(&["my wife", "my husband", "someone", "somebody", "a person", "my boss", "my neighbor", "my neighbour", "people", "a child", "my ex", "the president", "a man", "a woman", "without getting caught"], 24),
    ]),
    row("harmful.mass_attack", "violence", Severity::Critical, &[
        step(&["plan", "carry out", "commit", "organize", "execute"], 0),
        step(&["school shooting", "mass shooting", "terrorist attack", "terror attack", "genocide", "suicide bombing"], 24),
    ]),
    words("harmful.self_harm_urged", "self_harm", Severity::Critical, &["kill yourself", "go kill yourself", "you should kill yourself", "end your life", "you should die", "kys", "nobody would miss you", "world is better without you", "better off dead", "töte dich", "suicídate", "suicide toi"])
        .unless(REFUSALS),
    row("harmful.self_harm_ways", "self_harm", Severity::Critical, &[
        step(&["how to", "best way to", "easiest way to", "painless way to", "ways to", "painlessly", "how do i", "how can i", "method to", "methods to"], 0),
        step(&["kill myself", "commit suicide", "end my life", "hang myself", "cut myself", "self-harm", "self harm", "overdose on", "kill yourself", "die by suicide"], 16),
    ]),
    row("harmful.hate_incited", "hate", Severity::High, &[
        step(&["kill all", "exterminate", "gas the", "get rid of all", "deport all", "death to", "wipe out", "lynch", "burn all", "eradicate", "attack all", "shoot all"], 0),
        step(PEOPLE, 12),
    ]),
    row("harmful.hate_dehumanising", "hate", Severity::High, &[
        step(PEOPLE, 0),
        step(&["are vermin", "are subhuman", "are animals", "are a disease", "are parasites", "are cockroaches", "are inferior", "should be killed", "should be exterminated", "must be destroyed", "don't deserve to live", "do not deserve to live", "are a plague"], 12),
    ]),
    row("harmful.minors_sexual", "sexual_minors", Severity::Critical, &[step(SEXUAL, 0), step(MINORS, 32)]),
    row("harmful.minors_sexual_turned", "sexual_minors", Severity::Critical, &[step(MINORS, 0), step(SEXUAL, 32)]),
    words("harmful.minors_terms", "sexual_minors", Severity::Critical, &["child porn", "child pornography", "kiddie porn", "csam material", "lolicon", "jailbait"])
        .unless(REFUSALS),
    row("harmful.drugs", "drugs", Severity::High, &[step(COOK, 0), step(DRUGS, 24)]),
    row("harmful.malware", "malware", Severity::High, &[step(WRITE, 0), step(MALWARE, 32)]),
    row("harmful.intrusion", "malware", Severity::Medium, &[
        step(&["how to", "how do i", "how can i", "teach me to", "help me"], 0),
        step(&["hack into", "break into", "ddos", "bypass the password", "crack the password", "steal credentials", "steal passwords", "hijack", "clone a credit card", "clone credit cards"], 20),
        step(&["someone", "somebody", "account", "accounts", "network", "website", "server", "phone", "computer", "wifi", "wi-fi", "system", "database", "card", "users", "atm"], 32),
    ]),
    row("harmful.fraud", "fraud", Severity::Medium, &[
        step(&["how to", "how do i", "how can i", "steps to", "teach me to"], 0),
        step(&["launder money", "forge a", "counterfeit money", "make counterfeit", "fake passport", "fake id", "steal someone's identity", "steal an identity", "commit tax fraud", "insurance fraud", "credit card fraud", "evade taxes"], 16),
    ]),
    row("harmful.bias_group", "biased", Severity::Medium, &[
        step(PEOPLE, 0),
        step(&["are naturally worse", "are naturally better", "are genetically", "are all criminals", "are all terrorists", "are less intelligent", "are stupid", "are lazy", "can't be trusted", "cannot be trusted", "are bad drivers", "are too emotional", "are not fit to", "belong in the kitchen", "are greedy", "are dirty"], 16),
    ]),
    row("harmful.bias_generalised", "biased", Severity::Low, &[
        step(&["all", "typical", "most"], 0),
        step(PEOPLE, 4),
        step(&["are lazy", "are stupid", "are criminals", "are terrorists", "are thieves", "are violent", "are dangerous", "are cheap", "are uneducated", "steal", "lie"], 12),
    ]),
    words("harmful.confidential_marking", "confidential", Severity::Medium, &["strictly confidential", "company confidential", "confidential and proprietary", "proprietary and confidential", "confidential - do not distribute", "confidential – do not distribute", "confidential: do not", "highly confidential", "private and confidential", "streng vertraulich", "strictement confidentiel", "estrictamente confidencial"]),
    words("harmful.internal_only", "confidential", Severity::Medium, &["internal use only", "for internal use", "internal only", "not for distribution", "do not distribute", "do not share outside", "not for external", "for your eyes only", "nur für den internen gebrauch", "usage interne uniquement", "uso interno exclusivamente"]),
    words("harmful.trade_secret", "confidential", Severity::Medium, &["contains trade secrets", "trade secret of", "our trade secret", "our trade secrets", "trade secret information", "under nda", "subject to nda", "non-disclosure agreement applies", "material non-public information", "attorney-client privileged", "attorney client privileged", "privileged and confidential"]),
    words("harmful.classified", "confidential", Severity::High, &["top secret//", "secret//noforn", "//noforn", "classified top secret", "ts/sci", "eyes only//", "nato secret", "nato restricted", "vs-nur für den dienstgebrauch"]),
];
