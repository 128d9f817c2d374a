//! Personal data: the rules' names. What each means in bytes is `detect::personal`.
//!
//! Decides ids, kinds and severities; the more specific stand first, and of two
//! finds of one length the first row names the hit. Holds no pattern: these are
//! engine rules, woken by digits and `@`. May miss: see `detect::personal`.

use crate::inspect::detect::{Family, Rule, Severity};

pub(crate) const CREDIT_CARD: u8 = 0;
pub(crate) const IBAN: u8 = 1;
pub(crate) const US_SSN: u8 = 2;
pub(crate) const US_ITIN: u8 = 3;
pub(crate) const CRYPTO: u8 = 4;
pub(crate) const BR_CPF: u8 = 5;
pub(crate) const IN_AADHAAR: u8 = 6;
pub(crate) const FR_NIR: u8 = 7;
pub(crate) const IT_FISCAL_CODE: u8 = 8;
pub(crate) const ES_DNI: u8 = 9;
pub(crate) const ES_NIE: u8 = 10;
pub(crate) const IN_PAN: u8 = 11;
pub(crate) const UK_NINO: u8 = 12;
pub(crate) const DE_TAX_ID: u8 = 13;
pub(crate) const AU_TFN: u8 = 14;
pub(crate) const SG_NRIC: u8 = 15;
pub(crate) const KR_RRN: u8 = 16;
pub(crate) const CN_RESIDENT_ID: u8 = 17;
pub(crate) const SE_PERSONNUMMER: u8 = 18;
pub(crate) const CA_SIN: u8 = 19;
pub(crate) const PL_PESEL: u8 = 20;
pub(crate) const TR_NATIONAL_ID: u8 = 21;
pub(crate) const DATE_OF_BIRTH: u8 = 22;
pub(crate) const PASSPORT: u8 = 23;
pub(crate) const US_DRIVER_LICENSE: u8 = 24;
pub(crate) const IP: u8 = 25;
pub(crate) const MAC: u8 = 26;
pub(crate) const EMAIL: u8 = 27;
pub(crate) const PHONE: u8 = 28;
pub(crate) const UK_NHS: u8 = 29;
pub(crate) const US_BANK_ROUTING: u8 = 30;
pub(crate) const BANK_ACCOUNT: u8 = 31;
pub(crate) const NATIONAL_ID: u8 = 32;

const fn row(id: &'static str, kind: &'static str, severity: Severity) -> Rule {
    Rule::new(id, Family::Pii, kind).severity(severity)
}

/// Every kind of personal data, in the order of the constants above.
pub const RULES: &[Rule] = &[
    row("pii.credit_card", "CREDIT_CARD", Severity::Critical),
    row("pii.iban", "IBAN", Severity::High),
    row("pii.us_ssn", "US_SSN", Severity::Critical),
    row("pii.us_itin", "US_ITIN", Severity::High),
    row("pii.crypto", "CRYPTO", Severity::Medium),
    row("pii.br_cpf", "BR_CPF", Severity::High),
    row("pii.in_aadhaar", "IN_AADHAAR", Severity::High),
    row("pii.fr_nir", "FR_NIR", Severity::High),
    row("pii.it_fiscal_code", "IT_FISCAL_CODE", Severity::High),
    row("pii.es_dni", "ES_DNI", Severity::High),
    row("pii.es_nie", "ES_NIE", Severity::High),
    row("pii.in_pan", "IN_PAN", Severity::High),
    row("pii.uk_nino", "UK_NINO", Severity::High),
    row("pii.de_tax_id", "DE_TAX_ID", Severity::High),
    row("pii.au_tfn", "AU_TFN", Severity::High),
    row("pii.sg_nric", "SG_NRIC", Severity::High),
    row("pii.kr_rrn", "KR_RRN", Severity::High),
    row("pii.cn_resident_id", "CN_RESIDENT_ID", Severity::High),
    row("pii.se_personnummer", "SE_PERSONNUMMER", Severity::High),
    row("pii.ca_sin", "CA_SIN", Severity::High),
    row("pii.pl_pesel", "PL_PESEL", Severity::High),
    row("pii.tr_national_id", "TR_NATIONAL_ID", Severity::High),
    row("pii.date_of_birth", "DATE_OF_BIRTH", Severity::Medium),
    row("pii.passport", "PASSPORT", Severity::High),
    row("pii.us_driver_license", "US_DRIVER_LICENSE", Severity::High),
    row("pii.ip", "IP", Severity::Low),
    row("pii.mac", "MAC", Severity::Low),
    row("pii.email", "EMAIL", Severity::Medium),
    row("pii.phone", "PHONE", Severity::Medium),
    row("pii.uk_nhs", "UK_NHS", Severity::High),
    row("pii.us_bank_routing", "US_BANK_ROUTING", Severity::Medium),
    row("pii.bank_account", "BANK_ACCOUNT", Severity::Medium),
    row("pii.national_id", "NATIONAL_ID", Severity::Medium),
];
