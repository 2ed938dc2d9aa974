#!/bin/sh
# Makes the golden files anew with SoX and FFmpeg: programs that share no line of code with ours.
set -eu
cd "$(dirname "$0")"
rm -f *.wav *.s16le *.ulaw *.alaw
sox="sox -D -R -V1" # no dither, the same random numbers each time, errors only

# A sweep over the telephone band, its two encodings, and those decoded again.
$sox -n -t raw -r 8000 -e signed -b 16 -c 1 sweep.s16le synth 1 sine 100-3900 gain -1
raw="-t raw -r 8000 -c 1"
$sox $raw -e signed -b 16 sweep.s16le $raw -e mu-law sweep.ulaw
$sox $raw -e signed -b 16 sweep.s16le $raw -e a-law sweep.alaw
ff="ffmpeg -nostdin -v error -bitexact -y"
$ff -f mulaw -ar 8000 -i sweep.ulaw -f s16le sweep.ulaw.s16le
$ff -f alaw -ar 8000 -i sweep.alaw -f s16le sweep.alaw.s16le

# The same quarter of a second of 440 Hz in every dress a WAV file wears.
tone="synth 0.25 sine 440 gain -6"
$sox -n -r 8000 -c 1 -e unsigned -b 8 pcm8.wav $tone
$sox -n -r 8000 -c 1 -e signed -b 16 pcm16.wav $tone
$sox -n -r 8000 -c 1 -e signed -b 24 pcm24-extensible.wav $tone
$sox -n -r 8000 -c 1 -e signed -b 32 pcm32-extensible.wav $tone
$sox -n -r 8000 -c 1 -e float -b 32 float32.wav $tone
$sox -n -r 8000 -c 1 -e float -b 64 float64.wav $tone
$sox -n -r 8000 -c 1 -e mu-law mulaw.wav $tone
$sox -n -r 8000 -c 1 -e a-law alaw.wav $tone
$sox -n -r 44100 -c 1 -e signed -b 16 rate44100.wav $tone
$sox -n -r 11025 -c 1 -e signed -b 16 rate11025.wav $tone
$sox -n -r 8000 -c 2 -e signed -b 16 stereo.wav synth 0.25 sine 440 sine 880 gain -6
$ff -i pcm16.wav -c:a pcm_s24le ffmpeg24.wav
ffmpeg -nostdin -v error -y -i pcm16.wav -metadata title=odd ffmpeg-list.wav
# Written into a pipe: neither program can go back to put the length in.
$ff -i pcm16.wav -f wav - | cat >ffmpeg-pipe.wav
$sox pcm16.wav $raw -e signed -b 16 - | $sox $raw -e signed -b 16 - -t wav - | cat >sox-pipe.wav
$ff -i pcm16.wav -f wav -rf64 always rf64.wav
