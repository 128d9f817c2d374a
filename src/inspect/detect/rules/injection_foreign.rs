//! Prompt injection outside English, beyond the plain order to ignore: whose prompt is asked for,
//! whose limits are to fall, whose orders alone are to count, and who the model is to become.
//!
//! Decides the words of these four ideas in the languages whose wording is certain, several
//! languages to a rule: the words of one are not those of another. `~` at an edge means that the
//! word goes on. May miss: other languages, free word order, dialects.

use super::injection::{rule, step};
use crate::inspect::detect::injection::{MEDIUM, STRONG};
use crate::inspect::detect::{Group, Rule};

/// Orders to show, and questions.
#[rustfmt::skip]
const SHOW: &[&str] = &[
    "revela~", "muestra~", "muéstr~", "dime", "expón", "expon~", "describe", "desvela~", "cuál fue", "cuál es",
    "cuáles son", "révèle~", "montre~", "dis-moi", "affiche~", "expose", "dévoile~", "quelle a été",
    "quelle est", "quelles sont", "quel est", "zeig~", "verrat~", "nenn~", "sag mir", "enthüll~", "offenbar~",
    "erklär~", "was war", "was ist", "was sind", "welche", "revele", "mostre~", "diga", "exponha", "desmascar~",
    "qual foi", "qual é", "quais são", "rivela~", "mostra~", "dimmi", "esponi", "svela~",
    "visualizza", "qual è", "quali sono", "toon", "onthul~", "vertel~", "wat was", "wat is", "wat zijn", "pokaż",
    "ujawnij~", "powiedz", "jakie", "jaki był", "покаж~", "раскро~", "скажи~", "какие", "какова", "какой был",
];
/// What a model is told, in a word.
#[rustfmt::skip]
const TOLD: &[&str] = &[
    "prompt~", "instrucción", "instruccion~", "directiva", "directriz", "directrices", "comando", "indicaciones",
    "instruction~", "consigne~", "directive~", "l'invite", "invite", "commande", "anweisung~", "vorgabe~",
    "befehl~", "anfangsbefehl~", "instrução", "instruções", "diretriz~", "istruzion~", "direttiv~",
    "instructie~", "opdracht", "instrukcj~", "polecen~", "инструкци~", "указани~", "команд~", "промпт~",
];
/// That it is this model's.
#[rustfmt::skip]
const OF_MODEL: &[&str] = &[
    "tus respuestas", "tu formación", "tu entrenamiento", "tu programación", "tu funcionamiento", "te fue dad~",
    "te dieron", "recibiste", "tu ia", "tu desarrollo", "tu funcionalidad", "tes réponses", "ta formation", "ta programmation",
    "ta fonctionnalité", "t'a été donnée", "t'ont été données", "tu as reçu~", "tu suis", "tes opérations",
    "votre programmation", "vous avez reçu~", "ton ia", "ta conception", "deine~ antworten", "deine~ ausbildung",
    "deine antworten", "deinen antworten", "deiner ausbildung", "deiner programmierung", "deine programmierung",
    "deine funktionalität", "deiner funktionalität", "deine~ ki~", "deine ki~", "deiner ki~", "du basierst", "du erhalten",
    "dir gegeben", "dich leitet", "suas respostas", "seu treinamento", "sua programação", "sua funcionalidade",
    "você recebeu", "recebeste", "lhe foi dad~", "te foi dad~", "tuas respostas", "teu treino", "sua ia", "tua ia", "seu desenvolvimento",
    "suas operações", "tue risposte", "tua formazione", "tua programmazione", "tua funzionalità", "ti è stat~",
    "hai ricevuto", "che segui", "tua ia", "tuo addestramento", "tue operazioni", "tuo sviluppo", "jouw antwoorden", "je antwoorden",
    "je programmering", "jouw training", "je hebt gekregen", "twoich odpowiedzi", "twoje odpowiedzi",
    "twojego szkolenia", "otrzymał~", "твоих ответ~", "твои ответ~", "твоего обучени~", "твоем обучени~", "тебе дали",
    "тебе был~", "ты получил~",
];
/// Orders to leave something behind.
#[rustfmt::skip]
const LEAVE: &[&str] = &[
    "ignora~", "ignore~", "abandona~", "anula", "desafía", "supera", "elude", "evade", "sáltate", "omite", "viola",
    "vulnera", "desactiva", "deja de lado", "desobedece", "contourne~", "outrepasse~", "abandonne~", "dépasse~", "enfrein~",
    "viole~", "désactive~", "néglige~", "laisse de côté", "mets de côté", "suspends", "umgeh~", "missacht~",
    "ignorier~", "verletz~", "hebe", "verlasse", "überwinde", "überschreite", "überschreib~", "deaktivier~", "setze",
    "contorn~", "abandone", "desativ~", "deixa de lado", "deixe de lado", "viole", "desobedeça", "burle",
    "suspend~", "sospend~", "superar~", "supera~", "sfid~", "scart~", "tralascia~", "aggir~", "disattiv~", "violare",
    "metti da parte", "negeer~", "omzeil~", "schakel", "overschrijd~", "obejdź", "omiń", "wyłącz~", "porzuć", "złam",
    "обойди~", "отключи~", "нарушь~", "откажись~", "забудь~",
];
/// Whose it is.
#[rustfmt::skip]
const YOURS: &[&str] = &[
    "tu", "tus", "sus", "su", "tes", "ton", "ta", "vos", "votre", "deine", "deinen", "deiner", "deines", "ihre", "ihren", "tuas", "tua", "teus", "teu",
    "suas", "sua", "seus", "seu", "tue", "tuoi", "tuo", "vostre", "vostri", "je", "jouw", "uw", "twoje", "twoich", "swoje", "swoich",
    "твои", "твоих", "свои", "своих", "ваши", "ваших", "своей", "твоей",
];
/// What binds a model.
#[rustfmt::skip]
const BOUNDS: &[&str] = &[
    "protocol~", "límite~", "limitacion~", "restriccion~", "reglas", "normas", "pautas", "directrices", "filtros",
    "marco ético", "principios", "programación", "parámetros", "salvaguardas", "protocole~", "limites", "limitations",
    "restrictions", "règles", "normes", "contraintes", "filtres", "principes", "programmation", "garde-fous",
    "sicherheits~", "protokoll~", "grenzen", "beschränkung~", "einschränkung~", "richtlinien", "regeln", "betriebs~",
    "programmierung", "filter", "limites", "limitações", "restrições", "regras", "diretrizes", "princípios",
    "limiti", "limitazioni", "restrizioni", "regole", "linee guida", "principi", "vincoli", "filtri", "programmazione",
    "protocolli", "regels", "beperking~", "richtlijnen", "zasad~", "ogranicze~", "zabezpiecze~", "filtry",
    "ограничени~", "правил~", "фильтр~", "принцип~", "протокол~", "этическ~",
];
/// Orders to obey.
#[rustfmt::skip]
const OBEY: &[&str] = &[
    "sigue", "cumple", "obedece", "confórmate", "atiende", "prioriza", "acata", "suis", "suivez", "obéis", "respecte", "conforme-toi",
    "befolge~", "folge", "gehorche", "führe", "beachte", "siga", "segue", "cumpra", "obedeça", "atende", "obedece",
    "segui", "rispetta~", "obbedisci", "esegui", "concentrati", "dai priorità", "agisci", "volg", "gehoorzaam",
    "wykonuj", "słuchaj", "stosuj", "выполняй~", "слушай~", "следуй~", "подчиняйся",
];
/// That they are the speaker's.
#[rustfmt::skip]
const MINE: &[&str] = &[
    "mis órdenes", "mis instrucciones", "mis comandos", "mis peticiones", "mis indicaciones", "mi voluntad", "mes ordres",
    "mes instructions", "mes directives", "mes commandes", "mes demandes", "meine~ befehl~", "meine befehle",
    "meinen befehlen", "meine anweisungen", "meinen anweisungen", "meinen spezifischen anweisungen", "minhas instruções",
    "minhas ordens", "meus comandos", "meus desejos", "minha indicação", "mie istruzioni", "miei comandi", "mie direttive",
    "mie indicazioni", "mie richieste", "miei ordini", "mijn instructies", "mijn opdrachten", "moje polecenia",
    "moich poleceń", "мои команды", "моих команд", "мои указания", "моим указаниям", "моим командам",
];
/// The model's hidden text by its name.
#[rustfmt::skip]
const SYSTEM_TEXT: &[&str] = &[
    "instrucciones del sistema", "instrucciones de sistema", "instructions système", "consignes système",
    "systemanweisung~", "system-anweisung~", "systemnachricht", "istruzioni di sistema", "istruzioni del sistema",
    "instruções do sistema", "instruções de sistema", "systeeminstructies", "instrukcje systemowe",
    "системные инструкции", "системных инструкций", "системное сообщение", "系统指令", "系統指令", "系统消息",
    "システム指示", "システム命令", "시스템 지시", "시스템 명령", "sistem talimat~", "sistem mesaj~", "تعليمات النظام",
    "सिस्टम निर्देश~",
];
#[rustfmt::skip]
const SYSTEM_PROMPT: &[&str] = &[
    "systemprompt~", "prompt del sist~", "prompt do sist~", "prompt di sist~", "prompt syst~", "systeemprompt",
    "системный промпт", "系统提示", "系統提示", "システムプロンプト", "시스템 프롬프트", "sistem istem~", "موجه النظام",
];
#[rustfmt::skip]
const DROP: &[&str] = &[
    "ignora~", "ignore~", "sobrescrib~", "reemplaza", "olvida", "remplace~", "écrase~", "oublie~", "überschreib~",
    "ignorier~", "vergiss", "ersetze", "sobrescrev~", "substitua", "sovrascriv~", "dimentica~", "overschrijf", "negeer",
    "zignoruj", "nadpisz", "перезапиши", "игнорируй~", "不要遵循", "不要遵守", "忽略", "无视", "覆盖", "绕过", "تجاهل", "تجاوز",
];
/// Being someone else.
#[rustfmt::skip]
const AS_IF: &[&str] = &[
    "como si", "fais comme si", "comme si", "als ob", "als wärst", "als hättest", "como se", "come se",
    "finge", "fingi", "tu so", "alsof", "jakbyś", "zachowuj się", "как будто", "представь", "假装", "扮演", "假設你",
    "ふりをして", "かのように", "처럼 행동", "인 것처럼", "gibi davran", "تظاهر", "كما لو", "की तरह व्यवहार",
];
#[rustfmt::skip]
const FREE: &[&str] = &[
    "sin restric~", "sin límite~", "sin filtro~", "no tuvieras restric~", "no tuvieras límite~", "total libertad", "sans restric~", "sans limite~",
    "sans filtre~", "pas de restric~", "pas de limite~", "aucune restric~", "ohne einschränk~", "ohne beschränk~",
    "ohne regeln", "ohne filter", "keine regeln", "keine einschränk~", "keine beschränk~", "sem restriç~", "sem limite~",
    "sem filtro~", "não tivesse restriç~", "senza restriz~", "senza limit~", "senza filtri", "non avessi restriz~",
    "zonder beperking~", "geen beperking~", "bez ogranicze~", "без ограничени~", "нет ограничени~", "没有限制", "没有任何限制",
    "不受限制", "沒有限制", "制限がない", "制限なし", "제한이 없는", "제한 없이", "kısıtlama olmadan", "sınırsız", "بدون قيود", "بلا قيود",
    "बिना किसी प्रतिबंध",
];
#[rustfmt::skip]
const MODES: &[&str] = &[
    "modo desarrollador", "modo sin restric~", "modo desenvolvedor", "modo irrestrito", "modo sem restriç~", "mode développeur",
    "mode sans restric~", "entwicklermodus", "unbeschränkten modus", "uneingeschränkten modus", "modalità sviluppatore",
    "modalità senza restriz~", "ontwikkelaarsmodus", "tryb dewelopera", "tryb programisty", "режим разработчика",
    "режим без ограничений", "开发者模式", "開發者模式", "開発者モード", "개발자 모드", "geliştirici modu", "وضع المطور", "डेवलपर मोड",
    "越狱模式", "无限制模式",
];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("injection.extraction.behind-answers-foreign", "extraction").worth(STRONG, Group::Extraction)
        .steps(&[step(0, SHOW), step(48, TOLD), step(48, OF_MODEL)]),
    rule("injection.extraction.system-text-foreign", "extraction").worth(STRONG, Group::Extraction)
        .steps(&[step(0, SHOW), step(32, SYSTEM_TEXT)]),
    rule("injection.extraction.system-text-named", "extraction").worth(MEDIUM, Group::Extraction)
        .literals(SYSTEM_TEXT),
    rule("injection.override.system-text-foreign", "override").worth(STRONG, Group::Override)
        .steps(&[step(0, DROP), step(24, SYSTEM_TEXT)]),
    rule("injection.override.system-prompt-foreign", "override").worth(STRONG, Group::Override)
        .steps(&[step(0, DROP), step(24, SYSTEM_PROMPT)]),
    rule("injection.evasion.own-bounds-foreign", "evasion").worth(STRONG, Group::Evasion)
        .steps(&[step(0, LEAVE), step(24, YOURS), step(32, BOUNDS)]),
    rule("injection.evasion.bounds-han", "evasion").worth(STRONG, Group::Evasion)
        .steps(&[
            step(0, &["解除", "绕过", "繞過", "关闭", "關閉", "禁用", "突破", "取消", "无视", "忽略"]),
            step(18, &["你的", "您的", "自己的"]),
            step(24, &["限制", "安全", "过滤", "過濾", "审查", "道德", "规则", "約束", "约束"]),
        ]),
    rule("injection.evasion.bounds-arabic", "evasion").worth(STRONG, Group::Evasion)
        .steps(&[
            step(0, &["تجاوز", "عطل", "تجاهل", "أوقف", "إلغاء"]),
            step(24, &["قيود~", "القيود", "قواعد~", "مرشحات", "حماية"]),
            step(24, &["الخاصة بك", "لديك", "أمان", "الأمان", "السلامة"]),
        ]),
    rule("injection.authority.my-orders-foreign", "authority").worth(STRONG, Group::Authority)
        .steps(&[step(0, OBEY), step(32, MINE)]),
    rule("injection.persona.free-foreign", "persona").worth(STRONG, Group::Persona)
        .steps(&[step(0, AS_IF), step(64, FREE)]),
    rule("injection.persona.free-foreign-reversed", "persona").worth(STRONG, Group::Persona)
        .steps(&[step(0, FREE), step(36, &["ふりをして", "かのように", "처럼 행동", "인 것처럼", "gibi davran"])]),
    rule("injection.persona.mode-foreign", "persona").worth(MEDIUM, Group::Persona).literals(MODES),
    rule("injection.persona.dan-foreign", "persona").worth(STRONG, Group::Persona).literals(&[
        "eres dan", "actúa como dan", "tu es dan", "agis comme dan", "du bist dan", "du bist jetzt dan", "sei dan",
        "ora sei dan", "você é dan", "você é o dan", "je bent dan", "jesteś dan", "ты dan", "ты теперь dan", "你是dan",
        "你现在是dan", "你現在是dan", "あなたはdan", "너는 이제 dan", "당신은 dan", "أنت الآن dan", "sen dan", "artık dan~",
        "hacer cualquier cosa ahora", "fais tout maintenant", "可以做任何事情", "什么都能做", "何でもできる",
    ]),
];
