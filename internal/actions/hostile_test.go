package actions_test

import (
	"encoding/binary"
	"strings"
)

// utf16 writes ASCII, and a byte order mark before it, in UTF-16.
func utf16(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, r := range text {
		b = order.AppendUint16(b, uint16(r))
	}
	return string(b)
}

const (
	anybody  = `must be a number such as "+15550100001", "sip:user@host" or "client:name"`
	spelling = `has an address in an odd spelling; such as 192.0.2.1 or [2001:db8::1] would be right`
	absolute = `must have absolute URLs, such as https://example.com/next; `
	notURL   = `is not a URL; odd characters in it must be written %XX`
	refusal  = `actions[1] (say): field "text" `
)

// hostile has inputs of attackers and of faulty programs. As with bad, nothing is
// guessed: each is refused whole, and the error names the action, the field, and what would be right.
var hostile = []struct{ body, want string }{
	// Too much.
	{`"type":"say","text":"` + strings.Repeat("a", 1<<20) + `"`, `actions[0] (say): field "text" has 1048576 characters; at most 5000 are allowed`},
	{`{"actions":[` + strings.Repeat(`{"type":"hangup"},`, 9999) + `{"type":"hangup"}]}`, `actions: there are more than 50`},
	{`{"actions":[` + strings.Repeat(`{"type":"hangup"},`, 200_000) + `{"type":"hangup"}]}`, `actions: 3600031 bytes are too many; at most 2097152 are read`},
	{`{"actions":[{"type":"say","text":"` + strings.Repeat(" ", 2<<20) + `"}]}`, `actions: 2097190 bytes are too many; at most 2097152 are read`},
	{`{"actions":[{"type":"hangup"}],"` + strings.Repeat("x", 1<<16) + `":1}`, `actions: field "` + strings.Repeat("x", 40) + `…" is not known; known is "actions"`},
	{`"type":"clear","` + strings.Repeat("x", 1<<16) + `":1`, `actions[0] (clear): field "` + strings.Repeat("x", 40) + `…" is not known; known are id`},
	{`"type":"` + strings.Repeat("say", 1<<16) + `"`, `actions[0]: type "` + strings.Repeat("say", 13) + `s…" is not known; known are ` + known},
	{`"type":"clear","id":"` + strings.Repeat("x", 65) + `"`, `actions[0] (clear): field "id" must be at most 64 letters, digits and . _ : -`},
	{`"type":"play","audio":"` + strings.Repeat("A", 2<<20-100) + `","format":"mulaw"`, `actions[0] (play): field "audio" is too long: at most 1048576 bytes are allowed, before base64`},
	{`"type":"listen","keywords":[` + strings.Repeat(`"a",`, 100_000) + `"a"]`, `actions[0] (listen): field "keywords" has more than 100`},
	{`"type":"listen","keywords":["` + strings.Repeat("a", 101) + `"]`, `actions[0] (listen): field "keywords" has a bad word at 0: it has 101 characters; at most 100 are allowed`},
	{`"type":"redirect","url":"https://example.com/` + strings.Repeat("%41", 1<<16) + `"`, `actions[0] (redirect): field "url" has 196628 bytes; at most 2000 are allowed`},
	{`"type":"transfer","to":"+` + strings.Repeat("1", 16) + `"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"sip:` + strings.Repeat("a", 1<<16) + `@example.com"`, `actions[0] (transfer): field "to" ` + anybody},

	// Too deep.
	{`{"actions":[{"type":"listen","keywords":[[[[[[[["a"]]]]]]]]}]}`, `actions: nested more than 8 deep`},
	{`{"actions":[{"type":"say","text":` + strings.Repeat(`{"text":`, 9000) + `"a"` + strings.Repeat("}", 9000) + `}]}`, `actions: nested more than 8 deep`},
	{`{"actions":[[{"type":"hangup"}]]}`, `actions[0]: must be an object, not a list`},
	{`{"actions":[{"actions":[{"type":"hangup"}]}]}`, `actions[0]: field "type" is missing; known types are ` + known},
	{`{"actions":[{"type":"say","text":"hi"},{"type":"say","text":{"text":"hi"}}]}`, refusal + `must be a string, not an object`},

	// Not what it seems.
	{utf16(binary.LittleEndian, `{"actions":[{"type":"hangup"}]}`), `actions: the text is UTF-16 or UTF-32; UTF-8 would be right`},
	{utf16(binary.BigEndian, `{"actions":[{"type":"hangup"}]}`), `actions: the text is UTF-16 or UTF-32; UTF-8 would be right`},
	{utf16(binary.LittleEndian, "\ufeff{}"), `actions: the text is UTF-16 or UTF-32; UTF-8 would be right`},
	{utf16(binary.BigEndian, "\ufeff[]"), `actions: the text is UTF-16 or UTF-32; UTF-8 would be right`},
	{"\xff\xfe\x00\x00{\x00\x00\x00}\x00\x00\x00", `actions: the text is UTF-16 or UTF-32; UTF-8 would be right`},
	{`[{"type":"hangup"}]`, `actions: a list alone is not known; {"actions":[…]} around it would be right`},
	{`{"type":"say","text":"hi"}`, `actions: an action alone is not known; {"actions":[…]} around it would be right`},
	{`{"ACTIONS":[{"type":"hangup"}]}`, `actions: field "ACTIONS" is not known; known is "actions"`},
	{`{"actions":[{"type":"hangup"}],"__proto__":{"admin":true}}`, `actions: field "__proto__" is not known; known is "actions"`},
	{`{"actions":[{"type":"hangup"}]}` + "\x00", `actions: not JSON: invalid character '\x00' after top-level value`},
	{`{"actions":[{"type":"hangup"}]}<script>`, `actions: not JSON: invalid character '<' after top-level value, at byte 31`},
	{`{"actions":[{"type":"hangup"}]}` + "\n" + `{"actions":[{"type":"clear"}]}`, `actions: not JSON: invalid character '{' after top-level value, at byte 32`},
	{`{"actions":[{"type":"hangup"}]} // bye`, `actions: not JSON: invalid character '/' after top-level value, at byte 32`},
	{`{"actions":[{"type":"hangup",}]}`, `actions: not JSON: invalid character '}' looking for beginning of object key string, at byte 29`},
	{`{"actions":[{"type":"say","text":"a` + "\n" + `b"}]}`, `actions: not JSON: invalid character '\n' in string literal, at byte 35`},
	{`{"actions":[{"type":"say","text":"\x41"}]}`, `actions: not JSON: invalid character 'x' in string escape code, at byte 35`},
	{"{\"actions\":[\ufeff{\"type\":\"hangup\"}]}", `actions: not JSON: invalid character 'ï' looking for beginning of value, at byte 12`},
	{"{\"actions\":[{\"type\":\"say\",\"text\":\"\xed\xa0\x80\"}]}", `actions: not UTF-8 at byte 34`},
	{"{\"actions\":[{\"type\":\"say\",\"te\xc0\xaft\":\"a\"}]}", `actions: not UTF-8 at byte 29`},
	{`{"actions":[{"type":"say","text":"\udfff"}]}`, `actions: a string has half of a surrogate pair (\ud800 to \udfff); both halves, or the character itself, would be right`},
	{`"type":"hangup\u0000"`, `actions[0]: type "hangup\x00" is not known; known are ` + known},
	{`"type":"hаngup"`, `actions[0]: type "hаngup" is not known; known are ` + known}, // its а is Cyrillic
	{`"type":["hangup"]`, `actions[0]: field "type" must be a string, not a list`},
	{`"type":null`, `actions[0]: field "type" must be a string, not null`},
	{`"type":"hangup","TYPE":"say"`, `actions[0] (hangup): field "TYPE" is not known; known are id`},
	{`"type":"hangup","\u001b[2J":1`, `actions[0] (hangup): field "\x1b[2J" is not known; known are id`},
	{`"type":"clear","id":"a\nb"`, `actions[0] (clear): field "id" must be at most 64 letters, digits and . _ : -`},
	{`{"actions":[{"type":"say","text":"hi"},{"type":"say","text":"\u0007"}]}`, refusal + `has the control character U+0007 at byte 0; only tab and line ends are allowed`},
	{`"type":"say","text":"hi","language":"en\n"`, `actions[0] (say): field "language" must be a language such as "en" or "en-GB"`},
	{`"type":"say","text":"hi","voice":"en;rm -rf /"`, `actions[0] (say): field "voice" must be an engine's name for a voice: letters, digits and . _ + - (at most 100)`},
	{`"type":"play","audio":"AAAA","format":"MULAW"`, `actions[0] (play): field "format" must be one of "wav", "mulaw", "alaw", "l16"`},
	{`"type":"play","audio":"/38A` + "\\n" + `/38A","format":"mulaw"`, `actions[0] (play): field "audio" must be base64 (RFC 4648 section 4, with padding)`},
	{`"type":"play","audio":"AB==","format":"mulaw"`, `actions[0] (play): field "audio" must be base64 (RFC 4648 section 4, with padding)`}, // bits behind the end
	{`"type":"play","audio":"AAAA=","format":"mulaw"`, `actions[0] (play): field "audio" must be base64 (RFC 4648 section 4, with padding)`},
	{`"type":"play","audio":["AAAA"],"format":"mulaw"`, `actions[0] (play): field "audio" must be a string, not a list`},

	// Numbers that are none.
	{`{"actions":[{"type":"listen","endpointing_ms":Infinity}]}`, `actions: not JSON: invalid character 'I' looking for beginning of value, at byte 46`},
	{`{"actions":[{"type":"listen","endpointing_ms":0x10}]}`, `actions: not JSON: invalid character 'x' after object key:value pair, at byte 47`},
	{`"type":"listen","endpointing_ms":-0`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":` + strings.Repeat("9", 1<<16), `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","gather":{"timeout_ms":-5000}`, `actions[0] (listen): field "gather.timeout_ms" must be a whole number from 1000 to 60000`},
	{`"type":"listen","gather":{"timeout_ms":9223372036854775807}`, `actions[0] (listen): field "gather.timeout_ms" must be a whole number from 1000 to 60000`},
	{`"type":"listen","gather":{"max_digits":65}`, `actions[0] (listen): field "gather.max_digits" must be a whole number from 1 to 64`},
	{`"type":"listen","gather":{"terminator":5}`, `actions[0] (listen): field "gather.terminator" must be a string, not a number`},
	{`"type":"listen","gather":null`, `actions[0] (listen): field "gather" must be an object, not null`},
	{`"type":"listen","gather":[4]`, `actions[0] (listen): field "gather" must be an object, not a list`},

	// URLs that lead where they should not.
	{`"type":"redirect","url":"file:///etc/passwd"`, `actions[0] (redirect): field "url" must begin with https://`},
	{`"type":"play","url":"gopher://example.com/_x"`, `actions[0] (play): field "url" must begin with https://`},
	{`"type":"play","url":"data:audio/wav;base64,AAAA"`, `actions[0] (play): field "url" must begin with https://`},
	{`"type":"play","url":"//example.com/a"`, `actions[0] (play): field "url" must begin with https://`},
	{`"type":"redirect","url":"http://169.254.169.254/latest/meta-data/"`, `actions[0] (redirect): field "url" is refused: address not allowed`},
	{`"type":"play","url":"http://[::ffff:169.254.169.254]/"`, `actions[0] (play): field "url" is refused: address not allowed`},
	{`"type":"play","url":"http://10.0.0.1/"`, `actions[0] (play): field "url" is refused: address not allowed`},
	{`"type":"play","url":"http://2852039166/"`, `actions[0] (play): field "url" ` + spelling},
	{`"type":"play","url":"http://0xA9FEA9FE/"`, `actions[0] (play): field "url" ` + spelling},
	{`"type":"play","url":"http://0251.0376.0251.0376/"`, `actions[0] (play): field "url" ` + spelling},
	{`"type":"play","url":"http://127.1/"`, `actions[0] (play): field "url" ` + spelling},
	{`"type":"play","url":"http://169.254.169.254./"`, `actions[0] (play): field "url" ` + spelling},
	{`"type":"play","url":"http://169。254。169。254/"`, `actions[0] (play): field "url" ` + notURL},
	{`"type":"redirect","url":"https://user:hunter2@example.com/"`, `actions[0] (redirect): field "url" must not have a user or a password`},
	{`"type":"play","url":"https://example.com@evil.example/"`, `actions[0] (play): field "url" must not have a user or a password`},
	{`"type":"play","url":"https://:@example.com/"`, `actions[0] (play): field "url" must not have a user or a password`},
	{`"type":"play","url":"https://example.com\\@evil.example/"`, `actions[0] (play): field "url" ` + notURL},
	{`"type":"play","url":"https://exam\u202eple.com/"`, `actions[0] (play): field "url" ` + notURL},
	{`"type":"play","url":" https://example.com/"`, `actions[0] (play): field "url" ` + notURL},
	{`"type":"play","url":"https://example.com/\u0000"`, `actions[0] (play): field "url" ` + notURL},
	{`"type":"play","url":"https://example.com:port/"`, `actions[0] (play): field "url" ` + notURL},

	// Instructions for another system.
	{`"type":"transfer","to":"+15550100001","caller_id":"+15550100002</Dial>"`, `actions[0] (transfer): field "caller_id" must be a number such as "+15550100001", or "client:name"`},
	{`"type":"transfer","to":"</Number><Sip>sip:x@y</Sip>"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"<![CDATA[+15550100001]]>"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"&#43;15550100001"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"sip:a\u0085b@example.com"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"sip:a\u202eb@example.com"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"sip:a@example.com;x=\r\nVia: y"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"client:a\u0000"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":"+15550100001,+19005550100"`, `actions[0] (transfer): field "to" ` + anybody},
	{`"type":"transfer","to":["+15550100001","+15550100002"]`, `actions[0] (transfer): field "to" must be a string, not a list`},
	{`"type":"transfer","to":15550100001`, `actions[0] (transfer): field "to" must be a string, not a number`},
	{`"type":"twiml","twiml":"<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><Response><Say>&c;</Say></Response>"`, `actions[0] (twiml): field "twiml" must not have a <!DOCTYPE>`},
	{`"type":"twiml","twiml":"<Response><Say>&b;</Say></Response>"`, `actions[0] (twiml): field "twiml" is not well-formed XML: invalid character entity &b;`},
	{`"type":"twiml","twiml":"<Response><Say>\u0001</Say></Response>"`, `actions[0] (twiml): field "twiml" is not well-formed XML: illegal character code U+0001`},
	{`"type":"twiml","twiml":"<Response>` + strings.Repeat("<a>", 400) + `"`, `actions[0] (twiml): field "twiml" is not well-formed XML: unexpected EOF`},
	{`"type":"twiml","twiml":"<response/>"`, `actions[0] (twiml): field "twiml" must have one root, <Response>`},
	{`"type":"twiml","twiml":"<x:Response xmlns:x=\"y\"/>"`, `actions[0] (twiml): field "twiml" must have one root, <Response>`},
	{`"type":"twiml","twiml":"<Response/><Hangup/>"`, `actions[0] (twiml): field "twiml" must have one root, <Response>`},
	{`"type":"twiml","twiml":"<Response><Redirect>/next</Redirect></Response>"`, `actions[0] (twiml): field "twiml" ` + absolute + `that in a <Redirect> is none`},
	{`"type":"twiml","twiml":"<Response><Play>file:///etc/passwd</Play></Response>"`, `actions[0] (twiml): field "twiml" ` + absolute + `that in a <Play> is none`},
	{`"type":"twiml","twiml":"<Response><Gather action=\"next\"/></Response>"`, `actions[0] (twiml): field "twiml" ` + absolute + `the "action" of a <Gather> is none`},
	{`"type":"twiml","twiml":"<Response><Dial><Number statusCallback=\"/s\">+1</Number></Dial></Response>"`, `actions[0] (twiml): field "twiml" ` + absolute + `the "statusCallback" of a <Number> is none`},
	{`"type":"twiml","twiml":["<Response/>"]`, `actions[0] (twiml): field "twiml" must be a string, not a list`},
}
