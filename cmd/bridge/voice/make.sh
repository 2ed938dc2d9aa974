#!/usr/bin/env bash
# Makes caller.wav, what the caller says in `bridge demo`: flite's voice rms, 8 kHz µ-law as a telephone
# carries it. Needs the Debian packages flite and sox.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lines=(
  "Hello, I want to make an appointment for tomorrow morning."
  "My number is five five five one two three four."
  "Please send me the address of your office."
  "Thank you very much. Good bye."
)
parts=()
for i in "${!lines[@]}"; do
  flite -voice rms --setf duration_stretch=1.15 -t "${lines[$i]}" -o "$work/$i.wav"
  sox "$work/$i.wav" -r 8000 "$work/$i-8k.wav" pad 0.6 0.9
  parts+=("$work/$i-8k.wav")
done
sox "${parts[@]}" "$work/all.wav" gain -n -6
# A telephone line is never quite silent.
sox "$work/all.wav" -p synth whitenoise gain -62 | sox -m -v 1 "$work/all.wav" -v 1 -p -r 8000 -c 1 -e mu-law caller.wav
