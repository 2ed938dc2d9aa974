module aldeabridge/bench

go 1.26

require (
	aldeabridge v0.0.0
	github.com/buger/jsonparser v1.1.1
	github.com/tphakala/go-audio-resampler v1.0.0
)

require (
	github.com/tphakala/simd v1.0.14 // indirect
	github.com/zaf/g711 v1.4.0 // indirect
	golang.org/x/sys v0.41.0 // indirect
	gonum.org/v1/gonum v0.16.0 // indirect
)

replace aldeabridge => ..
