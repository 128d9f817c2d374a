//! Tokens of every kind, good and bad.

use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::*;
use crate::identify::keys::Role;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: u64 = 1_800_000_000;

fn rules() -> TokenRules {
    TokenRules {
        issuer: Some("https://idp.example".into()),
        audience: Some("gateway".into()),
        max_ttl: 3_600,
        skew: 30,
        role_claim: "role".into(),
        scope_claim: "scope".into(),
    }
}

fn own() -> Verifier {
    let mut verifier = Verifier::new(rules());
    verifier.add_secret(SECRET);
    verifier
}

fn encoded(head: &Value, body: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(head), encode(body))
}

fn signed(head: &Value, body: &Value, secret: &[u8]) -> String {
    let message = encoded(head, body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn foreign() -> Value {
    json!({
        "iss": "https://idp.example", "aud": ["other", "gateway"], "sub": "alice",
        "role": "standard", "iat": NOW - 10, "exp": NOW + 600,
    })
}

fn with(changes: &Value) -> Value {
    let mut claims = foreign();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn fault(verifier: &Verifier, token: &str) -> Option<KeyFault> {
    verifier.verify(token.as_bytes(), NOW).err()
}

#[test]
fn a_token_of_our_own_is_good_until_it_ends() {
    let scope = ["model:gpt-*".to_owned(), "openid".to_owned()];
    let claims = Claims {
        subject: "ci",
        id: "1",
        role: Role::Standard,
        scope: &scope,
        issued_at: NOW,
        expires_at: NOW + 60,
    };
    let token = sign(SECRET, &claims);
    let token = token.expose().as_bytes();
    assert!(is_like(token), "it has the form of one");
    let record = own().verify(token, NOW + 59).unwrap();
    assert_eq!(
        (record.id.as_str(), record.role, record.expires_at),
        ("jwt:ci", Role::Standard, NOW + 60),
        "what it says"
    );
    let bounds = record.bounds.as_ref().unwrap();
    assert!(
        bounds.allows_model("gpt-4o") && !bounds.allows_model("o3"),
        "its scope binds"
    );
    assert_eq!(
        own().verify(token, NOW + 60).err(),
        Some(KeyFault::TokenExpired),
        "to the second: both ends are our own clock"
    );
    let mut other = Verifier::new(rules());
    other.add_secret(b"another secret, and long enough.");
    assert_eq!(
        other.verify(token, NOW).err(),
        Some(KeyFault::TokenSignature),
        "under another secret"
    );
    assert_eq!(
        Verifier::new(rules()).verify(token, NOW).err(),
        Some(KeyFault::TokenKey),
        "without any key"
    );
}

#[test]
fn claims_must_be_what_they_must_be() {
    use KeyFault::{
        TokenExpired, TokenForeign, TokenMalformed, TokenNotYetValid, TokenRole, TokenTooLong,
    };
    let head = json!({"alg": "HS256", "typ": "JWT"});
    for (changes, expected) in [
        (json!({}), None),
        (json!({"exp": NOW - 29}), None),
        (json!({"exp": NOW - 30}), Some(TokenExpired)),
        (json!({"exp": null}), Some(TokenMalformed)),
        (json!({"exp": "soon"}), Some(TokenMalformed)),
        (
            json!({"exp": format!("{}", NOW + 600)}),
            Some(TokenMalformed),
        ),
        (json!({"exp": -1}), Some(TokenMalformed)),
        (json!({"exp": NOW + 4_000}), Some(TokenTooLong)),
        (json!({"exp": NOW + 4_000, "iat": null}), Some(TokenTooLong)),
        (json!({"iat": NOW + 31}), Some(TokenNotYetValid)),
        (json!({"nbf": NOW + 30}), None),
        (json!({"nbf": NOW + 31}), Some(TokenNotYetValid)),
        (json!({"nbf": "later"}), Some(TokenMalformed)),
        (json!({"iss": "https://evil.example"}), Some(TokenForeign)),
        (json!({"iss": null}), Some(TokenForeign)),
        (json!({"iss": "portcullis", "aud": null}), None),
        (json!({"aud": "gateway"}), None),
        (json!({"aud": "gateways"}), Some(TokenForeign)),
        (json!({"aud": [1]}), Some(TokenForeign)),
        (json!({"aud": null}), Some(TokenForeign)),
        (json!({"role": "god"}), Some(TokenRole)),
        (json!({"role": null}), Some(TokenRole)),
        (json!({"role": ["x", "admin"]}), None),
        (json!({"role": ["standard", "admin"]}), Some(TokenRole)),
        (json!({"scope": 7}), Some(TokenMalformed)),
        (json!({"scope": "model:"}), Some(TokenMalformed)),
        (json!({"sub": "auth0|7 é"}), None),
    ] {
        let token = signed(&head, &with(&changes), SECRET);
        assert_eq!(fault(&own(), &token), expected, "{changes}");
    }
}

#[test]
fn a_role_may_stand_deep_in_the_claims() {
    let mut verifier = Verifier::new(TokenRules {
        role_claim: "realm.access.roles".into(),
        ..rules()
    });
    verifier.add_secret(SECRET);
    let claims = with(&json!({"realm": {"access": {"roles": ["offline", "read_only"]}}}));
    let token = signed(&json!({"alg": "HS256"}), &claims, SECRET);
    let record = verifier.verify(token.as_bytes(), NOW).unwrap();
    assert_eq!(record.role, Role::ReadOnly, "and `role` itself is not read");
}

#[test]
fn heads_that_ask_for_something_else_are_refused() {
    use KeyFault::{TokenKey, TokenMalformed};
    for (head, expected) in [
        (json!({"alg": "none"}), Some(TokenKey)),
        (json!({"alg": "None"}), Some(TokenKey)),
        (json!({"alg": "hs256"}), Some(TokenKey)),
        (json!({"alg": "HS512"}), Some(TokenKey)),
        (json!({"alg": "RS256"}), Some(TokenKey)),
        (json!({"alg": ["HS256"]}), Some(TokenKey)),
        (json!({}), Some(TokenKey)),
        (json!({"alg": "HS256", "crit": ["exp"]}), Some(TokenKey)),
        (json!({"alg": "HS256", "typ": "dpop+jwt"}), Some(TokenKey)),
        (json!({"alg": "HS256", "kid": "any"}), None),
        (json!({"alg": "HS256", "jku": "https://evil.example"}), None),
        (json!([]), Some(TokenMalformed)),
    ] {
        let token = signed(&head, &foreign(), SECRET);
        assert_eq!(fault(&own(), &token), expected, "{head}");
    }
    let unsigned = format!("{}.", encoded(&json!({"alg": "none"}), &foreign()));
    assert_eq!(
        fault(&own(), &unsigned),
        Some(TokenKey),
        "without a signature"
    );
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"HS256"}"#);
    let body = URL_SAFE_NO_PAD.encode(foreign().to_string());
    let twice = format!("{twice}.{body}.AAAA");
    assert_eq!(fault(&own(), &twice), Some(TokenMalformed), "a name twice");
}

/// A key pair of an issuer, and its public half as a JWK.
fn issuer() -> (EcdsaKeyPair, Value) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pair.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    });
    (pair, jwk)
}

#[test]
fn an_issuers_key_verifies_its_own_algorithm_and_no_other() {
    let (pair, jwk) = issuer();
    let sign = |head: &Value| {
        let message = encoded(head, &foreign());
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let mut verifier = Verifier::new(rules());
    let set = json!({"keys": [jwk, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}]});
    let secret = verifier.add_jwks(set.to_string().as_bytes());
    assert_eq!(secret, Ok(false), "no secret in it");
    let good = sign(&json!({"alg": "ES256", "kid": "one"}));
    assert_eq!(fault(&verifier, &good), None, "as it was signed");
    let nameless = sign(&json!({"alg": "ES256"}));
    assert_eq!(fault(&verifier, &nameless), None, "the only key there is");
    let other = sign(&json!({"alg": "ES256", "kid": "two"}));
    assert_eq!(
        fault(&verifier, &other),
        Some(KeyFault::TokenKey),
        "another key"
    );
    // The public key, which anyone has, taken for a shared secret.
    let public = pair.public_key().as_ref();
    let confused = signed(&json!({"alg": "HS256", "kid": "one"}), &foreign(), public);
    assert_eq!(
        fault(&verifier, &confused),
        Some(KeyFault::TokenKey),
        "confusion"
    );
    let mut tampered = good.into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] ^= 1;
    assert!(verifier.verify(&tampered, NOW).is_err(), "tampered with");
}

#[test]
fn the_published_rsa_signature_is_good_and_a_changed_one_is_not() {
    // RFC 7515, A.2.
    const MODULUS: &str = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ",
        "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0",
        "LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD",
        "Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2",
        "PAcDTW9gb54h4FRWyuXpoQ",
    );
    const SIGNED: &str = concat!(
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9",
        "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    );
    const SIGNATURE: &str = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF",
        "5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK",
        "5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt",
        "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB",
        "p0igcN_IoypGlUPQGe77Rw",
    );
    let mut verifier = Verifier::new(TokenRules {
        issuer: Some("joe".into()),
        audience: None,
        ..rules()
    });
    let set = json!({"keys": [{"kty": "RSA", "n": MODULUS, "e": "AQAB"}]});
    verifier.add_jwks(set.to_string().as_bytes()).unwrap();
    let at = |token: &str| verifier.verify(token.as_bytes(), 1_300_819_379).err();
    let token = format!("{SIGNED}.{SIGNATURE}");
    assert_eq!(
        at(&token),
        Some(KeyFault::TokenRole),
        "signature, issuer and end are good, and it names no role"
    );
    let changed = format!("{}.{SIGNATURE}", SIGNED.replace("Jqb2", "Jqb3"));
    assert_eq!(at(&changed), Some(KeyFault::TokenSignature), "changed");
}

#[test]
fn sets_of_no_use_are_refused() {
    let (_, jwk) = issuer();
    let short = URL_SAFE_NO_PAD.encode([1_u8; 128]);
    for (set, expected) in [
        (json!({"keys": []}), Some(JwksFault::Number)),
        (json!([]), Some(JwksFault::Form)),
        (json!({"keys": [{"kty": "OKP"}]}), Some(JwksFault::Number)),
        (
            json!({"keys": [{"kty": "RSA", "n": short, "e": "AQAB"}]}),
            Some(JwksFault::Weak(0)),
        ),
        (
            json!({"keys": [jwk, {"kty": "oct", "k": "AAAA"}]}),
            Some(JwksFault::Weak(1)),
        ),
        (
            json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "A"}]}),
            Some(JwksFault::Values(0)),
        ),
        (
            json!({"keys": vec![jwk.clone(); 33]}),
            Some(JwksFault::Number),
        ),
        (json!({"keys": [jwk]}), None),
    ] {
        let read = Verifier::new(rules()).add_jwks(set.to_string().as_bytes());
        assert_eq!(read.err(), expected, "{set}");
    }
}

#[test]
fn the_seeds_of_the_fuzzer_are_no_tokens() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/token");
    for seed in std::fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(cross_check(&bytes), Ok(()), "{}", path.display());
    }
}

proptest! {
    #[test]
    fn no_bytes_are_a_token_that_nobody_signed(bytes: Vec<u8>) {
        prop_assert_eq!(cross_check(&bytes), Ok(()));
    }

    #[test]
    fn nothing_like_a_token_is_one(
        head in "\\{(\"(alg|kid|typ|crit)\":(\"HS256\"|\"none\"|1|null)?,?){0,3}\\}",
        body in "\\{(\"(exp|iat|role|sub|aud)\":(1e9|\"admin\"|-1|\\[\\]|9),?){0,4}\\}",
        tail in "[A-Za-z0-9_.-]{0,50}",
    ) {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!("{}.{}.{tail}", encode(&head), encode(&body));
        prop_assert_eq!(cross_check(token.as_bytes()), Ok(()));
        prop_assert_eq!(cross_check(body.as_bytes()), Ok(()));
    }

    #[test]
    fn one_bit_of_a_token_changed_makes_it_another(place in 0_usize..400, bit in 0_u8..8) {
        let mut token = signed(&json!({"alg": "HS256"}), &foreign(), SECRET).into_bytes();
        let place = place.min(token.len().saturating_sub(1));
        token[place] ^= 1 << bit;
        prop_assert!(own().verify(&token, NOW).is_err(), "byte {} bit {}", place, bit);
    }
}
