"""A phone menu, by voice or keys: a webhook whose answers steer the call."""
import base64, hashlib, hmac, json, os, re, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ.get("WEBHOOK_SECRET", "").removeprefix("whsec_")) or sys.exit("set WEBHOOK_SECRET to that of bridge")
DESKS = {"sales": os.environ.get("SALES_NUMBER", "+15550100011"), "support": os.environ.get("SUPPORT_NUMBER", "+15550100012")}
seen = {}  # the highest sequence of each call that is up
lock = threading.Lock()

def say(text):
    return {"type": "say", "text": text}

def menu(name, greeting):  # the listen comes first, so that a key counts while the text is being said
    keys = {"type": "listen", "id": name, "gather": {"max_digits": 1, "timeout_ms": 10000}}
    return [keys, say(greeting + " Say sales or press 1, say support or press 2, say goodbye or press 3.")]

def choose(said):
    match = re.search(r"\b(sales|1|support|2|goodbye|3)\b", said.lower())
    choice = match and {"1": "sales", "2": "support", "3": "goodbye"}.get(match[1], match[1])
    if choice in DESKS:
        return [say(f"I connect you with {choice}."), {"type": "transfer", "id": "transfer", "to": DESKS[choice]}]
    if choice == "goodbye":
        return [say("Goodbye."), {"type": "hangup"}]
    return menu("menu", "Sorry, I did not understand.")

def answer(kind, data):
    if kind == "call.started":
        return menu("menu", "Welcome.")
    if kind == "utterance.final" and data["utterance"]["speaker"] == "caller":
        return choose(data["utterance"]["text"])
    if kind == "digits.gathered" and data["ended_by"] in ("max_digits", "terminator"):
        return choose(data["digits"])
    if kind == "digits.gathered" and data["ended_by"] == "timeout":
        return choose("goodbye") if data["action_id"] == "again" else menu("again", "Are you still there?")
    if kind == "action.failed" and data.get("action_id") == "transfer":
        return menu("menu", "Sorry, nobody could be reached.")
    return []

def verified(headers, body):  # as https://www.standardwebhooks.com says
    stamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", stamp) or abs(time.time() - int(stamp)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    want = b"v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256))
    return any(hmac.compare_digest(want, given.encode()) for given in headers.get("webhook-signature", "").split())

def receive(headers, body):
    if not verified(headers, body):
        return 401, {"error": "the signature is wrong"}
    event = json.loads(body)
    kind, data, call = event["type"], event["data"], event["data"]["call"]["id"]
    with lock:  # the same event may come again: it is answered, and nothing is done
        repeat = data["sequence"] <= seen.get(call, 0)
        seen[call] = max(data["sequence"], seen.get(call, 0))
        if kind == "call.ended":
            del seen[call]
    actions = [] if repeat else answer(kind, data)
    line = f"{call} {kind} -> {[a['type'] for a in actions]} {data.get('reason', '')}"
    print("".join(c if c.isprintable() else " " for c in line), flush=True)  # foreign text must not steer a terminal
    return 200, {"actions": actions}

class Webhook(BaseHTTPRequestHandler):
    protocol_version, timeout, disable_nagle_algorithm = "HTTP/1.1", 30, True  # connections are kept, for 30 s
    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        status, reply = receive(self.headers, self.rfile.read(length) if 0 <= length <= 1 << 20 else b"")
        self.close_connection = status != 200
        self.send_response(status)
        self.send_header("content-length", str(len(json.dumps(reply))))
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())
    def log_request(self, *_):
        pass

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Webhook)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
