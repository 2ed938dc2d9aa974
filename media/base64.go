package media

// base64Value maps a byte to its six bits, or to invalid. It holds both alphabets of RFC 4648, the standard
// one and the one for URLs: they differ in two characters, which do not conflict.
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

// invalid has a bit that no value has, so that one test checks four characters.
const invalid = 0x80

// decodeBase64 decodes src into dst and returns how many bytes it wrote. dst must have room for
// len(src)*3/4 bytes; it may begin where src begins, because writing never overtakes reading. Padding may
// be missing, both alphabets are read (RFC 4648 sections 4 and 5), and white space between characters is ignored
// (RFC 2045 section 6.8: MIME breaks lines). It returns false for anything else; the content of dst is then undefined.
func decodeBase64(dst, src []byte) (int, bool) {
	n := 0
	for len(src) >= 4 && len(dst)-n >= 3 {
		s := src[:4:4]
		a, b, c, d := base64Value[s[0]], base64Value[s[1]], base64Value[s[2]], base64Value[s[3]]
		if (a|b|c|d)&invalid != 0 {
			break
		}
		o := dst[n : n+3 : n+3]
		o[0], o[1], o[2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
		n += 3
		src = src[4:]
	}
	if len(src) == 0 {
		return n, true
	}
	return decodeBase64Rest(dst, src, n)
}

// decodeBase64Rest decodes, one by one, characters with white space between and padding after them. Most payloads
// have at most four such characters.
func decodeBase64Rest(dst, src []byte, n int) (int, bool) {
	var bits uint32
	have, padding := 0, 0
	for _, c := range src {
		v := base64Value[c]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c == '=' && padding < 2:
			padding++
		case v == invalid || padding > 0:
			return n, false
		default:
			bits, have = bits<<6|uint32(v), have+1
		}
		if have == 4 {
			dst[n], dst[n+1], dst[n+2] = byte(bits>>16), byte(bits>>8), byte(bits)
			n, bits, have = n+3, 0, 0
		}
	}
	switch have {
	case 1:
		return n, false
	case 2:
		dst[n] = byte(bits >> 4)
		n++
	case 3:
		dst[n], dst[n+1] = byte(bits>>10), byte(bits>>2)
		n += 2
	}
	return n, true
}
