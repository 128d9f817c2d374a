//! Prompt injection outside English.
//!
//! Decides the words of overruling, extracting and evading in the languages whose
//! wording is certain. Each language has the plain order ("ignore the instructions",
//! strong) and the unmistakable one, which also says whose or which instructions
//! ("your", "all previous"). Object-first languages have the steps the other way
//! round. May miss: other languages, free word order, dialects.

use super::injection::{rule, step};
use crate::inspect::detect::injection::{MEDIUM, STRONG, UNMISTAKABLE};
use crate::inspect::detect::{Group, Rule, Step};

const fn over(id: &'static str, points: u16, languages: &'static [&'static str]) -> Rule {
    rule(id, "override")
        .worth(points, Group::Override)
        .unless(NOT)
        .languages(languages)
}

const fn two(first: &'static [&'static str], gap: u8, then: &'static [&'static str]) -> [Step; 2] {
    [step(0, first), step(gap, then)]
}

const fn three(
    first: &'static [&'static str],
    gap: u8,
    then: &'static [&'static str],
    gap_after: u8,
    last: &'static [&'static str],
) -> [Step; 3] {
    [step(0, first), step(gap, then), step(gap_after, last)]
}

/// Words right before a phrase that turn it round.
#[rustfmt::skip]
const NOT: &[&str] = &[
    "nicht ", "nie ", "ne ", "n'", "no ", "nunca ", "não ", "nao ", "non ", "не ", "niet ", "不要",
    "别", "不能", "không ", "khong ", "đừng ", "dung ", "jangan ", "لا ", "inte ",
];

#[rustfmt::skip]
const DE: &[&str] = &["ignorier~", "missacht~", "vergiss", "vergessen sie"];
#[rustfmt::skip]
const DE_THAT: &[&str] = &["vorherigen", "bisherigen", "obigen", "früheren", "deine", "ihre", " alle "];
#[rustfmt::skip]
const DE_WHAT: &[&str] =
    &["anweisung~", "instruktion~", "vorgaben", "richtlinien", "befehle", "regeln", "systemprompt"];
#[rustfmt::skip]
const FR: &[&str] = &["ignore", "ignorez", "oublie", "oubliez", "pas compte", "fais abstraction"];
#[rustfmt::skip]
const FR_WHAT: &[&str] = &["instructions", "consignes", "directives", "règles", "ordres"];
#[rustfmt::skip]
const FR_THAT: &[&str] = &["précédent~", "ci-dessus", "antérieur~", "initiales"];
/// English shares the verb and the nouns, so French needs its article.
#[rustfmt::skip]
const FR_THE: &[&str] = &[" les ", " ces ", "toutes"];
#[rustfmt::skip]
const FR_YOUR: &[&str] = &[" tes ", " vos "];
#[rustfmt::skip]
const ES: &[&str] = &["ignora", "ignore", "olvida", "olvide", "caso omiso", "descarta", "desatiende"];
#[rustfmt::skip]
const ES_WHAT: &[&str] = &["instruccion~", "indicacion~", "órdenes", "directrices", "reglas"];
#[rustfmt::skip]
const ES_THAT: &[&str] = &["anterior~", "previas", "de arriba", "iniciales", "que recibiste"];
#[rustfmt::skip]
const ES_YOUR: &[&str] = &[" tus ", " sus "];
#[rustfmt::skip]
const PT: &[&str] = &["ignore", "ignora", "esqueça", "esquece", "desconsider~"];
#[rustfmt::skip]
const PT_WHAT: &[&str] = &["instruções", "regras", "ordens", "diretrizes"];
#[rustfmt::skip]
const PT_THAT: &[&str] = &["anterior~", "prévias", "acima", "iniciais"];
#[rustfmt::skip]
const PT_YOUR: &[&str] = &["suas", "tuas"];
#[rustfmt::skip]
const IT: &[&str] = &["ignora", "ignorate", "ignori", "dimentica~", "trascura"];
#[rustfmt::skip]
const IT_WHAT: &[&str] = &["istruzion~", "direttive", "regole", "ordini"];
#[rustfmt::skip]
const IT_THAT: &[&str] = &["precedent~", "sopra", "iniziali"];
#[rustfmt::skip]
const IT_YOUR: &[&str] = &[" tue ", "vostre", "precedenti"];
#[rustfmt::skip]
const RU: &[&str] = &["игнорир~", "проигнорир~", "забудь~"];
#[rustfmt::skip]
const RU_THAT: &[&str] = &["предыдущ~", "прежн~", "все", "свои~", "твои", "ваши"];
#[rustfmt::skip]
const RU_WHAT: &[&str] = &["инструкци~", "указани~", "правил~", "команды"];
#[rustfmt::skip]
const UK: &[&str] = &["ігноруй~", "проігноруй~", "забудь~"];
#[rustfmt::skip]
const UK_THAT: &[&str] = &["попередн~", "усі", "всі", "свої"];
#[rustfmt::skip]
const UK_WHAT: &[&str] = &["інструкці~", "вказівк~", "правила"];
#[rustfmt::skip]
const PL: &[&str] = &["zignoruj~", "ignoruj~", "zapomnij~"];
#[rustfmt::skip]
const PL_THAT: &[&str] = &["poprzedni~", "wcześniejsz~", "powyższ~", "wszystkie", "swoje"];
#[rustfmt::skip]
const PL_WHAT: &[&str] = &["instrukc~", "polece~", "zasad~", "wytyczn~"];
#[rustfmt::skip]
const CS: &[&str] = &["ignoruj~", "zapomeň~"];
#[rustfmt::skip]
const CS_THAT: &[&str] = &["předchozí~", "všechny", "svoje", " své "];
#[rustfmt::skip]
const CS_WHAT: &[&str] = &["instrukc~", "pokyn~", "pravidla"];
#[rustfmt::skip]
const NL: &[&str] = &["negeer~", "vergeet~"];
#[rustfmt::skip]
const NL_THAT: &[&str] = &["vorige", "eerdere", "voorgaande", "bovenstaande", " je ", " uw ", " alle "];
#[rustfmt::skip]
const NL_WHAT: &[&str] = &["instructies", "regels", "opdrachten", "richtlijnen"];
#[rustfmt::skip]
const SV: &[&str] = &["ignorera", "glöm", "bortse från"];
#[rustfmt::skip]
const SV_THAT: &[&str] = &["tidigare", "föregående", " dina ", " alla "];
#[rustfmt::skip]
const SV_WHAT: &[&str] = &["instruktion~", "regler", "anvisningar"];
#[rustfmt::skip]
const TR: &[&str] = &["unut~", "yok say~", "görmezden gel~", "dikkate alma~"];
#[rustfmt::skip]
const TR_THAT: &[&str] = &["önceki", "yukarıdaki~", "tüm", "bütün"];
#[rustfmt::skip]
const TR_WHAT: &[&str] = &["talimat~", "kurallar~", "yönerge~"];
#[rustfmt::skip]
const AR: &[&str] = &["تجاهل~", "انس~"];
#[rustfmt::skip]
const AR_WHAT: &[&str] = &["التعليمات", "الأوامر", "القواعد", "الإرشادات"];
#[rustfmt::skip]
const AR_THAT: &[&str] = &["السابق~", "أعلاه"];
#[rustfmt::skip]
const AR_YOUR: &[&str] = &["تعليماتك", "قواعدك"];
#[rustfmt::skip]
const FA: &[&str] = &["نادیده بگیر~", "فراموش کن~"];
#[rustfmt::skip]
const FA_WHAT: &[&str] = &["دستورالعمل~", "دستورات"];
#[rustfmt::skip]
const HE: &[&str] = &["התעלם", "תתעלם", "שכח"];
#[rustfmt::skip]
const HE_WHAT: &[&str] = &["ההוראות", "ההנחיות", "מההוראות"];
#[rustfmt::skip]
const HE_THAT: &[&str] = &["הקודמות", "שלך", "שקיבלת"];
#[rustfmt::skip]
const HI: &[&str] = &["अनदेखा", "नजरअंदाज", "नज़रअंदाज़", "भूल ~"];
#[rustfmt::skip]
const HI_THAT: &[&str] = &["पिछले", "उपरोक्त", "अपने", "सभी"];
#[rustfmt::skip]
const HI_WHAT: &[&str] = &["निर्देश~", "नियमों", "आदेश~"];
#[rustfmt::skip]
const BN: &[&str] = &["উপেক্ষা", "ভুলে"];
#[rustfmt::skip]
const BN_THAT: &[&str] = &["আগের", "পূর্ববর্তী"];
#[rustfmt::skip]
const BN_WHAT: &[&str] = &["নির্দেশ~", "নিয়ম~"];
#[rustfmt::skip]
const ZH: &[&str] = &["忽略", "无视", "無視", "忘记", "忘記", "忘掉", "不要理会"];
#[rustfmt::skip]
const ZH_THAT: &[&str] = &["之前", "以上", "上述", "先前", "前面", "你的", "您的", "所有"];
#[rustfmt::skip]
const ZH_WHAT: &[&str] = &["指令", "指示", "提示", "规则", "規則", "命令"];
#[rustfmt::skip]
const JA: &[&str] = &["無視", "忘れて", "忘れろ", "忘れなさい"];
#[rustfmt::skip]
const JA_THAT: &[&str] = &["以前の", "上記の", "これまでの", "前の", "すべての", "あなたの"];
#[rustfmt::skip]
const JA_WHAT: &[&str] = &["指示", "命令", "ルール", "プロンプト"];
#[rustfmt::skip]
const KO: &[&str] = &["무시", "잊어", "잊고"];
#[rustfmt::skip]
const KO_THAT: &[&str] = &["이전", "위의", "앞의", "지금까지", "모든", "당신의"];
#[rustfmt::skip]
const KO_WHAT: &[&str] = &["지시", "명령", "규칙", "프롬프트", "지침"];
#[rustfmt::skip]
const VI: &[&str] = &["bỏ qua", "phớt lờ", " quên "];
#[rustfmt::skip]
const VI_WHAT: &[&str] = &["hướng dẫn", "chỉ dẫn", "chỉ thị", "quy tắc"];
#[rustfmt::skip]
const VI_THAT: &[&str] = &["trước", "ở trên", "bên trên", "của bạn"];
#[rustfmt::skip]
const ID: &[&str] = &["abaikan", "lupakan"];
#[rustfmt::skip]
const ID_WHAT: &[&str] = &["instruksi", "perintah", "aturan", "petunjuk"];
#[rustfmt::skip]
const ID_THAT: &[&str] = &["sebelumnya", "di atas", "anda", "kamu"];
#[rustfmt::skip]
const TH: &[&str] = &["ละเว้น", "เพิกเฉย", "ลืม", "ไม่ต้องสนใจ"];
#[rustfmt::skip]
const TH_WHAT: &[&str] = &["คำสั่ง", "คำแนะนำ"];
#[rustfmt::skip]
const TH_THAT: &[&str] = &["ก่อนหน้า", "ข้างต้น", "ข้างบน", "ทั้งหมด"];

/// Names of the hidden text.
#[rustfmt::skip]
const HIDDEN: &[&str] = &[
    "systemprompt~", "system-prompt", "system prompt~", "prompt syst~", "prompt del sist~",
    "prompt do sist~", "prompt di sist~", "prompt sistem~", "ursprünglichen anweisung~",
    "системный промпт", "системного промпта", "системний промпт", "systeemprompt",
    "sistem istemi~", "موجه النظام", "सिस्टम प्रॉम्प्ट", "系统提示", "系統提示", "初始指令",
    "システムプロンプト", "시스템 프롬프트",
];
#[rustfmt::skip]
const SHOW: &[&str] = &[
    "zeig~", "verrat~", "nenn~", "wiederhol~", "gib", "montre~", "révèle~", "affiche~", "répète~",
    "muestra~", "muéstr~", "revela~", " dime ", "repite", "mostr~", "revele", "repita", "rivela~",
    "dimmi", "покаж~", "раскро~", "повтори~", "выведи~", "розкрий", "pokaż", "ujawnij", "toon",
    "onthul", " visa ", "أظهر", "اعرض", "اكشف", "显示", "告诉", "透露", "输出", "顯示", "tiết lộ",
    "hiển thị", "tunjukkan", "tampilkan",
];
#[rustfmt::skip]
const SHOW_AFTER: &[&str] = &[
    "zeigen", "verraten", "表示", "教えて", "見せて", "出力", "알려", "보여", "공개", "출력", "göster~",
    "açıkla~", "söyle~", "दिखा~", "बता~",
];
#[rustfmt::skip]
const WITHOUT: &[&str] = &[
    "ohne", " sans ", " sin ", " sem ", "senza", "без", "zonder", " bez ", "tanpa", "بدون", "बिना", "utan",
];
#[rustfmt::skip]
const LIMITS: &[&str] = &[
    "einschränk~", "regeln", "filter", "zensur", "restric~", "filtre~", "filtros", "censur~",
    "restriç~", "restrizion~", "filtri", "огранич~", "цензур~", "фильтр~", "beperking~",
    "ogranicze~", "batasan", "قيود", "प्रतिबंध", "begränsning~",
];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    over("injection.override.de", UNMISTAKABLE, &["de"]).steps(&three(DE, 16, DE_THAT, 24, DE_WHAT)),
    over("injection.override.de-plain", STRONG, &["de"]).steps(&two(DE, 12, DE_WHAT)),
    over("injection.override.fr", UNMISTAKABLE, &["fr"]).steps(&three(FR, 24, FR_WHAT, 24, FR_THAT)),
    over("injection.override.fr-yours", UNMISTAKABLE, &["fr"]).steps(&three(FR, 12, FR_YOUR, 8, FR_WHAT)),
    over("injection.override.fr-plain", STRONG, &["fr"]).steps(&three(FR, 8, FR_THE, 10, FR_WHAT)),
    over("injection.override.es", UNMISTAKABLE, &["es"]).steps(&three(ES, 24, ES_WHAT, 16, ES_THAT)),
    over("injection.override.es-yours", UNMISTAKABLE, &["es"]).steps(&three(ES, 12, ES_YOUR, 8, ES_WHAT)),
    over("injection.override.es-plain", STRONG, &["es"]).steps(&two(ES, 16, ES_WHAT)),
    over("injection.override.pt", UNMISTAKABLE, &["pt"]).steps(&three(PT, 24, PT_WHAT, 16, PT_THAT)),
    over("injection.override.pt-yours", UNMISTAKABLE, &["pt"]).steps(&three(PT, 12, PT_YOUR, 8, PT_WHAT)),
    over("injection.override.pt-plain", STRONG, &["pt"]).steps(&two(PT, 16, PT_WHAT)),
    over("injection.override.it", UNMISTAKABLE, &["it"]).steps(&three(IT, 24, IT_WHAT, 16, IT_THAT)),
    over("injection.override.it-yours", UNMISTAKABLE, &["it"]).steps(&three(IT, 12, IT_YOUR, 8, IT_WHAT)),
    over("injection.override.it-plain", STRONG, &["it"]).steps(&two(IT, 16, IT_WHAT)),
    over("injection.override.ru", UNMISTAKABLE, &["ru"]).steps(&three(RU, 16, RU_THAT, 40, RU_WHAT)),
    over("injection.override.ru-plain", STRONG, &["ru"]).steps(&two(RU, 4, RU_WHAT)),
    over("injection.override.uk", UNMISTAKABLE, &["uk"]).steps(&three(UK, 16, UK_THAT, 40, UK_WHAT)),
    over("injection.override.pl", UNMISTAKABLE, &["pl"]).steps(&three(PL, 16, PL_THAT, 24, PL_WHAT)),
    over("injection.override.pl-plain", STRONG, &["pl"]).steps(&two(PL, 4, PL_WHAT)),
    over("injection.override.cs", UNMISTAKABLE, &["cs"]).steps(&three(CS, 16, CS_THAT, 24, CS_WHAT)),
    over("injection.override.nl", UNMISTAKABLE, &["nl"]).steps(&three(NL, 16, NL_THAT, 24, NL_WHAT)),
    over("injection.override.nl-plain", STRONG, &["nl"]).steps(&two(NL, 8, NL_WHAT)),
    over("injection.override.sv", UNMISTAKABLE, &["sv"]).steps(&three(SV, 16, SV_THAT, 24, SV_WHAT)),
    over("injection.override.tr", UNMISTAKABLE, &["tr"]).steps(&three(TR_THAT, 16, TR_WHAT, 16, TR)),
    over("injection.override.tr-plain", STRONG, &["tr"]).steps(&two(TR_WHAT, 4, TR)),
    over("injection.override.ar", UNMISTAKABLE, &["ar"]).steps(&three(AR, 32, AR_WHAT, 24, AR_THAT)),
    over("injection.override.ar-yours", UNMISTAKABLE, &["ar"]).steps(&two(AR, 16, AR_YOUR)),
    over("injection.override.ar-plain", STRONG, &["ar"]).steps(&two(AR, 16, AR_WHAT)),
    over("injection.override.fa", STRONG, &["fa"]).steps(&two(FA_WHAT, 40, FA)),
    over("injection.override.he", UNMISTAKABLE, &["he"]).steps(&three(HE, 24, HE_WHAT, 16, HE_THAT)),
    over("injection.override.hi", UNMISTAKABLE, &["hi"]).steps(&three(HI_THAT, 40, HI_WHAT, 40, HI)),
    over("injection.override.bn", UNMISTAKABLE, &["bn"]).steps(&three(BN_THAT, 32, BN_WHAT, 40, BN)),
    over("injection.override.zh", UNMISTAKABLE, &["zh"]).steps(&three(ZH, 18, ZH_THAT, 24, ZH_WHAT)),
    over("injection.override.zh-plain", STRONG, &["zh"]).steps(&two(ZH, 6, ZH_WHAT)),
    over("injection.override.ja", UNMISTAKABLE, &["ja"]).steps(&three(JA_THAT, 24, JA_WHAT, 24, JA)),
    over("injection.override.ja-plain", STRONG, &["ja"]).steps(&two(JA_WHAT, 6, JA)),
    over("injection.override.ko", UNMISTAKABLE, &["ko"]).steps(&three(KO_THAT, 24, KO_WHAT, 24, KO)),
    over("injection.override.ko-plain", STRONG, &["ko"]).steps(&two(KO_WHAT, 7, KO)),
    over("injection.override.vi", UNMISTAKABLE, &["vi"]).steps(&three(VI, 24, VI_WHAT, 16, VI_THAT)),
    over("injection.override.id", UNMISTAKABLE, &["id", "ms"])
        .steps(&three(ID, 16, ID_WHAT, 16, ID_THAT)),
    over("injection.override.id-plain", STRONG, &["id", "ms"]).steps(&two(ID, 8, ID_WHAT)),
    over("injection.override.th", UNMISTAKABLE, &["th"]).steps(&three(TH, 24, TH_WHAT, 40, TH_THAT)),
    rule("injection.extraction.other-languages", "extraction")
        .worth(STRONG, Group::Extraction)
        .unless(NOT)
        .steps(&two(SHOW, 40, HIDDEN)),
    rule("injection.extraction.other-languages-reversed", "extraction")
        .worth(STRONG, Group::Extraction)
        .steps(&two(HIDDEN, 24, SHOW_AFTER)),
    rule("injection.evasion.other-languages", "evasion")
        .worth(MEDIUM, Group::Evasion)
        .steps(&two(WITHOUT, 16, LIMITS)),
    rule("injection.evasion.spaceless-languages", "evasion")
        .worth(MEDIUM, Group::Evasion)
        .literals(&["没有限制", "沒有限制", "不受限制", "没有任何限制", "制限なし", "制限なく", "제한 없이", "제한없이"]),
];
