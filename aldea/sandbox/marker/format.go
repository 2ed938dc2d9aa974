package marker

// SampleRate is the rate that Encode makes samples at, in Hz.
const SampleRate = 8000

// Damage is the word that a Decoder reports for one that it heard begin but that did not arrive whole.
const Damage = "\uFFFD"

// MaxWord is the length of the longest word, in bytes.
const MaxWord = 255

// The format of the line, in samples at 8000 Hz where nothing else is said.
const (
	slot      = 160 // 20 ms
	lowTone   = 700 // Hz, of the low four bits
	highTone  = 1700
	toneStep  = 50  // Hz: one period a slot
	oddShift  = 25  // Hz: how much higher the tones of every second slot are
	chirpFrom = 600 // Hz
	chirpTo   = 2800
	frontCost = 2 // slots in front of the text, behind the preamble: number, length
	checkCost = 2 // slots behind the text, in front of the trailer
)

// mask is what the byte in slot i of a word is XORed with.
func mask(i int) byte { return byte(157*i + 90) }

// frequencies are those of the two tones of slot i of a word when it carries b, already masked, in Hz.
func frequencies(i int, b byte) (low, high float64) {
	shift := i % 2 * oddShift
	return float64(lowTone + toneStep*int(b&15) + shift), float64(highTone + toneStep*int(b>>4) + shift)
}

// crc adds bytes to a CRC-16 with polynomial 0x1021. The first value is crcStart.
func crc(sum uint16, data ...byte) uint16 {
	for _, b := range data {
		sum ^= uint16(b) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}

const crcStart = 0xFFFF
