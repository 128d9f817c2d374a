use http::Method;

use super::*;
use crate::admit::target;
use crate::internal::routes::ROWS;
use crate::policy::Serve;
use crate::record::endpoint::Endpoint;

/// A path as it may be asked for.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "x"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn every_row_of_the_control_plane_is_described_and_nothing_else_is() {
    let described = |method: &Method, pattern: &str| {
        let found = ALL.iter().find(|one| {
            let path = match one.path.rsplit_once('/') {
                Some((start, last)) if last.starts_with('{') => format!("{start}/*"),
                _ => one.path.to_owned(),
            };
            path == pattern && one.method == method.as_str()
        });
        found.is_some()
    };
    for row in ROWS {
        assert!(
            described(&row.method, row.path),
            "{} {} has no row in openapi/operations.rs",
            row.method,
            row.path
        );
    }
    for one in ALL.iter().filter(|one| one.path.starts_with("/internal")) {
        let method = one.method.parse().unwrap();
        let found = crate::internal::routes::find(&method, &filled(one.path));
        assert!(found.is_ok(), "{} {} is served", one.method, one.path);
    }
}

#[test]
fn every_endpoint_is_described_by_the_methods_that_it_takes() {
    let takes = |method: &str, path: &str| {
        let request = http::Request::builder().method(method).uri(path).body(());
        target::endpoint(&request.unwrap().into_parts().0, Serve::ALL).is_ok()
    };
    for one in ALL {
        let path = filled(one.path);
        assert!(
            takes(one.method, &path),
            "{} {} is served",
            one.method,
            one.path
        );
    }
    let open = [Endpoint::Internal, Endpoint::Other];
    for endpoint in Endpoint::ALL.into_iter().filter(|one| !open.contains(one)) {
        let mut rows = ALL
            .iter()
            .filter(|one| Endpoint::from_path(&filled(one.path)) == endpoint)
            .peekable();
        let first = rows.peek().map(|one| filled(one.path));
        let first = first.unwrap_or_else(|| panic!("{endpoint:?} is described"));
        let described: Vec<&str> = rows.map(|one| one.method).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if takes(method, &first) {
                assert!(described.contains(&method), "{method} {first} is described");
            }
        }
    }
}

/// All references in a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "$ref" => found.push(text),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_shape_is_used() {
    let document = made();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads somewhere"
        );
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let reference = format!("#/components/schemas/{name}");
        assert!(found.contains(&reference.as_str()), "{name} is used");
    }
    let ids: std::collections::BTreeSet<String> = ALL.iter().map(Operation::id).collect();
    assert_eq!(ids.len(), ALL.len(), "ids are unique");
}
