// Package codec turns telephone audio into the audio a recognizer wants, and back.
//
// A phone network sends G.711 (ITU-T G.711): one byte a sample, 8000 samples a second, mono. Recognizers want
// 16-bit linear PCM, little-endian, often at 16000 Hz. DecodeMuLaw and EncodeMuLaw cross the first gap, a
// Resampler the second, and an Expander crosses both in one pass over the bytes, as every frame of every call
// needs it.
//
// The filters are linear-phase FIR in integer arithmetic: the output is the same to the bit on every platform
// and however the input is cut into frames. The pass band is flat within 0.1 dB up to 3.4 kHz, where the
// telephone band ends; its images, and the aliases that would fall into it, are at least 80 dB down. The delay is
// constant, at most 3 ms, and each type tells its own.
//
// ReadWAV, WriteWAV and ConvertRate are for files: whole recordings, any rate, no hurry.
//
// Everything here is arithmetic on slices: no goroutines, and no allocation once constructed where the caller
// brings the room. A Resampler or Expander keeps the tail of the last frame, so it belongs to one direction of
// one call and to one goroutine at a time. The functions may be called concurrently.
package codec
