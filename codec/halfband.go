package codec

// halfBandTaps is the number of input samples that a sample between two others is made of.
const halfBandTaps = 34

// halfBandDelay is the delay of the half-band filter in samples at the higher rate.
const halfBandDelay = 33

// halfBandUnit is the filter's gain of one, as a shift.
const halfBandUnit = 16

// halfBandBlock is how many samples go through the filter at a time: 20 ms, what carriers put into a message.
const halfBandBlock = 160

// pairs holds the last inputs and behind them room for a block. Two neighbors share an element, x[n] + x[n+1]<<32,
// so that one multiplication does the work of two: the filter is linear, and its sums in 64 bits are exact as long
// as each of the two fits its 32.
type pairs [halfBandTaps + halfBandBlock]int64

// pairTail is how many elements of pairs stay from one block to the next.
const pairTail = halfBandTaps - 1

// load takes what save kept.
func (p *pairs) load(tail *[pairTail]int16) {
	for i, s := range tail[1:] {
		p[i] = int64(tail[i]) + int64(s)<<32
	}
	p[pairTail-1] = int64(tail[pairTail-1])
}

// save keeps the last samples, which must have no more than 16 bits.
func (p *pairs) save(tail *[pairTail]int16) {
	for i := range tail {
		tail[i] = int16(p[i])
	}
}

// room is where the inputs of a block of n go, with the last element of the block before in front: it waits for its
// upper half. The last element of the new block then gets none, and behind it lies a zero.
func (p *pairs) room(n int) []int64 {
	p[pairTail+n] = 0
	return p[pairTail-1 : pairTail+n]
}

// window is what the sums of a block of n are made of.
func (p *pairs) window(n int) []int64 { return p[:pairTail+1+n] }

// done keeps what the next block needs of a block of n.
func (p *pairs) done(n int) { copy(p[:pairTail], p[n:pairTail+n]) }

// halfBand is the phase of the half-band filter that is not a plain delay: sum[i] becomes the two samples that lie in
// the middle of the halfBandTaps elements of p from 2i on, times 1<<halfBandUnit. The taps add up to less than
// 1<<18 in size, so it is for samples of 14 bits.
func halfBand(sum, p []int64) {
	for i := range sum {
		w := (*[halfBandTaps]int64)(p)
		sum[i] = half00*(w[0]+w[33]) + half01*(w[1]+w[32]) + half02*(w[2]+w[31]) + half03*(w[3]+w[30]) +
			half04*(w[4]+w[29]) + half05*(w[5]+w[28]) + half06*(w[6]+w[27]) + half07*(w[7]+w[26]) +
			half08*(w[8]+w[25]) + half09*(w[9]+w[24]) + half10*(w[10]+w[23]) + half11*(w[11]+w[22]) +
			half12*(w[12]+w[21]) + half13*(w[13]+w[20]) + half14*(w[14]+w[19]) + half15*(w[15]+w[18]) +
			half16*(w[16]+w[17])
		p = p[2:]
	}
}

// halfBandOuter is halfBand without the four taps in the middle. Those that are left add up to less than 1<<16 in size,
// so it is for samples of 16 bits.
func halfBandOuter(sum, p []int64) {
	for i := range sum {
		w := (*[halfBandTaps]int64)(p)
		sum[i] = half00*(w[0]+w[33]) + half01*(w[1]+w[32]) + half02*(w[2]+w[31]) + half03*(w[3]+w[30]) +
			half04*(w[4]+w[29]) + half05*(w[5]+w[28]) + half06*(w[6]+w[27]) + half07*(w[7]+w[26]) +
			half08*(w[8]+w[25]) + half09*(w[9]+w[24]) + half10*(w[10]+w[23]) + half11*(w[11]+w[22]) +
			half12*(w[12]+w[21]) + half13*(w[13]+w[20]) + half14*(w[14]+w[19])
		p = p[2:]
	}
}
