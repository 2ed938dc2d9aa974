package media

// base64Value maps a byte to its six bits, or to invalid. It holds both alphabets of RFC 4648, the standard
// one and the one for URLs: they differ in two characters and nothing uses one's in the other's sense.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = invalid
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	t['-'], t['_'] = t['+'], t['/']
	return t
}()

// invalid has a bit that no value has, so that one test serves four characters.
const invalid = 0x80

// decodeBase64 decodes src into dst and returns how many bytes it wrote. dst must have room for
// len(src)*3/4 bytes; it may begin where src begins, because writing never overtakes reading. Padding may
// be missing, and both alphabets are read (RFC 4648 sections 4 and 5). It answers false for anything else;
// dst may hold rubbish then.
func decodeBase64(dst, src []byte) (int, bool) {
	for range 2 {
		if n := len(src); n > 0 && src[n-1] == '=' {
			src = src[:n-1]
		}
	}
	n := 0
	for len(src) >= 4 && len(dst)-n >= 3 {
		s := src[:4:4]
		a, b, c, d := base64Value[s[0]], base64Value[s[1]], base64Value[s[2]], base64Value[s[3]]
		if (a|b|c|d)&invalid != 0 {
			return n, false
		}
		o := dst[n : n+3 : n+3]
		o[0], o[1], o[2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
		n += 3
		src = src[4:]
	}
	switch len(src) {
	case 0:
		return n, true
	case 2, 3:
		return decodeBase64Tail(dst, src, n)
	}
	return n, false
}

// decodeBase64Tail decodes the last two or three characters, which make one or two bytes.
func decodeBase64Tail(dst, src []byte, n int) (int, bool) {
	a, b := base64Value[src[0]], base64Value[src[1]]
	if (a|b)&invalid != 0 {
		return n, false
	}
	if len(src) == 2 {
		dst[n] = a<<2 | b>>4
		return n + 1, true
	}
	c := base64Value[src[2]]
	if c&invalid != 0 {
		return n, false
	}
	dst[n], dst[n+1] = a<<2|b>>4, b<<4|c>>2
	return n + 2, true
}
