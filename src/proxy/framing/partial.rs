//! However a body is cut, and wherever it is refused: what passes arrives as it was sent, and what
//! does not is never complete.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use super::client::{Client, Request};
use super::gateway::{Early, Gateway, Hook, Plan};
use super::scripted::{REFUSE_AT, all_settled};
use super::upstream::{Arrival, Upstream};
use super::{One, Two, Version};
use crate::policy::Denial;
use crate::proxy::body::carry_out;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// What the requests are told apart by.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The ways that a body passes on.
struct Ways {
    upstreams: [Upstream; 2],
    gateways: [Gateway; 2],
}

/// Refuses the piece that the request's head names.
const REFUSE_NAMED: Hook = |ctx, piece, end| {
    let refused = ctx.refuse_at.is_some_and(|at| ctx.calls.len() > at || end);
    let judge = |_: &[u8], _| {
        if refused {
            Err(Denial::RequestTimeout)
        } else {
            Ok(all_settled())
        }
    };
    let action = ctx.tail().push(piece.take(), end, judge);
    carry_out(action, piece, end)
};

static WAYS: OnceCell<Ways> = OnceCell::const_new();

async fn ways() -> &'static Ways {
    let make = async || {
        let upstreams = [Upstream::start(One, &[]), Upstream::start(Two, &[])];
        let plan = |upstream| Plan::to(upstream).early(Early::Guard).hook(REFUSE_NAMED);
        let gateways = [
            plan(&upstreams[0]).start().await,
            plan(&upstreams[1]).start().await,
        ];
        Ways {
            upstreams,
            gateways,
        }
    };
    WAYS.get_or_init(make).await
}

/// A body in pieces, and how it is sent.
#[derive(Clone, Debug)]
struct Case {
    request: Request,
    down: Version,
    to_http2: bool,
    refuse_at: Option<usize>,
}

fn cases() -> impl Strategy<Value = Case> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 1..20),
        1 => prop::collection::vec(any::<u8>(), 1000..20_000),
    ];
    let pieces = prop::collection::vec(piece, 1..9);
    let refuse_at = prop::option::of(0..9_usize);
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (pieces, refuse_at, switches).prop_map(|(pieces, refuse_at, switches)| {
        let (announced, end_alone, from_http2, to_http2) = switches;
        let request = Request {
            pieces,
            announced,
            end_alone,
            ..Request::default()
        };
        let down = if from_http2 { Two } else { One };
        Case {
            request,
            down,
            to_http2,
            refuse_at,
        }
    })
}

async fn check(case: Case) -> Result<(), TestCaseError> {
    let ways = ways().await;
    let way = usize::from(case.to_http2);
    let (upstream, gateway) = (&ways.upstreams[way], &ways.gateways[way]);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    let mut request = case.request.clone().field("x-number", &number);
    if let Some(at) = case.refuse_at {
        request = request.field(REFUSE_AT, &at.to_string());
    }
    let reply = Client::connect(gateway, case.down)
        .await
        .send(&request)
        .await;
    let line = format!("x-number: {number}");
    let mine = |all: &[super::upstream::Request]| {
        all.iter().position(|one| {
            one.head
                .lines()
                .any(|text| text.eq_ignore_ascii_case(&line))
        })
    };
    let over = |all: &[super::upstream::Request]| {
        mine(all).is_some_and(|index| all[index].arrival != Arrival::Open)
    };
    let body = case.request.pieces.concat();
    if case.refuse_at.is_some() {
        prop_assert_eq!(reply.status, Some(408));
        let seen = upstream.wait("the end of a refused request", over).await;
        let seen = &seen[mine(&seen).expect("it is there")];
        prop_assert_eq!(seen.arrival, Arrival::Cut, "a refused body looks complete");
        prop_assert!(body.starts_with(&seen.body) && seen.body.len() < body.len());
    } else {
        prop_assert!(reply.is(200), "{:?}", reply);
        let seen = upstream.wait("the end of a request", over).await;
        let seen = &seen[mine(&seen).expect("it is there")];
        prop_assert_eq!(seen.arrival, Arrival::Whole);
        prop_assert!(seen.body == body, "what passes arrives as it was sent");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn framing_a_body_however_cut_arrives_whole_or_never_looks_whole(case in cases()) {
        RUNTIME.block_on(check(case))?;
    }
}
