// Bytes as text of a page whose encoding is windows-1252, in which each byte is a character. A page cannot hold NUL, and
// changes carriage returns; "<" could end the element, and "=" marks those that stand 64 higher.
const ESCAPE = 0x3d;
const ESCAPED = [0x00, 0x0d, 0x3c, ESCAPE];
// What windows-1252 has where a character's number is not the byte's: https://encoding.spec.whatwg.org/#windows-1252
const HIGH = "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

// The bytes of the page that stand for these.
export function encode(bytes) {
	const out = new Uint8Array(bytes.length * 2);
	let at = 0;
	for (const byte of bytes)
		if (ESCAPED.includes(byte)) {
			out[at++] = ESCAPE;
			out[at++] = byte + 64;
		} else out[at++] = byte;
	return out.subarray(0, at);
}

export function decode(text) {
	const high = new Map([...HIGH].map((letter, at) => [letter.charCodeAt(0), 0x80 + at]));
	const out = new Uint8Array(text.length);
	let at = 0;
	for (let i = 0; i < text.length; i++) {
		let code = text.charCodeAt(i);
		if (code === ESCAPE) code = text.charCodeAt(++i) - 64;
		else if (code > 0x7f) code = high.get(code) ?? code;
		out[at++] = code;
	}
	return out.slice(0, at);
}
