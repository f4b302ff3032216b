package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// file makes a file of a header and as many bytes of data.
func file(header string, data int) []byte {
	text := le.AppendUint64(nil, uint64(len(header)))
	return append(append(text, header...), make([]byte, data)...)
}

// accepted are odd files that the reference implementation reads.
var accepted = map[string][]byte{
	"no tensors":          file(`{}`, 0),
	"white space around":  file("\t\n{}\r ", 0),
	"no metadata":         file(`{"__metadata__":null}`, 0),
	"empty metadata":      file(`{"__metadata__":{}}`, 0),
	"unknown fields":      file(`{"a":{"x":{"y":[1.5]},"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
	"any order":           file(`{"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 8),
	"empty after full":    file(`{"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
	"an empty name":       file(`{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
	"a surrogate pair":    file(`{"\ud83d\ude00":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
	"a backslash and u":   file(`{"\\ud83d":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
	"zero before large":   file(`{"a":{"dtype":"F32","shape":[0,2147483647,2147483647,2147483647],"data_offsets":[0,0]}}`, 0),
	"two of half a byte":  file(`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}`, 1),
	"four of six bits":    file(`{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}`, 3),
	"the other six bits":  file(`{"a":{"dtype":"F6_E3M2","shape":[2,2],"data_offsets":[0,3]}}`, 3),
	"a complex number":    file(`{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}`, 8),
	"eight-bit exponents": file(`{"a":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]}}`, 1),
}

// refused are wrong files and what the error says of them.
var refused = map[string]struct {
	text []byte
	want string
}{
	"nothing":                 {nil, "header length: file of 0 bytes, want at least 8"},
	"half a length":           {make([]byte, 7), "header length: file of 7 bytes"},
	"a huge header":           {le.AppendUint64(nil, math.MaxUint64), "header length: 18446744073709551615 bytes, want at most 100000000"},
	"a header too long":       {append(le.AppendUint64(nil, maxHeader+1), make([]byte, 100)...), "want at most 100000000"},
	"a header beyond the end": {append(le.AppendUint64(nil, 9), make([]byte, 8)...), "header length: 9 bytes, but only 8 follow"},
	"no header":               {file("", 0), "header: byte 0: unexpected end"},
	"bad UTF-8":               {file("{\"\xff\":1}", 0), "header: byte 2: not UTF-8"},
	"a byte order mark":       {file("\ufeff{}", 0), "invalid character"},
	"an array":                {file("[]", 0), "not a JSON object"},
	"null":                    {file(" null", 0), "not a JSON object"},
	"open":                    {file("{", 0), "header: byte 1: unexpected end"},
	"text after it":           {file("{}x", 0), "header: byte 3: invalid character 'x' after top-level value"},
	"zeros after it":          {file("{}\x00", 0), "after top-level value"},
	"a trailing comma":        {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}`, 4), "invalid character '}'"},
	"a control character":     {file("{\"a\tb\":{}}", 0), "in string literal"},
	"a lone high surrogate":   {file(`{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `byte 2: lone surrogate \ud800`},
	"a lone low surrogate":    {file(`{"a\\\uDC00":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `byte 5: lone surrogate \uDC00`},
	"a wrong pair":            {file(`{"\ud800\u0041":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `lone surrogate \ud800`},
	"a name twice":            {file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), `"a" occurs twice`},
	"a name escaped twice":    {file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), `"a" occurs twice`},
	"metadata twice":          {file(`{"__metadata__":{},"__metadata__":{}}`, 0), `"__metadata__" occurs twice`},
	"a metadata key twice":    {file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `"__metadata__": "a" occurs twice`},
	"a number as metadata":    {file(`{"__metadata__":{"a":1}}`, 0), `"a": 1, want a string`},
	"null as metadata":        {file(`{"__metadata__":{"a":null}}`, 0), `"a": <nil>, want a string`},
	"a field twice":           {file(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `header, byte 27: "a": "dtype" occurs twice`},
	"a field in capitals":     {file(`{"a":{"Dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `"a": no dtype`},
	"no shape":                {file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), `"a": no shape`},
	"no offsets":              {file(`{"a":{"dtype":"F32","shape":[0]}}`, 0), `"a": no data_offsets`},
	"null as tensor":          {file(`{"a":null}`, 0), `"a": <nil>, want an object`},
	"an array as tensor":      {file(`{"a":["F32",[1],[0,4]]}`, 4), `"a": [, want an object`},
	"null as shape":           {file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, 4), "<nil>, want an array"},
	"an odd dtype":            {file(`{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}`, 4), `tensor "a": unknown dtype "f32"`},
	"a negative size":         {file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "-1, want a whole number"},
	"minus zero":              {file(`{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}`, 0), "-0, want a whole number"},
	"a fraction":              {file(`{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, 4), "1.0, want a whole number"},
	"an exponent":             {file(`{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}`, 4), "1e0, want a whole number"},
	"a number in quotes":      {file(`{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}`, 4), "1, want a whole number"},
	"a size beyond 64 bits":   {file(`{"a":{"dtype":"F32","shape":[0,18446744073709551616],"data_offsets":[0,0]}}`, 0), "want a whole number"},
	"one offset":              {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`, 4), "1 numbers, want 2"},
	"three offsets":           {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4), "more than 2 numbers"},
	"offsets backwards":       {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "want them to begin at 0"},
	"a hole at the start":     {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "want them to begin at 0"},
	"a hole":                  {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, 6), `tensor "b": data_offsets [5, 6], want them to begin at 4`},
	"an overlap":              {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), "want them to begin at 4"},
	"the same bytes":          {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "want them to begin at 4"},
	"a wrong size":            {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "data_offsets [0, 4], want 8 bytes for shape [2] of F32"},
	"an overflow of sizes":    {file(`{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,0],"data_offsets":[0,0]}}`, 0), "size overflows"},
	"an overflow of bits":     {file(`{"a":{"dtype":"F32","shape":[1073741824,1073741824],"data_offsets":[0,0]}}`, 0), "size overflows"},
	"half a byte":             {file(`{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, 1), "does not fill whole bytes"},
	"trailing bytes":          {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), "data: 5 bytes after the header, want 4"},
	"missing bytes":           {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 3), "data: 3 bytes after the header, want 4"},
	"an impossible size":      {file(`{"a":{"dtype":"F32","shape":[1152921504606],"data_offsets":[0,4611686018424]}}`, 4), "data: 4 bytes after the header"},
}

func TestAccepted(t *testing.T) {
	for name, text := range accepted {
		t.Run(name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(text), int64(len(text)))
			require.NoError(t, err)
		})
	}
}

func TestRefused(t *testing.T) {
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.text), int64(len(c.text)))
			var bad *FormatError
			require.ErrorAs(t, err, &bad)
			require.Contains(t, err.Error(), c.want)
		})
	}
}

// Lone surrogates are found by their place among other escapes.
func TestLoneSurrogate(t *testing.T) {
	for text, want := range map[string]int{
		`""`: -1, `"\n\\\""`: -1, `"\u0041"`: -1, `"\ud800\udc00"`: -1, `"\uDBFF\uDFFF\ud800"`: 13,
		`"\ud800"`: 1, `"\udc00\ud800"`: 1, `"\udc00\udc00"`: 1, `"\\\ud800"`: 3, `"\\ud800"`: -1, `"\ud800\ud800\udc00"`: 1,
	} {
		require.Equal(t, want, loneSurrogate([]byte(text)), text)
	}
}

// FuzzRead: no input makes Read panic, and what it reads is what it writes
// back. Its seeds run as a plain test.
func FuzzRead(f *testing.F) {
	for _, text := range accepted {
		f.Add(text)
	}
	for _, c := range refused {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Read(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			var bad *FormatError
			require.ErrorAs(t, err, &bad)
			return
		}
		size := 0
		for _, tensor := range file.Tensors {
			size += len(tensor.Data)
		}
		require.Equal(t, len(text), size+lengthSize+int(binary.LittleEndian.Uint64(text)))
		require.ElementsMatch(t, file.Tensors, written(t, file).Tensors)
	})
}

// written is the file after writing and reading it.
func written(t require.TestingT, f *File) *File {
	var b bytes.Buffer
	require.NoError(t, Write(&b, f))
	again, err := Read(&b, int64(b.Len()))
	require.NoError(t, err)
	require.Equal(t, f.Metadata, again.Metadata)
	return again
}
