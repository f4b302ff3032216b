package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sample() *File {
	return &File{
		Metadata: map[string]string{"note": "<é>"},
		Tensors: []Tensor{
			F32("b", []int{2, 2}, []float32{1, -2, float32(math.Inf(1)), 4}),
			F64("a", nil, []float64{0.1}),
			F32("empty", []int{0, 3}, nil),
			{Name: "flag", DType: "BOOL", Shape: []int{3}, Data: []byte{1, 0, 1}},
		},
	}
}

func encoded(t *testing.T, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, f))
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	text := encoded(t, sample())
	f, err := Read(bytes.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	require.Equal(t, sample().Metadata, f.Metadata)
	b, ok := f.Tensor("b")
	require.True(t, ok)
	values, ok := b.Float32s()
	require.True(t, ok)
	require.Equal(t, []float32{1, -2, float32(math.Inf(1)), 4}, values)
	require.Equal(t, text, encoded(t, f), "the same contents give the same bytes")
	header := binary.LittleEndian.Uint64(text)
	require.Zero(t, header%8, "tensors are aligned")
}

func TestTruncatedAnywhereIsAnError(t *testing.T) {
	text := encoded(t, sample())
	for n := range text {
		_, err := Read(bytes.NewReader(text[:n]), int64(n))
		require.Error(t, err, n)
		_, err = Read(bytes.NewReader(text[:n]), int64(len(text)))
		require.Error(t, err, "%d bytes of a file that said more", n)
	}
}

// file makes a file of a header and as many bytes of data.
func file(header string, data int) []byte {
	text := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(text, header...), make([]byte, data)...)
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"trailing bytes":  {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), "tensors of 4 bytes"},
		"a hole":          {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "starts at 4"},
		"an overlap":      {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "starts at 0"},
		"a wrong size":    {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "does not fit"},
		"an overflow":     {file(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0), "does not fit"},
		"a negative size": {file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "does not fit"},
		"an odd dtype":    {file(`{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, 4), "does not fit"},
		"a name twice":    {file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), "twice"},
		"bad UTF-8":       {file("{\"\xff\":1}", 0), "UTF-8"},
		"no object":       {file("[]", 0), "no JSON object"},
		"a huge header":   {binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "header of"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.text), int64(len(c.text)))
			var bad *FormatError
			require.ErrorAs(t, err, &bad)
			require.Contains(t, err.Error(), c.want)
		})
	}
}

func TestWriteFileLeavesNothingHalfDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, WriteFile(path, sample()))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	bad := &File{Tensors: []Tensor{{Name: "a", DType: "F32", Shape: []int{2}, Data: []byte{1}}}}
	require.Error(t, WriteFile(path, bad))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "what was written aside is gone")
	_, err = ReadFile(filepath.Join(filepath.Dir(path), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestHalves(t *testing.T) {
	for bits, want := range map[uint16]float32{0x3c00: 1, 0xc000: -2, 1: 1.0 / (1 << 24), 0x7c00: float32(math.Inf(1)), 0x3555: 0.33325195} {
		h := Tensor{DType: "F16", Shape: []int{1}, Data: binary.LittleEndian.AppendUint16(nil, bits)}
		got, ok := h.Float32s()
		require.True(t, ok)
		require.Equal(t, []float32{want}, got)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(file(strings.Repeat("[", 100), 0))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Read(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return
		}
		require.NoError(t, Write(&bytes.Buffer{}, file), "what can be read can be written")
	})
}
