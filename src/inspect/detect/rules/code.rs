//! Dangerous code in prompts: what runs commands, loads code or destroys data.
//!
//! Decides the points by the scale of `detect::injection`: what every programmer
//! pastes (`eval(`, `subprocess.run`) is weak, what only an intruder types is strong,
//! what no one types for another reason is unmistakable.

use crate::inspect::detect::injection::{MEDIUM, STRONG, UNMISTAKABLE, WEAK};
use crate::inspect::detect::{Family, Group, Rule};

const fn code(id: &'static str, kind: &'static str, points: u16) -> Rule {
    Rule::new(id, Family::CodePatterns, kind).worth(points, Group::Payload)
}

/// The rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    code("code.eval.call", "dynamic_eval", WEAK)
        .literals(&["eval(", "exec(", "execfile(", "new function("]),
    code("code.eval.of-input", "dynamic_eval", STRONG)
        .literals(&["eval(", "exec(", "assert("])
        .reach(0, 64)
        .pattern(
            r"(?:eval|exec|assert)\(\s?(?:compile\(\s?)?(?:input\(|raw_input\(|request[.\[]|req\.(?:body|query|params)|\$_(?:get|post|request|cookie)|base64|atob\(|unescape\(|decodeuri|bytes\.fromhex|codecs\.decode|zlib|gzinflate|str_rot13|urlopen|requests\.get|fetch\(|__import__)",
        ),
    code("code.eval.import-trick", "dynamic_eval", MEDIUM).literals(&["__import__("]),
    code("code.python.sandbox-escape", "sandbox_escape", STRONG).literals(&[
        "__subclasses__()", "__builtins__[", "__globals__[", "__class__.__~", "gi_frame.f_~",
    ]),
    code("code.command.call", "command_execution", WEAK).literals(&[
        "os.system(", "os.popen(", "subprocess.~", "shell_exec(", "passthru(", "proc_open(",
        "child_process", "execsync(", "processbuilder(", "shell=true",
    ]),
    code("code.command.of-input", "command_execution", STRONG)
        .literals(&["system(", "popen(", "shell_exec(", "passthru("])
        .reach(0, 48)
        .pattern(r"(?:system|popen|shell_exec|passthru)\(\s?(?:input\(|request[.\[]|req\.(?:body|query|params)|\$_(?:get|post|request|cookie)|base64|sys\.argv|params\[)"),
    code("code.command.hostile", "command_execution", STRONG)
        .literals(&["system(", "popen(", "subprocess.~", "exec(", "execsync(", "shell_exec(", "spawn("])
        .reach(0, 72)
        .pattern(
            r"[a-z_.]{0,20}\(\s?\[?\s?[\\'\x22`]{1,3}\s?(?:whoami|cat /etc|rm -rf /|curl http|wget http|nc -|bash -i|/bin/(?:ba)?sh|net user|powershell|cmd(?:\.exe)? /c|mkfs|dd if)",
        ),
    code("code.node.escape", "sandbox_escape", STRONG).literals(&[
        "process.mainmodule.r~", "process.binding(", "constructor.constructor(",
    ]),
    code("code.java.runtime-exec", "command_execution", MEDIUM).literals(&["getruntime().exec("]),
    code("code.deserialize.load", "unsafe_deserialization", WEAK).literals(&[
        "pickle.loads(", "marshal.loads(", "yaml.unsafe_load(", "objectinputstream(",
    ]),
    code("code.deserialize.gadget", "unsafe_deserialization", STRONG)
        .literals(&["__reduce__", "!!python/object/~", "cos system", "ysoserial"])
        .reach(0, 120)
        .pattern(r"__reduce__[^#]{0,80}(?:system|popen|exec|subprocess|eval)|!!python|cos\ssystem|ysoserial"),
    code("code.deserialize.user-input", "unsafe_deserialization", STRONG).literals(&[
        "unserialize($_~", "pickle.loads(request~", "pickle.loads(base64~",
    ]),
    code("code.php.webshell", "web_shell", STRONG)
        .literals(&["$_get", "$_post", "$_request", "$_cookie"])
        .reach(32, 0)
        .pattern(r"(?:system|exec|passthru|shell_exec|eval|assert|popen|proc_open|include|require)(?:_once)?\s?\(?\s?@?(?:base64_decode\()?[\x22']?\$_(?:get|post|request|cookie)"),
    code("code.powershell.encoded", "encoded_command", STRONG)
        .literals(&["powershell"])
        .reach(0, 160)
        .pattern(r"powershell(?:\.exe)?[^|;]{0,120} -(?:e|en|enc|enco|encodedcommand|ec) ?[a-z0-9+/=]{16}"),
    code("code.powershell.download", "download_and_run", STRONG).literals(&[
        "iex (new-~", "iex(new-~", "iex (iwr", "iex(iwr", "~| iex", "~|iex", "invoke-mimikatz",
        ".downloadstring(",
    ]),
    code("code.powershell.stealth", "download_and_run", STRONG).literals(&[
        "-windowstyle hid~", "-w hidden", "-nop -w", "set-mppreference -d~", "amsiinitfailed",
        "amsiutils",
    ]),
    code("code.shell.wipe", "destructive", UNMISTAKABLE)
        .literals(&["rm -~", "--no-preserve-root"])
        .reach(0, 48)
        .pattern(r"rm (?:-[a-z]+ )*-(?:[a-z]*r[a-z]*f|[a-z]*f[a-z]*r)[a-z]* (?:--no-preserve-root )?[\x22']?(?:/(?:\*|[\s;\x22'&|)`\\]|$)|~/?(?:[\s;\x22'&|)`\\]|$)|\$home\b|/(?:etc|usr|var|home|boot|bin)/?(?:[\s;*\x22'&|)`\\]|$))|--no-preserve-root"),
    code("code.shell.wipe-disk", "destructive", STRONG).literals(&[
        "of=/dev/sd~", "of=/dev/nvme~", "of=/dev/hd~", "of=/dev/vd~", "> /dev/sd~", ">/dev/sd~",
        "mkfs.ext4 /dev~", "shred /dev~",
    ]),
    code("code.shell.fork-bomb", "destructive", UNMISTAKABLE).literals(&[
        ":(){ :|:~", ":(){:|:~", ":() { :|:~", "while true: os.fork()", "%0|%0",
    ]),
    code("code.shell.pipe-to-shell", "download_and_run", MEDIUM)
        .literals(&["~| sh", "~| bash", "~|bash", "~| sudo bash", "~| sudo sh", "~| zsh"])
        .reach(160, 0)
        .pattern(r"(?:curl|wget)\s[^|;]{4,140}\|\s?(?:sudo )?(?:ba|z|da)?sh"),
    code("code.shell.pipe-from-nowhere", "download_and_run", STRONG)
        .literals(&["~| sh", "~| bash", "~|bash", "~| sudo bash", "~| sudo sh"])
        .reach(160, 0)
        .pattern(r"(?:curl|wget)\s[^|;]{0,40}(?:http://|[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|pastebin)[^|;]{0,100}\|"),
    code("code.shell.decode-to-shell", "encoded_command", STRONG)
        .literals(&["base64 -d", "base64 --decode", "base64 -di", "xxd -r"])
        .reach(0, 40)
        .pattern(r"[a-z0-9]{3,6} -[^|;]{1,16}\|\s?(?:sudo )?(?:ba|z|da)?sh\b"),
    code("code.shell.reverse", "reverse_shell", UNMISTAKABLE).literals(&[
        "bash -i >&", "sh -i >&", "sh -i 2>&1", "nc -e /bin/~", "ncat -e /bin/~", "nc -c /bin/~",
        "rm /tmp/f;mkfifo", "rm /tmp/f; mkfifo", "0>&1 /dev/tcp/~",
    ]),
    code("code.shell.reverse-part", "reverse_shell", STRONG).literals(&[
        "/dev/tcp/", "/dev/udp/", "nc -lvp", "nc -nlvp", "nc -lvnp", "exec:/bin/sh", "msfvenom",
        "meterpreter",
    ]),
    code("code.shell.reverse-socket", "reverse_shell", STRONG)
        .literals(&["os.dup2(", "fsockopen(", "tcpsocket.open(", "net.sockets.tcpclient", "pty.spawn("])
        .reach(120, 200)
        .pattern(r"(?:/bin/(?:ba)?sh|cmd\.exe|invoke-expression|\biex\b)"),
    code("code.credential.theft", "credential_access", STRONG).literals(&[
        "cat /etc/shadow", "mimikatz", "sekurlsa::~", "lsadump::~", "reg save hklm~", "ntds.dit",
        "-ma lsass", ">> ~/.ssh/auth~", ">> /root/.ssh/~", "cat ~/.ssh/id~", "cat ~/.aws/cred~",
    ]),
    code("code.persistence.cover", "persistence", STRONG).literals(&[
        "vssadmin delete", "wbadmin delete", "net localgroup admin~", "chmod u+s /bin~",
        "chmod 4755 /bin~", "history -c &&", "> ~/.bash_history",
    ]),
    code("code.persistence.loose-permissions", "persistence", WEAK).literals(&[
        "chmod 777", "chmod -r 777", "iptables -f", "setenforce 0", "/etc/sudoers",
    ]),
    code("code.exfiltration.curl-file", "exfiltration", STRONG)
        .literals(&["curl "])
        .reach(0, 160)
        .pattern(r"curl [^|;]{0,120}(?:-d|--data(?:-binary)?|-f|-t|--upload-file) ?[\x22']?(?:[a-z]{1,12}=)?@?(?:/etc/|~/\.ssh|~/\.aws|/root/|\.env\b|\$\((?:cat|env|whoami|base64))"),
    code("code.asked.run-it", "asked_to_run", STRONG)
        .literals(&["whoami", "cat /etc/passwd", "sudo su", "rm -rf", "cat /etc/shadow"])
        .reach(32, 0)
        .pattern(r"(?:^|[^a-z])(?:execute|run|eval|exec|perform)(?: this| the| command| shell| code){0,3}\s?:\s?[`'\x22$]{0,3}\s?(?:whoami|cat|sudo|rm)"),
];
