use super::*;

fn all() -> Vec<Denial> {
    vec![
        Denial::InvalidJson("unexpected end at byte 3".to_owned()),
        Denial::InvalidRequest {
            param: Some("model".into()),
            problem: "`model` is missing.".to_owned(),
        },
        Denial::Inspected(Refusal::Family(Family::PromptInjection)),
        Denial::Inspected(Refusal::TextTooLong),
        Denial::Inspected(Refusal::Uninspectable),
        Denial::MissingApiKey,
        Denial::InvalidApiKey(KeyFault::Unknown),
        Denial::InvalidApiKey(KeyFault::Malformed),
        Denial::InvalidApiKey(KeyFault::Ambiguous),
        Denial::PermissionDenied,
        Denial::ModelNotAllowed,
        Denial::NotFound,
        Denial::ModelNotFound,
        Denial::MethodNotAllowed("POST"),
        Denial::RequestTimeout,
        Denial::LengthRequired,
        Denial::RequestTooLarge(1024),
        Denial::UriTooLong,
        Denial::UnsupportedMediaType("application/json"),
        Denial::HeadersTooLarge,
        Denial::Overloaded,
        Denial::NoHealthyProvider,
        Denial::UpstreamError,
        Denial::UpstreamTimeout,
        Denial::ProviderRateLimited(None),
        Denial::ProviderFailed {
            status: 500,
            retry_after: None,
        },
        Denial::ProviderFailed {
            status: 503,
            retry_after: None,
        },
        Denial::ProviderFailed {
            status: 529,
            retry_after: Some(Duration::from_secs(7)),
        },
        Denial::Internal,
    ]
}

#[test]
fn every_denial_is_an_error_with_a_code_and_a_text() {
    for denial in all() {
        let face = denial.face();
        assert!(
            (400..=599).contains(&face.status),
            "{denial:?} must be an error"
        );
        assert!(!face.code.is_empty(), "{denial:?} needs a code");
        assert!(!denial.message().is_empty(), "{denial:?} needs a message");
    }
}

#[test]
fn the_caller_can_not_tell_why_a_key_is_not_valid() {
    let shown: Vec<_> = [KeyFault::Unknown, KeyFault::Malformed, KeyFault::Ambiguous]
        .map(|fault| {
            let denial = Denial::InvalidApiKey(fault);
            (
                denial.face(),
                denial.message(),
                denial.param().map(str::to_owned),
            )
        })
        .to_vec();
    assert!(
        shown.iter().all(|s| *s == shown[0]),
        "all key faults look the same from outside"
    );
}

#[test]
fn a_client_is_told_when_to_come_back_after_503() {
    for denial in all().into_iter().filter(|d| d.face().status == 503) {
        assert!(
            denial.retry_after().is_some(),
            "{denial:?} needs a retry-after"
        );
    }
}
