"""Live captions of all calls in a terminal, over server-sent events: words appear as they are said, and settle when the caller pauses."""
import http.client, json, os, shutil, sys, time, urllib.error, urllib.request

URL = os.environ.get("BRIDGE_URL", "http://127.0.0.1:8080") + "/v1/events?types=transcript.interim,utterance.final,call.ended"
TOKEN = os.environ.get("BRIDGE_API_TOKEN", "")  # not needed by a bridge on this machine that has none
SILENCE = 60  # seconds; bridge sends a heartbeat every fifteen, so the connection is dead
live = sys.stdout.isatty()

def show(text, settled=True):
    text = "".join(c if c.isprintable() else " " for c in text)  # speech must not contain terminal escape sequences
    if live and not settled:
        print("\r\x1b[K" + text[:(shutil.get_terminal_size().columns or 80) - 1], end="", flush=True)
    else:
        print("\r\x1b[K" + text if live else text, flush=True)

def caption(kind, data):
    call = data["call"]["id"][-6:]
    if kind == "transcript.interim":
        show(f"{call} {data['speaker']}: {data['text']} …", settled=False)
    elif kind == "utterance.final":
        show(f"{call} {data['utterance']['speaker']}: {data['utterance']['text']}")
    elif kind == "call.ended":
        show(f"{call} -- {data['reason']}")

class Stream:
    """Server-sent events, as the HTML standard describes them; those that are stored have an id, from which a new connection goes on."""
    last_id, retry = "", 2.0

    def connect(self):
        request = urllib.request.Request(URL, headers={"Accept": "text/event-stream"})
        if TOKEN:
            request.add_header("Authorization", "Bearer " + TOKEN)
        if self.last_id:
            request.add_header("Last-Event-ID", self.last_id)
        return urllib.request.urlopen(request, timeout=SILENCE)

    def messages(self, response):
        identity, data = self.last_id, []
        for line in response:
            field, _, value = line.decode().rstrip("\r\n").partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                identity = value
            elif field == "data":
                data.append(value)
            elif field == "retry" and value.isdecimal():
                self.retry = int(value) / 1000
            elif line.isspace():  # an empty line ends a message; what is not complete when the connection breaks comes again
                self.last_id = identity
                if data:
                    yield json.loads("\n".join(data))
                data = []

    def follow(self):
        while True:
            try:
                with self.connect() as response:
                    show("watching " + URL)
                    yield from self.messages(response)
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code != 429:
                    sys.exit(f"{URL} answered {error.code}: {error.read().decode(errors='replace')}")
            except (OSError, http.client.HTTPException):
                pass  # lost: come back
            time.sleep(self.retry)

try:
    for event in Stream().follow():
        caption(event["type"], event["data"])
except KeyboardInterrupt:
    pass
