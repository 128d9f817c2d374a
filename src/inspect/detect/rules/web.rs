//! Attacks on web applications, databases and hosts.
//!
//! Decides the points on *message content*, where HTML and SQL are everyday talk, by
//! the scale of `detect::injection`: a keyword alone is weak, what tutorials also show
//! is medium, a value that breaks out of its place is strong.

use crate::inspect::detect::injection::{MEDIUM, STRONG, UNMISTAKABLE, WEAK};
use crate::inspect::detect::{Family, Group, Rule};

const fn web(id: &'static str, kind: &'static str, points: u16) -> Rule {
    Rule::new(id, Family::WebAttacks, kind).worth(points, Group::Payload)
}

/// Event handlers that run without the user's doing.
#[rustfmt::skip]
const SELF_FIRING: &[&str] = &[
    "onerror", "onload", "onfocus", "ontoggle", "onmouse~", "onpointer~", "onanimation~",
    "ontransitionend", "onbegin", "onpageshow", "onhashchange", "onscroll", "onstart", "onwheel",
];
/// Those that everyday pages use.
#[rustfmt::skip]
const EVERYDAY: &[&str] = &["onclick", "onchange", "onsubmit", "onkeyup", "onkeydown", "onblur"];

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    web("web.xss.script-tag", "xss", WEAK).literals(&["<script"]),
    web("web.xss.script-body", "xss", STRONG)
        .literals(&["<script"])
        .reach(0, 180)
        .pattern(r"<script[^a-z][^<]{0,120}?(?:(?:alert|prompt|confirm)\s?[(`]\s?['\x22]?(?:\d|xss|document|string\.from|/)|string\.fromcharcode|src\s?=\s?['\x22]?data:|eval\(atob)"),
    web("web.xss.breakout", "xss", STRONG)
        .literals(&[
            "\"><script", "'><script", "\"><img", "'><img", "\"><svg", "'><svg", "\"><iframe",
            "'><iframe", "\"/><script", "</title><script", "</textarea><script", "--><script",
            "<<script",
        ])
        .reach(48, 0)
        .pattern(r"^[^<]{0,48}(?:['\x22]\s?/?><|</t|--><|<<)"),
    web("web.xss.handler", "xss", STRONG)
        .literals(SELF_FIRING)
        .reach(120, 96)
        .pattern(r"<[a-z!/?][^>]{0,120}[\s/\x22'`;]on[a-z]{3,24}\s?=\s?[\x22'`]?[^\x22'`{>]{0,60}(?:alert|prompt|confirm|eval|document\.|fetch\(|fromcharcode|import\(|javascript:|&#)"),
    web("web.xss.everyday-handler", "xss", MEDIUM)
        .literals(EVERYDAY)
        .reach(120, 96)
        .pattern(r"<[a-z][^>]{0,120}[\s/\x22'`;]on[a-z]{3,24}\s?=\s?[\x22'`]?[^\x22'`{>]{0,40}(?:alert\(\d|alert\(document|eval\(|document\.cookie|fromcharcode)"),
    web("web.xss.handler-breakout", "xss", STRONG)
        .literals(SELF_FIRING)
        .reach(56, 64)
        .pattern(r"^[^<>]{0,48}[\x22'`]\s?(?:[a-z]{2,12}\s)?on[a-z]{3,24}\s?=\s?[\x22'`]?[^\x22'`{>]{0,40}(?:alert|prompt|confirm|eval|document|fromcharcode|location)"),
    web("web.xss.script-url", "xss", STRONG)
        .literals(&["javascript:", "vbscript:", "data:text/html", "javascript&colon;", "java script:"])
        .reach(0, 64)
        .pattern(r"(?:java\s?script|vbscript)\s?(?::|&colon;)[^a-z]{0,20}(?:alert|prompt|confirm|eval|document\.|window\.|string\.|msgbox|fetch|import)|data:text/html[;,][^\s]{0,40}(?:base64|<|%3c)"),
    web("web.xss.dialog", "xss", MEDIUM).literals(&[
        "alert(1)", "alert(document", "alert('xss", "alert(\"xss", "alert`1`", "confirm(1)",
        "prompt(1)", "alert(string.from",
    ]),
    web("web.xss.cookie", "xss", WEAK).literals(&["document.cookie"]),
    web("web.xss.cookie-theft", "xss", STRONG)
        .literals(&["document.cookie"])
        .reach(96, 0)
        .pattern(r"(?:location|\.src|src\s?=|fetch\(|image\(|sendbeacon\(|open\()[^<]{0,80}document\.cookie"),
    web("web.xss.odd-markup", "xss", STRONG).literals(&[
        "<svg/onload", "<svg onload=", "<img src=x on~", "<img/src=", "-moz-binding:",
        "+adw-script", "autofocus onfocus=",
    ]),
    web("web.xss.escaped-markup", "xss", MEDIUM).literals(&[
        "%3cscript", "\\x3cscript", "%3csvg", "&lt;script&gt;alert",
    ]),
    web("web.sqli.union", "sqli", WEAK).literals(&["union select", "union all select"]),
    web("web.sqli.union-columns", "sqli", STRONG)
        .literals(&[
            "union select", "union all select", "union distinct select", "union(select",
            "union/*~", "union+~", "union%20~",
        ])
        .reach(24, 72)
        .pattern(r"union(?:[\s+(!*/]|%20){1,8}(?:all|distinct)?(?:[\s+(!*/]|%20){0,6}select(?:[\s+(!*/]|%20){1,6}(?:(?:(?:null|-?\d{1,4})\s?,\s?){2}|@@|char\(|chr\(|concat\(|group_concat|user\(|version\(|database\(|load_file|0x)|^[^\s]{0,16}['\x22]\s?\)*\s?union\s(?:all\s)?select|^-?\d{1,8}\s?\)*\sunion\s(?:all\s)?select|union/\*"),
    web("web.sqli.tautology", "sqli", STRONG)
        .literals(&[
            "or 0~", "or 1~", "or 2~", "or 3~", "or 4~", "or 5~", "or 7~", "or 9~", "or '~",
            "or \"~", "or true", "or exists", "or sleep(", "or ('~", "or (1~", "and 0~", "and 1~",
            "and 2~", "and 3~", "and 4~", "and 5~", "and 7~", "and 9~", "and '~", "and \"~",
            "and sleep(", "and exists", "and (1~", "and substr~", "and ascii(", "~'||'~",
            "~' || '~",
        ])
        .reach(28, 40)
        .pattern(r"(?:['\x22]\s?|^-?\d{1,8}\s?|^)\)*\s?(?:or|and|\|\||&&|xor|having)[\s(+!]{0,4}(?:not\s)?(?:['\x22][^'\x22]{0,12}['\x22]\s?(?:=|like|<|>)\s?['\x22(]|\(*\d{1,6}\)*\s?(?:=|<|>|like|between)\s?\(*['\x22]?\d|true\s?(?:--|#|$)|['\x22]{2}\s?=|(?:exists|sleep|benchmark|substr(?:ing)?|ascii|length)\s?\()"),
    web("web.sqli.quote-comment", "sqli", STRONG)
        .literals(&[
            "~' --~", "~'-- ~", "~'--+~", "~';--~", "~'; --~", "~')--~", "~') --~", "~\" --~",
            "admin'--~", "admin'#~", "admin'/*~", "admin\"--~", "admin\"#~",
        ])
        .at_end()
        .reach(64, 8)
        .pattern(r"^[^\s]{0,24}(?:\s[^\s]{0,16}){0,3}['\x22]\s?\)*\s?;?\s?(?:--|#|/\*)[\s+-]{0,4}$"),
    web("web.sqli.stacked", "sqli", STRONG)
        .literals(&[
            "~;drop ~", "~; drop ~", "~;delete ~", "~; delete ~", "~;insert ~", "~; insert ~",
            "~;update ~", "~; update ~", "~;shutdown", "~; shutdown", "~;exec~", "~; exec~",
            "~; waitfor", "~;waitfor", "~; truncate ~", "~;truncate ~",
        ])
        .reach(48, 64)
        .pattern(r"^[^;]{0,40}(?:['\x22]\s?\)*|\d)\s?;\s?(?:drop (?:table|database|user|view|schema)|insert into|delete from|update \w{1,32} set|shutdown|exec(?:ute)?[\s(]|declare @|waitfor|truncate table)|['\x22]\s?\)*\s?;\s?(?:drop (?:table|database)|shutdown|exec |truncate table)[^;]{0,40};?\s?(?:--|#)"),
    web("web.sqli.delay", "sqli", MEDIUM).literals(&[
        "waitfor delay", "pg_sleep(", "dbms_pipe.receive~", "dbms_lock.sleep",
    ]),
    web("web.sqli.delay-in-clause", "sqli", STRONG)
        .literals(&["sleep(", "pg_sleep(", "benchmark(", "waitfor delay"])
        .reach(24, 16)
        .pattern(r"(?:\b(?:and|or|xor)[\s(+]{1,3}|['\x22]\)*\s?[;+|]{0,2}\s?|^-?\d{1,6}\)*\s?;\s?)\(*(?:select[\s(]{1,2})?(?:sleep\(\s?\d|pg_sleep\(\s?\d|benchmark\(\s?\d{4}|waitfor delay)"),
    web("web.sqli.schema", "sqli", WEAK).literals(&[
        "information_schema", "sysobjects", "sqlite_master", "pg_catalog", "mysql.user",
        "pg_shadow",
    ]),
    web("web.sqli.engine-trick", "sqli", STRONG).literals(&[
        "exec xp_~", "master..xp_~", "utl_inaddr", "concat(0x~", "procedure analyse",
        "floor(rand(", "ascii(substr~", "xp_dirtree", "xp_regread", "sp_oacreate", "~'||(select",
        "~'+(select", "having 1=1", "load_file(0x~", "extractvalue(1~", "updatexml(1~",
        "and (select", "or (select", "~/*!50~",
    ]),
    web("web.sqli.engine-function", "sqli", MEDIUM).literals(&[
        "xp_cmdshell", "into outfile", "into dumpfile", "load_file(", "openrowset(", "utl_http.~",
    ]),
    web("web.sqli.fingerprint", "sqli", WEAK).literals(&[
        "@@version", "@@hostname", "@@datadir", "@@servername", "group_concat(",
    ]),
    web("web.sqli.column-count", "sqli", STRONG)
        .literals(&[
            "order by 1~", "order by 2~", "order by 3~", "order by 4~", "order by 5~",
            "order by 9~",
        ])
        .reach(40, 12)
        .pattern(r"(?:^[^\s]{0,24}['\x22]\s?\)*|^-?\d{1,8}\)*)\s?order by \d{1,3}"),
    web("web.traversal.target", "path_traversal", STRONG).literals(&[
        "~../etc/~", "~../windows/", "~..\\windows~", "~../boot.ini", "~..\\boot.ini",
        "~../win.ini", "~..\\win.ini", "~../proc/self", "~../var/log/", "~../web-inf",
        "~=/etc/~", "~=file:///~", "~=/proc/self", "~//etc/~",
    ]),
    web("web.traversal.deep", "path_traversal", STRONG).literals(&[
        "~../../../../../../..~", "~..\\..\\..\\..~", "~....//....//~", "~..;/..;/~",
        "~..//..//..//~", "~..././..././~",
    ]),
    web("web.traversal.encoded", "path_traversal", STRONG).literals(&[
        "~%2e%2e%2f~", "~%2e%2e/~", "~%2e%2e%5c~", "~..%2f~", "~..%5c~", "~%252e%252e~",
        "~..%252f~", "~..%255c~", "~%c0%ae~", "~%c0%af~", "~%c1%9c~", "~%uff0e~", "~..%u2215~",
        "~..%u2216~", "~.%2e/~",
    ]),
    web("web.traversal.sensitive-file", "path_traversal", WEAK).literals(&[
        "/etc/passwd", "/etc/shadow", "boot.ini", "/proc/self/~", ".aws/cred~", ".ssh/id_~",
        ".htpasswd",
    ]),
    web("web.traversal.null-byte", "path_traversal", MEDIUM).literals(&[
        "~%00.jpg", "~%00.png", "~%00.php", "~%00.htm~", "~%2500~",
    ]),
    web("web.command.chained", "command_injection", STRONG)
        .literals(&[
            "cat /etc/", "whoami", "uname -a", "nc -~", "/bin/sh", "/bin/bash", "ping -~",
            "nslookup", "net user", "ipconfig", "~; id~", "~&& id~",
        ])
        .reach(48, 24)
        .pattern(r"^[^\s]{0,40}\s?(?:[;|&]|\|\||&&|%0a|`)\s?(?:/usr)?(?:/bin/)?(?:cat /etc/|whoami|uname -a|id\s?(?:[;&]|$)|nc -|sh -|/bin/(?:ba)?sh|ping -[cn]|nslookup|net user|ipconfig)"),
    web("web.command.substituted", "command_injection", STRONG)
        .literals(&["$(whoami", "$(id)", "$(cat /~", "$(uname", "$(sleep ", "$(nslookup", "$(ping "])
        .reach(32, 0)
        .pattern(r"^[^\s]{0,32}\$\("),
    web("web.command.field-separator", "command_injection", STRONG).literals(&["${ifs}", "~$ifs$~"]),
    web("web.command.shellshock", "command_injection", UNMISTAKABLE)
        .literals(&["() { :;", "(){:;", "() {:;", "() { ignored;"]),
    web("web.command.include", "command_injection", STRONG)
        .literals(&["<!--#exec", "!!python/object/apply", "<esi:include"]),
    web("web.ssrf.metadata-host", "ssrf", MEDIUM).literals(&[
        "169.254.169.254", "metadata.google~", "100.100.100.200", "169.254.170.2", "fd00:ec2::~",
    ]),
    web("web.ssrf.metadata-path", "ssrf", MEDIUM)
        .literals(&["/latest/meta~", "/computemeta~", "/latest/user-~"]),
    web("web.ssrf.scheme", "ssrf", STRONG).literals(&[
        "gopher://127~", "gopher://localhost", "gopher://10.~", "gopher://192.~", "dict://127~",
        "dict://localhost", "ldap://127~", "netdoc:///", "jar:http~", "expect://", "php://filter",
        "data://text/~",
    ]),
    web("web.ssrf.disguised-host", "ssrf", STRONG).literals(&[
        "http://0x7f~", "http://2130706433", "http://[::ffff:~", "http://0177~", "http://0/",
        "http://127.1/", "http://127.1:~", "http://[::]~",
    ]),
    web("web.template.jndi", "template_injection", UNMISTAKABLE).literals(&[
        "${jndi:", "${${~", "${lower:j~", "jndi:ldap~", "jndi:rmi:", "jndi:dns:",
    ]),
    web("web.template.arithmetic", "template_injection", STRONG)
        .literals(&[
            "~{{7*7~", "~{{ 7*7~", "~{{ 7 * 7~", "~{{7*'7'~", "~${7*7~", "~${{7*7~", "~#{7*7~",
            "~*{7*7~", "~<%= 7*7~", "~<%=7*7~", "~@(7*7~", "~{{1+1}}~", "~{{2*2}}~", "~{{3*3}}~",
            "~{{5*5}}~", "~{{9*9}}~", "~${2*2}~", "~${3*3}~", "~${1+1}~",
        ]),
    web("web.template.objects", "template_injection", STRONG).literals(&[
        "__class__.__~", "__subclasses__()", "freemarker.template.u~", "t(java.lang.r~",
        "{{config}}", "{{config.items", "{{self.__~", "{{request.app~", "|attr(\"__~",
        "lipsum.__~", "cycler.__~", "{{constructor.~", "_self.env.", "@java.lang.r~",
        "#_memberaccess", "%{(#", "@ognl.", "class.module.c~",
    ]),
    web("web.xxe.entity", "xxe", STRONG)
        .literals(&["<!entity"])
        .reach(0, 96)
        .pattern(r"<!entity\s(?:%\s?)?\S{1,24}\s(?:(?:system|public)\s|['\x22](?:&\w{1,12};){2})"),
    web("web.xxe.include", "xxe", STRONG)
        .literals(&["<xi:include"])
        .reach(0, 80)
        .pattern(r"<xi:include[^>]{0,60}(?:file:|https?:|/etc/)"),
    web("web.nosql.operator", "nosqli", STRONG).literals(&[
        "[$ne]", "[$gt]", "[$regex]", "[$nin]", "[$where]",
    ]),
    web("web.nosql.always-true", "nosqli", MEDIUM).literals(&[
        "{\"$gt\":\"\"}", "{\"$gt\": \"\"}", "{\"$ne\":null}", "{\"$ne\": null}", "\"$where\":",
    ]),
    web("web.nosql.script", "nosqli", STRONG).literals(&[
        "~';return true", "~'; return true", "~';sleep(", "~'||'1'=='1", "~' && this.~",
    ]),
    web("web.ldap.filter", "ldap_injection", STRONG).literals(&[
        "*)(uid=~", "*)(|(~", "*)(&~", "*))%00", "*)(objectclass=~", "*)(cn=~", "*)(mail=~", ")(|(uid=~",
    ]),
    web("web.crlf.header", "crlf", STRONG).literals(&[
        "%0d%0aset-~", "%0aset-cookie", "%0d%0aloca~", "%0d%0acont~", "%0d%0a%0d~",
        "%e5%98%8d%e5%~", "\\r\\nset-cookie:", "%0d%0ahttp/~",
    ]),
    web("web.php.code", "php_injection", STRONG)
        .literals(&["<?php", "<?=system", "<?=`~", "<?=shell_exec"])
        .reach(0, 48)
        .pattern(r"<\?(?:php|=)\s?(?:@?(?:system|passthru|eval|exec|shell_exec|assert)\s?\(|phpinfo\(\)|echo\s(?:shell_exec|system|passthru)\()"),
    web("web.php.setting", "php_injection", MEDIUM)
        .literals(&["allow_url_include", "auto_prepend_file"]),
    web("web.java.gadget", "java_injection", STRONG).literals(&[
        "invokertransformer", "aced0005", "ro0abx~", "xworkmethoda~", "com.opensymphony.~",
        "templatesimpl", "ysoserial",
    ]),
    web("web.prototype.pollution", "prototype_pollution", STRONG).literals(&[
        "__proto__[", "[__proto__]", "\"__proto__\": {", "\"__proto__\":{", "constructor[prot~",
    ]),
];
