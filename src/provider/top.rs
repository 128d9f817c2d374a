//! Where the members of a JSON body's outermost object stand.
//!
//! Decides nothing: it counts brackets and skips strings. The body has been read and judged
//! before, so it is JSON in which no member comes twice; of anything else this finds nothing, or
//! something of no meaning, but never panics.

use std::ops::Range;

use serde_json::Value;

/// Where the value of a top-level member stands, without the white space around it.
pub(crate) fn value_of(body: &[u8], name: &str) -> Option<Range<usize>> {
    let (mut depth, mut at) = (0_usize, 0_usize);
    let mut key: Option<Range<usize>> = None;
    let mut value: Option<usize> = None;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(body, at)?;
                if depth == 1 && value.is_none() {
                    key = Some(at..end);
                }
                at = end;
                continue;
            }
            b':' if depth == 1 => value = at.checked_add(1),
            b',' | b'}' if depth == 1 => {
                if let (Some(key), Some(value)) = (key.take(), value.take())
                    && says(body, key, name)
                {
                    return trimmed(body, value..at);
                }
                if *byte == b'}' {
                    return None;
                }
            }
            b'{' | b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at = at.checked_add(1)?;
    }
    None
}

/// Whether a key is this name, however it is escaped.
fn says(body: &[u8], key: Range<usize>, name: &str) -> bool {
    let text = body.get(key).unwrap_or_default();
    if text.contains(&b'\\') {
        return serde_json::from_slice::<String>(text).is_ok_and(|key| key == name);
    }
    text.get(1..text.len().saturating_sub(1)) == Some(name.as_bytes())
}

fn trimmed(body: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let value = body.get(range.clone())?;
    let before = value.len().checked_sub(value.trim_ascii_start().len())?;
    let behind = value.len().checked_sub(value.trim_ascii_end().len())?;
    let start = range.start.checked_add(before)?;
    let end = range.end.checked_sub(behind)?;
    (start < end).then_some(start..end)
}

/// Where the text that begins here ends, its closing quote included.
fn end_of_text(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start.checked_add(1)?;
    loop {
        let step = memchr::memchr2(b'"', b'\\', body.get(at..)?)?;
        at = at.checked_add(step)?;
        match body.get(at)? {
            b'"' => return at.checked_add(1),
            _escape => at = at.checked_add(2)?,
        }
    }
}

/// The body with this member, in the place of one of its name or at its end; none: it is no
/// object.
pub(crate) fn with_member(body: &[u8], name: &str, value: &Value) -> Option<Vec<u8>> {
    if let Some(place) = value_of(body, name) {
        return replaced(body, place, value.to_string().as_bytes());
    }
    let end = body.trim_ascii_end().len().checked_sub(1)?;
    let before = body.get(..end)?.trim_ascii_end();
    if body.get(end) != Some(&b'}') || body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let comma = if before.last() == Some(&b'{') {
        ""
    } else {
        ","
    };
    let member = format!("{comma}{}:{value}", Value::from(name));
    replaced(body, end..end, member.as_bytes())
}

/// The body with other bytes in the place of these.
pub(super) fn replaced(body: &[u8], place: Range<usize>, with: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len().saturating_add(with.len()));
    out.extend_from_slice(body.get(..place.start)?);
    out.extend_from_slice(with);
    out.extend_from_slice(body.get(place.end..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\],: ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-d\"\\\\]{1,2}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_member_is_found_where_it_stands(value in json(), pretty: bool) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let Value::Object(members) = &value else { return Ok(()) };
            for (name, member) in members {
                let place = value_of(text.as_bytes(), name).unwrap();
                let found: Value = serde_json::from_str(text.get(place).unwrap()).unwrap();
                prop_assert_eq!(&found, member);
            }
            prop_assert_eq!(value_of(text.as_bytes(), "zz"), None);
        }

        #[test]
        fn a_member_is_put_in_or_replaced_and_all_else_stays(value in json(), pretty: bool) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let mut wanted = value;
            let put = with_member(text.as_bytes(), "a", &Value::from("x\"y"));
            let Some(members) = wanted.as_object_mut() else {
                prop_assert_eq!(put, None);
                return Ok(());
            };
            members.insert("a".to_owned(), Value::from("x\"y"));
            let put: Value = serde_json::from_slice(&put.unwrap()).unwrap();
            prop_assert_eq!(put, wanted);
        }

        #[test]
        fn nothing_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = value_of(&body, "a");
            let _ = with_member(&body, "a", &Value::Null);
        }
    }
}
