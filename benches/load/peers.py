"""What the measuring scripts share: bodies, peers, one run of oha, and the checks before all."""

import argparse
import json
import random
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

PATH = "/v1/chat/completions"
CONNECTIONS = 32
# Peers that must turn away a wrong key, or they are not doing what they are compared for.
KEYED = ("nginx", "portcullis-off", "portcullis")
WORDS = (
    "the of and to a in that it is was for on are with as they be at one have this from or had by "
    "hot but some what there we can out other were all your when up use word how said an each she "
    "which do their time if will way about many then them would write like so these her long make "
    "thing see him two has look more day could go come did my sound no most number who over know "
    "water than call first people may down side been now find any new work part take get place café "
    "naïve façade – “quoted” \"plain\""
).split()


class Peer:
    """A proxy under test; `pid` is none for direct."""

    def __init__(self, text):
        name, port, pid = text.split(":")
        self.name, self.port, self.pid = name, int(port), int(pid) or None


def arguments(description):
    """The options that both scripts take from load.sh."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--oha", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--mock", type=lambda text: Peer("mock:" + text), required=True)
    parser.add_argument("--peer", type=Peer, action="append", dest="peers", required=True)
    return parser


def prose(rng, length):
    """About `length` characters of plain sentences, with the escapes that chats have."""
    words, size = [], 0
    while size < length:
        words.append(rng.choice(WORDS) + rng.choice(["", "", "", "", "", ",", ".", ".\n"]))
        size += len(words[-1]) + 1
    return " ".join(words)[:length]


def chat(size, stream=False):
    """A chat request of exactly `size` bytes: messages first and model last, as SDKs write it."""
    rng = random.Random(size)

    def encode(messages):
        whole = {"messages": messages, "temperature": 0.7, "stream": stream, "model": "gpt-mock"}
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()

    messages = [{"role": "system", "content": "You are a helpful assistant. Answer briefly."}]
    while True:
        role = "assistant" if messages[-1]["role"] == "user" else "user"
        left = size - len(encode(messages + [{"role": role, "content": ""}]))
        if left <= 0:
            break
        content = prose(rng, min(left, 2000))
        while len(encode(messages + [{"role": role, "content": content}])) > size:
            content = content[:-1]
        messages.append({"role": role, "content": content})
    body = encode(messages)
    messages[-1]["content"] += "." * (size - len(body))
    body = encode(messages)
    assert len(body) == size, (len(body), size)
    return body


def post(port, key, body, path=PATH, seconds=30):
    """One request: status and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method="POST")
    request.add_header("content-type", "application/json")
    request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def check(options):
    """Each peer passes a right request, and those that check keys refuse a wrong one."""
    for peer in options.peers:
        for size in options.sizes:
            status, body = post(peer.port, options.key, chat(size * 1024))
            if status != 200 or b"chat.completion" not in body:
                raise SystemExit(f"{peer.name} answered {status} to {size} KB: {body[:300]!r}")
        status, _ = post(peer.port, "pc-wrong", chat(1024))
        if peer.name in KEYED and status != 401:
            raise SystemExit(f"{peer.name} answered {status} to a wrong key")


def oha(options, peer, size, requests, seconds=180):
    """`requests` of `size` KB by oha; its report, with `failed` counted."""
    body = options.dir / f"body-{size}"
    if not body.exists():
        body.write_bytes(chat(size * 1024))
    command = [
        options.oha, "--no-tui", "--output-format", "json", "--worker-threads", "1",
        "-n", str(requests), "-c", str(CONNECTIONS), "-t", "30s", "-m", "POST",
        "-T", "application/json", "-H", f"authorization: Bearer {options.key}",
        "-D", str(body), f"http://127.0.0.1:{peer.port}{PATH}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=seconds, check=True)
    report = json.loads(done.stdout)
    report["failed"] = requests - report["statusCodeDistribution"].get("200", 0)
    return report
