package codec

// halfBandTaps is the number of input samples that a sample between two others is made of.
const halfBandTaps = 34

// halfBandDelay is the delay of the half-band filter in samples at the higher rate.
const halfBandDelay = 33

// halfBandUnit is the filter's gain of one, as a shift.
const halfBandUnit = 16

// halfBand is the phase of the half-band filter that is not a plain delay: sum[i] becomes the sample that lies in
// the middle of the halfBandTaps elements of x from i*step on, times 1<<halfBandUnit. It is linear and exact, so x may
// hold two samples in each element, a + b<<32, and a sum then holds both results in the same way.
func halfBand(sum, x []int64, step int) {
	for i := range sum {
		w := (*[halfBandTaps]int64)(x)
		sum[i] = half00*(w[0]+w[33]) + half01*(w[1]+w[32]) + half02*(w[2]+w[31]) + half03*(w[3]+w[30]) +
			half04*(w[4]+w[29]) + half05*(w[5]+w[28]) + half06*(w[6]+w[27]) + half07*(w[7]+w[26]) +
			half08*(w[8]+w[25]) + half09*(w[9]+w[24]) + half10*(w[10]+w[23]) + half11*(w[11]+w[22]) +
			half12*(w[12]+w[21]) + half13*(w[13]+w[20]) + half14*(w[14]+w[19]) + half15*(w[15]+w[18]) +
			half16*(w[16]+w[17])
		x = x[step:]
	}
}
