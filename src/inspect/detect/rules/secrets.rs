//! Secrets: the rules' names, and the keys that are told by a prefix.
//!
//! Decides ids, kinds, severities, and for each prefixed key its alphabet and
//! length. Keys without a prefix, and what makes a value random, are
//! `detect::secrets`. May miss: keys of vendors not listed, unless a keyword
//! stands near them.

use crate::inspect::detect::{Family, Rule, Severity};

/// What a key's body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Letters and digits.
    Alnum,
    /// Capitals and digits.
    Upper,
    /// Hex digits.
    Hex,
    /// Letters, digits, `_`, `-`.
    Url,
    /// Letters, digits, `_`, `-`, `.`, `=`.
    Dotted,
    /// Base64 with `+`, `/`, `=`.
    Base64,
}

/// A key told by its prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) id: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) severity: Severity,
    pub(crate) prefixes: &'static [&'static str],
    pub(crate) alphabet: Alphabet,
    /// Least and most characters behind the prefix.
    pub(crate) length: (u16, u16),
    /// The prefix says little: the body must look random as well.
    pub(crate) weak: bool,
}

pub(crate) const PRIVATE_KEY: u8 = 0;
pub(crate) const JWT: u8 = 1;
pub(crate) const SLACK_WEBHOOK: u8 = 2;
pub(crate) const DISCORD_WEBHOOK: u8 = 3;
pub(crate) const TEAMS_WEBHOOK: u8 = 4;
pub(crate) const TELEGRAM_TOKEN: u8 = 5;
pub(crate) const DISCORD_TOKEN: u8 = 6;
pub(crate) const MAILCHIMP_KEY: u8 = 7;
pub(crate) const PASSWORD_HASH: u8 = 8;
pub(crate) const AZURE_AD_SECRET: u8 = 9;
/// First row of [`KEYS`].
pub(crate) const FIRST_KEY: u8 = 10;
const KEY_COUNT: usize = KEYS.len();
/// How many rows [`KEYS`] has, as rows are numbered.
const KEY_ROWS: u8 = {
    let mut rows = 0_u8;
    let mut i = 0;
    while i < KEY_COUNT {
        rows = rows.checked_add(1).expect("rows are numbered in a byte");
        i = i.saturating_add(1);
    }
    rows
};
const fn behind_keys(n: u8) -> u8 {
    FIRST_KEY.saturating_add(KEY_ROWS).saturating_add(n)
}
pub(crate) const AZURE_STORAGE_KEY: u8 = behind_keys(0);
pub(crate) const AWS_SECRET_KEY: u8 = behind_keys(1);
pub(crate) const BASIC_AUTH_URL: u8 = behind_keys(2);
pub(crate) const BEARER_TOKEN: u8 = behind_keys(3);
pub(crate) const PASSWORD: u8 = behind_keys(4);
pub(crate) const GENERIC_SECRET: u8 = behind_keys(5);

const fn row(id: &'static str, kind: &'static str, severity: Severity) -> Rule {
    Rule::new(id, Family::Secrets, kind).severity(severity)
}

const BEFORE: [Rule; 10] = [
    row("secrets.private_key", "PRIVATE_KEY", Severity::Critical),
    row("secrets.jwt", "JWT", Severity::High),
    row("secrets.slack_webhook", "SLACK_WEBHOOK", Severity::High),
    row("secrets.discord_webhook", "DISCORD_WEBHOOK", Severity::High),
    row("secrets.teams_webhook", "TEAMS_WEBHOOK", Severity::High),
    row("secrets.telegram_token", "TELEGRAM_TOKEN", Severity::High),
    row("secrets.discord_token", "DISCORD_TOKEN", Severity::High),
    row("secrets.mailchimp_key", "MAILCHIMP_KEY", Severity::High),
    row("secrets.password_hash", "PASSWORD_HASH", Severity::High),
    row("secrets.azure_ad_secret", "AZURE_AD_SECRET", Severity::High),
];

const BEHIND: [Rule; 6] = [
    row(
        "secrets.azure_storage_key",
        "AZURE_STORAGE_KEY",
        Severity::Critical,
    ),
    row(
        "secrets.aws_secret_key",
        "AWS_SECRET_KEY",
        Severity::Critical,
    ),
    row("secrets.basic_auth_url", "BASIC_AUTH_URL", Severity::High),
    row("secrets.bearer_token", "BEARER_TOKEN", Severity::High),
    row("secrets.password", "PASSWORD", Severity::High),
    row("secrets.generic", "GENERIC_SECRET", Severity::Medium),
];

#[expect(
    clippy::indexing_slicing,
    reason = "run by the compiler, which refuses what is out of range"
)]
const ALL: [Rule; BEFORE.len() + KEY_COUNT + BEHIND.len()] = {
    let mut all = [BEFORE[0]; BEFORE.len() + KEY_COUNT + BEHIND.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < BEFORE.len() {
            BEFORE[i]
        } else if i < BEFORE.len() + KEY_COUNT {
            let key = &KEYS[i - BEFORE.len()];
            row(key.id, key.kind, key.severity)
        } else {
            BEHIND[i - BEFORE.len() - KEY_COUNT]
        };
        i += 1;
    }
    all
};

/// Every kind of secret: shapes, then prefixed keys, then what needs a keyword.
pub const RULES: &[Rule] = &ALL;

const fn key(
    id: &'static str,
    kind: &'static str,
    prefixes: &'static [&'static str],
    alphabet: Alphabet,
    length: (u16, u16),
) -> Key {
    Key {
        id,
        kind,
        severity: Severity::Critical,
        prefixes,
        alphabet,
        length,
        weak: false,
    }
}

impl Key {
    const fn weak(mut self) -> Self {
        self.weak = true;
        self
    }
    const fn high(mut self) -> Self {
        self.severity = Severity::High;
        self
    }
}

use Alphabet::{Alnum, Base64, Dotted, Hex, Upper, Url};

/// Shorter words are no key, nor random enough to be judged.
pub(crate) const SHORTEST: usize = 16;

/// Keys by prefix. Where two prefixes fit, the longer one wins.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("secrets.portcullis_key", "PORTCULLIS_KEY", &["pcl_"], Alnum, (49, 49)),
    key("secrets.anthropic_key", "ANTHROPIC_KEY", &["sk-ant-"], Url, (24, 160)),
    key("secrets.openrouter_key", "OPENROUTER_KEY", &["sk-or-v1-", "sk-or-"], Url, (32, 80)),
    key("secrets.openai_key", "OPENAI_KEY", &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"], Url, (16, 200)),
    key("secrets.openai_legacy_key", "OPENAI_KEY", &["sk-"], Url, (16, 200)).weak(),
    key("secrets.aws_access_key", "AWS_ACCESS_KEY", &["AKIA", "ASIA", "ABIA", "ACCA", "A3T"], Upper, (16, 17)),
    key("secrets.aws_bedrock_key", "AWS_BEDROCK_KEY", &["ABSKQmVkcm9ja0FQSUtleS", "ABSK", "bedrock-api-key-"], Base64, (64, 300)),
    key("secrets.github_token", "GITHUB_TOKEN", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], Alnum, (36, 255)),
    key("secrets.github_fine_token", "GITHUB_TOKEN", &["github_pat_"], Url, (36, 255)),
    key("secrets.gitlab_token", "GITLAB_TOKEN", &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-", "glffct-", "GR1348941", "glrtr-"], Dotted, (16, 300)),
    key("secrets.slack_token", "SLACK_TOKEN", &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xoxc-", "xoxd-", "xoxe.xoxp-", "xoxe.xoxb-", "xapp-"], Url, (20, 300)),
    key("secrets.stripe_key", "STRIPE_KEY", &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "rk_prod_", "whsec_"], Alnum, (16, 255)),
    key("secrets.google_api_key", "GOOGLE_API_KEY", &["AIza"], Url, (35, 35)),
    key("secrets.google_oauth", "GOOGLE_OAUTH", &["GOCSPX-", "ya29.", "1//0"], Url, (24, 400)),
    key("secrets.huggingface_token", "HUGGINGFACE_TOKEN", &["hf_", "api_org_"], Alnum, (30, 60)),
    key("secrets.npm_token", "NPM_TOKEN", &["npm_"], Alnum, (36, 36)),
    key("secrets.pypi_token", "PYPI_TOKEN", &["pypi-AgE", "pypi-"], Url, (50, 800)),
    key("secrets.rubygems_key", "RUBYGEMS_KEY", &["rubygems_"], Hex, (48, 48)),
    key("secrets.sendgrid_key", "SENDGRID_KEY", &["SG."], Dotted, (60, 80)),
    key("secrets.twilio_key", "TWILIO_KEY", &["SK", "AC"], Hex, (32, 32)),
    key("secrets.mailgun_key", "MAILGUN_KEY", &["key-", "pubkey-"], Hex, (32, 32)),
    key("secrets.sendinblue_key", "SENDINBLUE_KEY", &["xkeysib-", "xsmtpsib-"], Url, (64, 100)),
    key("secrets.mailersend_key", "MAILERSEND_KEY", &["mlsn."], Alnum, (40, 80)),
    key("secrets.databricks_token", "DATABRICKS_TOKEN", &["dapi"], Hex, (32, 33)),
    key("secrets.digitalocean_token", "DIGITALOCEAN_TOKEN", &["dop_v1_", "doo_v1_", "dor_v1_"], Hex, (64, 64)),
    key("secrets.shopify_token", "SHOPIFY_TOKEN", &["shpat_", "shpca_", "shppa_", "shpss_"], Hex, (32, 32)),
    key("secrets.square_token", "SQUARE_TOKEN", &["sq0atp-", "sq0csp-", "sq0idp-", "EAAAE"], Url, (22, 70)),
    key("secrets.heroku_key", "HEROKU_KEY", &["HRKU-AA"], Url, (40, 70)),
    key("secrets.vault_token", "VAULT_TOKEN", &["hvs.", "hvb.", "hvr."], Url, (24, 600)),
    key("secrets.vault_legacy_token", "VAULT_TOKEN", &["s.", "b."], Alnum, (24, 24)).weak(),
    key("secrets.postman_key", "POSTMAN_KEY", &["PMAK-"], Url, (40, 70)),
    key("secrets.linear_key", "LINEAR_KEY", &["lin_api_", "lin_oauth_"], Alnum, (32, 64)),
    key("secrets.notion_token", "NOTION_TOKEN", &["ntn_", "secret_"], Alnum, (40, 52)),
    key("secrets.figma_token", "FIGMA_TOKEN", &["figd_", "figo_"], Url, (36, 60)),
    key("secrets.grafana_token", "GRAFANA_TOKEN", &["glc_", "glsa_"], Base64, (32, 400)),
    key("secrets.newrelic_key", "NEWRELIC_KEY", &["NRAK-", "NRJS-", "NRII-", "NRIQ-", "NRRA-", "NRAA-", "NRSP-"], Url, (19, 64)),
    key("secrets.airtable_token", "AIRTABLE_TOKEN", &["pat"], Dotted, (79, 79)).weak(),
    key("secrets.atlassian_token", "ATLASSIAN_TOKEN", &["ATATT3", "ATCTT3", "ATBB"], Dotted, (24, 300)),
    key("secrets.dynatrace_token", "DYNATRACE_TOKEN", &["dt0c01.", "dt0s16."], Dotted, (80, 100)),
    key("secrets.doppler_token", "DOPPLER_TOKEN", &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."], Dotted, (40, 80)),
    key("secrets.planetscale_token", "PLANETSCALE_TOKEN", &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], Dotted, (32, 64)),
    key("secrets.prefect_key", "PREFECT_KEY", &["pnu_", "pnb_"], Alnum, (36, 36)),
    key("secrets.pulumi_token", "PULUMI_TOKEN", &["pul-"], Hex, (40, 40)),
    key("secrets.readme_key", "README_KEY", &["rdme_"], Alnum, (70, 70)),
    key("secrets.sentry_token", "SENTRY_TOKEN", &["sntrys_", "sntryu_"], Base64, (60, 400)),
    key("secrets.sonar_token", "SONAR_TOKEN", &["squ_", "sqp_", "sqa_"], Alnum, (40, 40)),
    key("secrets.sourcegraph_token", "SOURCEGRAPH_TOKEN", &["sgp_", "slk_"], Url, (40, 80)),
    key("secrets.snyk_token", "SNYK_TOKEN", &["snyk_"], Url, (36, 100)),
    key("secrets.typeform_token", "TYPEFORM_TOKEN", &["tfp_"], Dotted, (40, 80)),
    key("secrets.docker_token", "DOCKER_TOKEN", &["dckr_pat_", "dckr_oat_"], Url, (24, 60)),
    key("secrets.fly_token", "FLY_TOKEN", &["fo1_", "fm1a_", "fm1r_", "fm2_"], Base64, (40, 800)),
    key("secrets.onepassword_token", "ONEPASSWORD_TOKEN", &["ops_eyJ"], Base64, (100, 1200)),
    key("secrets.onepassword_key", "ONEPASSWORD_KEY", &["A3-"], Url, (26, 38)).weak(),
    key("secrets.age_key", "AGE_SECRET_KEY", &["AGE-SECRET-KEY-1"], Upper, (58, 58)),
    key("secrets.adafruit_key", "ADAFRUIT_KEY", &["aio_"], Alnum, (28, 28)),
    key("secrets.groq_key", "GROQ_KEY", &["gsk_"], Alnum, (40, 60)),
    key("secrets.perplexity_key", "PERPLEXITY_KEY", &["pplx-"], Alnum, (40, 60)),
    key("secrets.xai_key", "XAI_KEY", &["xai-"], Alnum, (60, 90)),
    key("secrets.replicate_token", "REPLICATE_TOKEN", &["r8_"], Alnum, (36, 40)),
    key("secrets.langsmith_key", "LANGSMITH_KEY", &["lsv2_pt_", "lsv2_sk_", "ls__"], Url, (32, 64)),
    key("secrets.artifactory_token", "ARTIFACTORY_TOKEN", &["AKCp", "cmVmd"], Alnum, (59, 75)),
    key("secrets.clickhouse_key", "CLICKHOUSE_KEY", &["4b1d"], Alnum, (38, 38)),
    key("secrets.hubspot_key", "HUBSPOT_KEY", &["pat-na1-", "pat-eu1-", "pat-na2-"], Hex, (8, 8)).high(),
    key("secrets.intercom_easypost_key", "EASYPOST_KEY", &["EZAK", "EZTK"], Alnum, (54, 54)),
    key("secrets.flutterwave_key", "FLUTTERWAVE_KEY", &["FLWSECK_TEST-", "FLWSECK-", "FLWPUBK_TEST-", "FLWPUBK-"], Url, (12, 60)),
    key("secrets.frameio_token", "FRAMEIO_TOKEN", &["fio-u-"], Dotted, (60, 70)),
    key("secrets.harness_token", "HARNESS_TOKEN", &["pat.", "sat."], Dotted, (60, 80)).weak(),
    key("secrets.infracost_key", "INFRACOST_KEY", &["ico-"], Alnum, (32, 32)),
    key("secrets.lob_key", "LOB_KEY", &["live_", "test_", "live_pub_", "test_pub_"], Hex, (31, 40)).weak(),
    key("secrets.scalingo_token", "SCALINGO_TOKEN", &["tk-us-"], Url, (48, 48)),
    key("secrets.settlemint_token", "SETTLEMINT_TOKEN", &["sm_pat_", "sm_aat_", "sm_sat_"], Alnum, (16, 32)),
    key("secrets.shippo_token", "SHIPPO_TOKEN", &["shippo_live_", "shippo_test_"], Hex, (40, 40)),
    key("secrets.sumologic_duffel_key", "DUFFEL_KEY", &["duffel_test_", "duffel_live_"], Dotted, (40, 48)),
    key("secrets.supabase_key", "SUPABASE_KEY", &["sbp_", "sb_secret_"], Url, (30, 64)),
    key("secrets.openshift_token", "OPENSHIFT_TOKEN", &["sha256~"], Url, (43, 43)),
    key("secrets.octopus_key", "OCTOPUS_KEY", &["API-"], Upper, (26, 26)),
    key("secrets.alibaba_key", "ALIBABA_KEY", &["LTAI"], Alnum, (12, 26)).weak(),
    key("secrets.tencent_key", "TENCENT_KEY", &["AKID"], Alnum, (28, 40)).weak(),
    key("secrets.yandex_key", "YANDEX_KEY", &["AQVN", "t1.A", "YC"], Dotted, (30, 300)).weak(),
    key("secrets.facebook_token", "FACEBOOK_TOKEN", &["EAACEdEose0cBA", "EAAM", "EAAC"], Alnum, (80, 300)),
    key("secrets.defined_token", "DEFINED_TOKEN", &["dnkey-"], Url, (70, 90)),
    key("secrets.twitch_twitter_bearer", "TWITTER_BEARER", &["AAAAAAAAAAAAAAAAAAAAA"], Base64, (60, 130)),
    key("secrets.cratesio_token", "CRATES_IO_TOKEN", &["cio"], Alnum, (32, 32)).weak(),
    key("secrets.mapbox_token", "MAPBOX_TOKEN", &["sk.eyJ", "pk.eyJ"], Dotted, (60, 200)).high(),
    key("secrets.contentful_token", "CONTENTFUL_TOKEN", &["CFPAT-"], Url, (43, 43)),
    key("secrets.buildkite_token", "BUILDKITE_TOKEN", &["bkua_", "bkpt_"], Hex, (40, 40)),
    key("secrets.checkout_razorpay_key", "RAZORPAY_KEY", &["rzp_live_", "rzp_test_"], Alnum, (14, 24)),
    key("secrets.grafana_legacy_key", "GRAFANA_TOKEN", &["eyJrIjoi"], Base64, (60, 400)),
    key("secrets.tavily_key", "TAVILY_KEY", &["tvly-"], Url, (28, 60)),
    key("secrets.pinecone_key", "PINECONE_KEY", &["pcsk_"], Url, (60, 90)),
    key("secrets.tailscale_key", "TAILSCALE_KEY", &["tskey-"], Url, (20, 160)),
    key("secrets.cloudflare_key", "CLOUDFLARE_KEY", &["cfk_", "cfut_", "cfat_"], Url, (40, 60)),
    key("secrets.nvidia_key", "NVIDIA_KEY", &["nvapi-"], Url, (56, 80)),
    key("secrets.launchdarkly_key", "LAUNCHDARKLY_KEY", &["sdk-", "api-"], Url, (36, 36)).weak(),
    key("secrets.bitbucket_token", "BITBUCKET_TOKEN", &["BBDC-"], Base64, (40, 60)),
    key("secrets.dtrack_key", "DTRACK_KEY", &["odt_"], Alnum, (32, 44)),
    key("secrets.intra42_secret", "INTRA42_SECRET", &["s-s4t2ud-", "s-s4t2af-"], Hex, (64, 64)),
    key("secrets.thunderstore_token", "THUNDERSTORE_TOKEN", &["tss_"], Alnum, (36, 80)),
];

#[cfg(test)]
mod tests {
    use super::{KEYS, SHORTEST};

    #[test]
    fn no_key_is_so_short_that_it_is_not_looked_at() {
        for key in KEYS {
            for prefix in key.prefixes {
                let least = prefix.len().saturating_add(usize::from(key.length.0));
                assert!(least >= SHORTEST, "{prefix} of {least} bytes");
            }
        }
    }
}
