module aldeabridge/test/attack

go 1.26

require (
	aldeabridge v0.0.0
	github.com/andybalholm/brotli v1.1.0
	github.com/gorilla/websocket v1.5.3
)

require github.com/zaf/g711 v1.4.0 // indirect

replace aldeabridge => ../..
