"""Aldea's streaming quickstart in Python: stream a file, print the finals.

Usage: quickstart.py WS_URL API_KEY AUDIO_FILE. It does what the published sample does: the key as a bearer
token, the file whole, header and all, in pieces of 4096 bytes as fast as they go, then CloseStream.
"""

import asyncio
import json
import sys

import websockets

WS_URL, API_KEY, AUDIO_FILE = sys.argv[1:]

# The parameter that the sample uses came with websockets 14. Before, it had another name.
HEADERS = "additional_headers" if int(websockets.__version__.split(".")[0]) >= 14 else "extra_headers"


async def stream():
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with websockets.connect(WS_URL, **{HEADERS: headers}) as ws:

        async def send_audio():
            with open(AUDIO_FILE, "rb") as f:
                while chunk := f.read(4096):
                    await ws.send(chunk)
            await ws.send(json.dumps({"type": "CloseStream"}))

        async def receive_transcripts():
            async for message in ws:
                data = json.loads(message)
                if data.get("type") == "Results" and data.get("is_final"):
                    transcript = data["channel"]["alternatives"][0]["transcript"]
                    if transcript:
                        print(transcript)

        await asyncio.gather(send_audio(), receive_transcripts())


asyncio.run(stream())
