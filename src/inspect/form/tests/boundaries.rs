//! Which boundary a content type names.

use super::super::boundary_of;

#[test]
fn a_boundary_is_read_as_rfc_2046_has_it() {
    let longest = "x".repeat(70);
    let cases = [
        ("multipart/form-data; boundary=abc", Some("abc")),
        ("multipart/form-data;boundary=abc", Some("abc")),
        ("Multipart/Form-Data ; BOUNDARY=abc ", Some("abc")),
        ("multipart/form-data; boundary=\"a b?c\"", Some("a b?c")),
        (
            "multipart/form-data; charset=utf-8; boundary=abc",
            Some("abc"),
        ),
        ("multipart/form-data; boundary=abc;", Some("abc")),
        (
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            Some("----WebKitFormBoundary7MA4YWxkTrZu0gW"),
        ),
        (
            "multipart/form-data; boundary=\"=_'()+,-./:?\"",
            Some("=_'()+,-./:?"),
        ),
        (
            &format!("multipart/form-data; boundary={longest}"),
            Some(&longest),
        ),
        (&format!("multipart/form-data; boundary={longest}x"), None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"\"", None),
        ("multipart/form-data", None),
        ("multipart/form-data; charset=utf-8", None),
        ("multipart/mixed; boundary=abc", None),
        ("application/json; boundary=abc", None),
        ("", None),
        // Read as `a` by some, as `b` by others.
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/form-data; boundary=a; Boundary=a", None),
        ("multipart/form-data; boundary=\"a\\\"b\"", None),
        ("multipart/form-data; boundary=\"a\\b\"", None),
        ("multipart/form-data; boundary=\"a", None),
        ("multipart/form-data; boundary=\"a\"b", None),
        ("multipart/form-data; boundary=a b", None),
        ("multipart/form-data; boundary =a", None),
        ("multipart/form-data; boundary= a", None),
        ("multipart/form-data; boundary=a=b", None),
        ("multipart/form-data; boundary=a,b", None),
        ("multipart/form-data; boundary=\"a \"", None),
        ("multipart/form-data; boundary=\"a\tb\"", None),
        ("multipart/form-data; boundary=\"é\"", None),
        ("multipart/form-data, boundary=a", None),
        ("multipart/form-data boundary=a", None),
    ];
    for (value, wanted) in cases {
        let found = boundary_of(value.as_bytes());
        let found = found.as_ref().map(super::super::Boundary::as_str);
        assert_eq!(found, wanted, "{value}");
    }
    assert_eq!(
        boundary_of(b"multipart/form-data; boundary=\xff"),
        None,
        "not even text"
    );
}
