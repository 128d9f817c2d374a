//! Tokens of an identity provider: RS256, ES256 and HS256 by its key set, and what of them counts.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::runtime::clock::unix;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use crate::harness::{Gateway, chat};

/// The key of RFC 7515, appendix A.2, which everybody has: modulus, both exponents, the primes,
/// and what is derived from them.
const RSA: [&str; 8] = [
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4\
     d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re\
     xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX\
     FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "AQAB",
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXO\
     oAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51\
     gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3c\
     cPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5P\
     JdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZ\
     D_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R\
     6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0aja\
     HF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7Y\
     IBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
];
const SHARED: &[u8] = b"thirty-two bytes that both sides know";

/// An identity provider with three keys.
struct Issuer {
    rsa: RsaKeyPair,
    curve: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let [modulus, exponent, private, primes @ ..] =
            RSA.map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64"));
        let [p, q, dp, dq, qinv] = primes;
        let parts = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: modulus,
                e: exponent,
            },
            d: private,
            p,
            q,
            dP: dp,
            dQ: dq,
            qInv: qinv,
        };
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        Self {
            rsa: RsaKeyPair::from_components(&parts).expect("the published key"),
            curve: EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).expect("a key"),
            random,
        }
    }

    fn key_set(&self) -> Value {
        let point = self.curve.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({"keys": [
            {"kty": "RSA", "kid": "rs", "use": "sig", "n": RSA[0], "e": RSA[1]},
            {"kty": "EC", "kid": "es", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x),
             "y": URL_SAFE_NO_PAD.encode(y)},
            {"kty": "oct", "kid": "hs", "k": URL_SAFE_NO_PAD.encode(SHARED)},
        ]})
    }

    fn sign(&self, algorithm: &str, claims: &Value) -> String {
        let kid = algorithm[..2].to_lowercase();
        let head = json!({"alg": algorithm, "kid": kid, "typ": "JWT"});
        let [head, body] = [&head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{head}.{body}");
        let bytes = message.as_bytes();
        let signature = match algorithm {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                let signed = self
                    .rsa
                    .sign(&RSA_PKCS1_SHA256, &self.random, bytes, &mut signature);
                signed.expect("a signature");
                signature
            }
            "ES256" => {
                let signature = self.curve.sign(&self.random, bytes).expect("a signature");
                signature.as_ref().to_vec()
            }
            _ => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SHARED), bytes)
                .as_ref()
                .to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Claims that open, with some changed; null takes one away.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://issuer.example", "aud": ["other", "portcullis"], "sub": "ci",
        "iat": unix(), "exp": unix() + 600, "access": {"role": "standard"},
        "permissions": "model:gpt-* openid",
    });
    for (name, value) in changes.as_object().expect("an object") {
        let object = claims.as_object_mut().expect("an object");
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    claims
}

async fn gateway(issuer: &Issuer, folder: &std::path::Path) -> Gateway {
    let file = folder.join("jwks.json");
    std::fs::write(&file, issuer.key_set().to_string()).expect("a file");
    // There is a shared secret in it, so that nobody else may read it.
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a mode");
    let more = format!(
        "{{auth: {{tokens: {{jwks_file: \"{}\", issuer: \"https://issuer.example\", audience: \
         portcullis, clock_skew: 5s, role_claim: access.role, scope_claim: permissions}}}}}}",
        file.display()
    );
    Gateway::bare().echo("echo").yaml(&more).start().await
}

#[tokio::test]
async fn a_token_of_an_identity_provider_opens_what_its_claims_name() {
    let (issuer, folder) = (Issuer::new(), tempfile::tempdir().expect("a folder"));
    let gateway = gateway(&issuer, folder.path()).await;
    for algorithm in ["RS256", "ES256", "HS256"] {
        let token = issuer.sign(algorithm, &claims(&json!({})));
        let reply = gateway.send(&chat("gpt-4o").key(&token)).await;
        reply.assert_fine(algorithm);
        let id = reply.headers.one("x-request-id").unwrap_or_default();
        let line = gateway.access_line(id).await;
        assert_eq!(line["extra_data"]["key_id"], "jwt:ci", "{line}");
        assert_eq!(line["extra_data"]["role"], "standard", "{line}");
        let reply = gateway.send(&chat("o3").key(&token)).await;
        reply.assert_refused(403, "model_not_allowed", "its scope holds");
        let reader = claims(&json!({"access": {"role": "read_only"}}));
        let token = issuer.sign(algorithm, &reader);
        let reply = gateway.send(&chat("gpt-4o").key(&token)).await;
        reply.assert_refused(403, "permission_denied", "a reader reads");
    }
}

#[tokio::test]
async fn a_token_whose_claims_do_not_hold_opens_nothing() {
    let (issuer, folder) = (Issuer::new(), tempfile::tempdir().expect("a folder"));
    let gateway = gateway(&issuer, folder.path()).await;
    let day = 86_400;
    let wrong = [
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("no issuer", json!({"iss": null})),
        ("another audience", json!({"aud": "other"})),
        ("no audience", json!({"aud": null})),
        (
            "expired, beyond the skew",
            json!({"exp": unix() - 60, "iat": unix() - 120}),
        ),
        ("no end", json!({"exp": null})),
        ("a life beyond max_ttl", json!({"exp": unix() + 2 * day})),
        ("not yet good", json!({"nbf": unix() + 300})),
        ("no role", json!({"access": null})),
        ("a role that is none", json!({"access": {"role": "root"}})),
        ("a claim of the wrong type", json!({"exp": "tomorrow"})),
    ];
    for (why, changes) in &wrong {
        let token = issuer.sign("ES256", &claims(changes));
        let reply = gateway.send(&chat("gpt-4o").key(&token)).await;
        reply.assert_refused(401, "invalid_api_key", why);
    }
}
