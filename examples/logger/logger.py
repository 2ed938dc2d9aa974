"""A transcript logger: a webhook that keeps each finished call's transcript in a file of its own."""
import base64, hashlib, hmac, json, os, re, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

KEY = base64.b64decode(os.environ.get("WEBHOOK_SECRET", "").removeprefix("whsec_")) or sys.exit("set WEBHOOK_SECRET to that of bridge")
FOLDER = Path(os.environ.get("TRANSCRIPTS", "transcripts"))
lock = threading.Lock()

def verified(headers, body):  # as https://www.standardwebhooks.com says
    stamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", stamp) or abs(time.time() - int(stamp)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    want = b"v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256))
    return any(hmac.compare_digest(want, given.encode()) for given in headers.get("webhook-signature", "").split())

def clock(ms):
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"

def one_line(text):
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())

def transcript(event):
    data, call = event["data"], event["data"]["call"]
    yield f"# sequence {data['sequence']}"
    yield f"# call {one_line(call['id'])} from {one_line(call['from']) or '?'} to {one_line(call['to']) or '?'}"
    yield f"# ended {event['timestamp']} after {clock(data['duration_ms'])}: {data['reason']}"
    for line in data["transcript"]:
        yield f"[{clock(line['start_ms'])}] {line['speaker']}: {one_line(line['text'])}"
    if "transcript_url" in data:  # too long for an event
        yield f"see {data['transcript_url']}"

def keep(event):
    """Writes the file, unless there is one of this event, or of a later one of the call: it may come again."""
    file = FOLDER / (quote(event["data"]["call"]["id"], safe="")[:200] + ".txt")
    with lock:
        if file.exists() and int(file.read_text("utf-8").split(None, 3)[2]) >= event["data"]["sequence"]:
            return print(file, "is there already", flush=True)
        part = file.with_suffix(".part")
        with open(part, "w", encoding="utf-8") as out:  # a crash leaves the old file or the new one, never half of one
            out.writelines(line + "\n" for line in transcript(event))
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, file)
    print(file, flush=True)

class Webhook(BaseHTTPRequestHandler):
    protocol_version, timeout, disable_nagle_algorithm = "HTTP/1.1", 30, True  # connections are kept, for 30 s
    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length) if 0 <= length <= 1 << 20 else b""
        genuine = verified(self.headers, body)
        if genuine and (event := json.loads(body))["type"] == "call.ended":
            keep(event)  # before the answer: what is answered 204 is never sent again
        self.close_connection = not genuine
        self.send_response(204 if genuine else 401)
        if not genuine:
            self.send_header("content-length", "0")
        self.end_headers()
    def log_request(self, *_):
        pass

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Webhook)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
